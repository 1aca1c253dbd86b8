"""What all tests share: a process that remembers nothing of the test before, and the real reference."""

from collections.abc import Iterator

import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection
from pytest_django import DjangoDbBlocker

from moderation import known_models
from references import analytics, documents, text_structure
from references.api.known import known_answers
from references.horde import usage
from references.legacy import CategorySource
from references.models import Category, LegacySource, ModelRecord
from references.services import categories_sync, sources_import
from references.sources import legacy_folder_read
from tests.recorded import legacy_dir

# The time that the recorded answers have in place of the one they were recorded at.
IMPORTED_AT = 1_700_000_000


@pytest.fixture(scope="session")
def django_db_modify_db_settings(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keeps a SQLite test database in a file, as deployments do: threads of tests have connections of their own."""
    if connection.vendor == "sqlite":
        connection.settings_dict["TEST"]["NAME"] = str(tmp_path_factory.mktemp("store") / "test.sqlite3")


@pytest.fixture(autouse=True)
def fresh_process() -> None:
    """Tests roll back, so the same revision comes again with other content behind it."""
    documents._snapshots.clear()
    text_structure._held = known_models._held = None
    documents._row_reads.clear()
    usage._copies.clear()
    analytics._kept.clear()
    known_answers.clear()
    cache.clear()


@pytest.fixture(scope="session")
def real_sources() -> list[CategorySource]:
    """The files of the legacy repositories, read."""
    return list(legacy_folder_read(legacy_dir()))


@pytest.fixture(scope="module")
def real_reference(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, real_sources: list[CategorySource]
) -> Iterator[None]:
    """The real reference, imported once for the tests of a module; each of them still needs `django_db`."""
    with django_db_blocker.unblock():
        sources_import(real_sources, at=IMPORTED_AT)
    yield
    with django_db_blocker.unblock():
        call_command("flush", interactive=False, verbosity=0)


@pytest.fixture
def empty_reference(db: None) -> None:
    """For a test in a module with the real reference that wants none: it is back for the next test."""
    for model in (LegacySource, ModelRecord, Category):
        model.objects.all().delete()
    categories_sync()
