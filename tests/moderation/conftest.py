"""A store that several connections at once can write to."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connections

from tests.moderation.processes import default_database


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory, django_db_blocker) -> Path:
    """An empty SQLite store, to be copied."""
    path = tmp_path_factory.mktemp("stores") / "empty.sqlite3"
    with django_db_blocker.unblock(), default_database(NAME=str(path)):
        call_command("migrate", verbosity=0)
    return path


@pytest.fixture
def shared_store(transactional_db: None, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[None]:
    """The test database; in place of SQLite in memory, where threads cannot wait for each other, a file."""
    if connections["default"].vendor != "sqlite":
        yield
        return
    path = tmp_path / "store.sqlite3"
    shutil.copy(request.getfixturevalue("migrated_file"), path)
    with default_database(NAME=str(path)):
        yield
