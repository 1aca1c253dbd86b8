"""Copies the whole store into one file while it is in use."""

import os
import shlex
import shutil
import sqlite3
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote, urlencode

from django.core.management.base import BaseCommand, CommandError
from django.db import connection

STEP_PAGES = 1000
BUSY_PATIENCE = 20
MEGABYTE = 1_000_000
_SECRET_OPTIONS = frozenset({"password", "sslpassword"})


class Command(BaseCommand):
    help = (
        "Copies the SQLite database into a new file, as it is at one moment, while the service goes on reading and "
        "writing. The copy is checked before it gets its name. To restore it, stop the service, put the file "
        "where DATABASE_URL points and remove the files beside it that end in -wal and -shm."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("destination", type=Path)
        parser.add_argument("--overwrite", action="store_true", help="Replace the file if there is one.")

    def handle(self, *, destination: Path, overwrite: bool, verbosity: int, **options: object) -> None:
        if connection.vendor != "sqlite":
            raise CommandError(_postgresql_words(connection.settings_dict, destination))
        self.is_quiet, self.tenths = verbosity < 1, 0
        source = Path(connection.settings_dict["NAME"])
        _destination_check(source, destination, overwrite=overwrite)
        try:
            with _partial(destination) as partial:
                self._copy(source, partial)
                size = _checked(partial)
                shutil.copymode(source, partial)
                _synced(partial)
                partial.replace(destination)
                _synced(destination.parent)
        except sqlite3.Error as error:
            raise CommandError(f"The backup failed: {error}. {destination} was not written.") from error
        except OSError as error:
            raise CommandError(
                f"{error.filename or destination}: {error.strerror}. {destination} was not written."
            ) from error
        self.stdout.write(
            self.style.SUCCESS(f"{destination}: {size / MEGABYTE:.1f} MB, checked and complete.")
        )

    def _copy(self, source: Path, target: Path) -> None:
        address = f"{source.absolute().as_uri()}?mode=rw"
        with (
            closing(
                sqlite3.connect(address, uri=True, isolation_level=None, timeout=BUSY_PATIENCE)
            ) as reading,
            closing(sqlite3.connect(target, isolation_level=None)) as writing,
        ):
            # With a read under way, every step sees the same moment; without, a write would begin the copy anew.
            reading.execute("BEGIN")
            reading.execute("SELECT count(*) FROM sqlite_master").fetchone()
            reading.backup(writing, pages=STEP_PAGES, progress=self._progress)
            reading.execute("ROLLBACK")
            # One file, with nothing beside it that would have to be copied too.
            writing.execute("PRAGMA journal_mode=DELETE")

    def _progress(self, status: int, remaining: int, total: int) -> None:
        tenths = 10 * (total - remaining) // max(total, 1)
        if tenths > self.tenths and not self.is_quiet:
            self.stdout.write(f"copied {10 * tenths} %")
        self.tenths = tenths


def _destination_check(source: Path, destination: Path, *, overwrite: bool) -> None:
    """Raises CommandError where the copy must not, or cannot, be put."""
    if not source.is_file():
        raise CommandError(f"There is no database file at {source}.")
    if destination.is_dir():
        raise CommandError(f"{destination} is a folder; name the file to write.")
    if not destination.parent.is_dir():
        raise CommandError(f"There is no folder {destination.parent}.")
    if not destination.exists():
        return
    if destination.samefile(source):
        raise CommandError(f"{destination} is the database itself.")
    if not overwrite:
        raise CommandError(f"{destination} exists; to replace it, add --overwrite.")
    if beside := next((path for path in _beside(destination) if path.exists()), None):
        raise CommandError(f"{destination} is a database in use, as {beside.name} shows; it is not replaced.")


@contextmanager
def _partial(destination: Path) -> Iterator[Path]:
    """An empty file beside the destination that is gone in the end, unless it was given its name."""
    partial = destination.with_name(f".{destination.name}.{os.getpid()}.partial")
    try:
        # Nobody else may read a copy that is under way: it gets the permissions of the database at its end.
        partial.touch(mode=0o600)
        yield partial
    finally:
        for path in (partial, *_beside(partial)):
            path.unlink(missing_ok=True)


def _beside(database: Path) -> list[Path]:
    return [database.with_name(database.name + suffix) for suffix in ("-wal", "-shm", "-journal")]


def _checked(copy: Path) -> int:
    """The size of the copy in bytes; raises CommandError where it is damaged."""
    with closing(sqlite3.connect(copy)) as opened:
        faults = [row[0] for row in opened.execute("PRAGMA integrity_check") if row[0] != "ok"]
        faults += [
            f"{row[0]} row {row[1]} refers to nothing" for row in opened.execute("PRAGMA foreign_key_check")
        ]
    if faults:
        raise CommandError(f"The database is damaged, no backup was written: {'; '.join(faults[:3])}")
    return copy.stat().st_size


def _synced(path: Path) -> None:
    """Has the file or folder reach the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _postgresql_words(database: dict, destination: Path) -> str:
    dump = shlex.join(["pg_dump", "--format=custom", f"--file={destination}", _postgresql_url(database)])
    restore = shlex.join(["pg_restore", "--no-owner", "--dbname=NEW_DATABASE_URL", str(destination)])
    return (
        "This deployment keeps its data in PostgreSQL, whose own tool makes a consistent copy while it is in use:\n"
        f"  {dump}\n"
        "It asks for the password, or takes it from PGPASSWORD or ~/.pgpass. To restore into a new, empty database:\n"
        f"  {restore}"
    )


def _postgresql_url(database: dict) -> str:
    """The address of the database, without the password."""
    user = quote(database["USER"], safe="")
    host = database["HOST"]
    shown = f"[{host}]" if ":" in host else quote(host, safe="")
    port = f":{database['PORT']}" if database["PORT"] else ""
    options = {
        name: value for name, value in database.get("OPTIONS", {}).items() if name not in _SECRET_OPTIONS
    }
    query = f"?{urlencode(options)}" if options else ""
    return f"postgresql://{f'{user}@' if user else ''}{shown}{port}/{quote(database['NAME'], safe='')}{query}"
