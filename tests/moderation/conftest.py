"""A store that several connections at once can write to."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connections


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory, django_db_blocker) -> Path:
    """An empty SQLite store, to be copied."""
    path = tmp_path_factory.mktemp("stores") / "empty.sqlite3"
    with django_db_blocker.unblock(), sqlite_file(path):
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
    with sqlite_file(path):
        yield


class sqlite_file:  # noqa: N801 - used like a function
    """Makes a SQLite file the default database of this and all new threads."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> None:
        self.outer = connections["default"]
        self.settings = connections.databases["default"]
        connections.databases["default"] = {**self.settings, "NAME": str(self.path)}
        del connections["default"]

    def __exit__(self, *error: object) -> None:
        connections["default"].close()
        connections.databases["default"] = self.settings
        connections["default"] = self.outer
