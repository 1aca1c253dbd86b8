"""Backing up a store that is in use, and restoring it."""

import shutil
import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from references.categories import CATEGORIES
from references.management.commands import backup
from tests.moderation.factories import apply_at_once, propose_create
from tests.moderation.processes import PATIENCE, Store

# In other processes


def changes_go_on(done: str, stop: str) -> int:
    """Proposes, approves and applies one change after the other until told to stop; how many it were.

    `done` is the file that has a character for each.
    """
    count = 0
    while not Path(stop).exists():
        apply_at_once(propose_create(f"model_{count}", description="x" * 2000))
        count += 1
        Path(done).write_text("." * count)
    return count


def reads() -> dict[str, Any]:
    client = Client()
    paths = [f"{version}/{category}" for version in ("v1", "v2") for category in CATEGORIES]
    answers = {path: client.get(f"/api/model_references/{path}") for path in paths}
    return {path: [answer.status_code, answer.content.decode()] for path, answer in answers.items()}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A migrated SQLite store, whatever the suite runs on."""
    made = Store(f"sqlite:///{tmp_path / 'live.sqlite3'}", tmp_path)
    made.manage("migrate", "--verbosity", "0")
    return made


def restored(copy: Path, folder: Path) -> Store:
    folder.mkdir()
    shutil.copy(copy, folder / "store.sqlite3")
    return Store(f"sqlite:///{folder / 'store.sqlite3'}", folder)


def wait_for_changes(done: Path, count: int) -> None:
    give_up_at = time.monotonic() + PATIENCE
    while not done.exists() or len(done.read_text()) < count:
        assert time.monotonic() < give_up_at, f"change {count} was never applied"
        time.sleep(0.05)


def test_a_backup_taken_while_changes_are_applied_is_the_store_at_one_moment(
    store, tmp_path, django_db_blocker
):
    done, stop = tmp_path / "done", tmp_path / "stop"
    copies = [tmp_path / "copy_1.sqlite3", tmp_path / "copy_2.sqlite3"]
    numbers = []
    with ThreadPoolExecutor() as pool:
        writer = pool.submit(store.call, changes_go_on, str(done), str(stop))
        try:
            for copy in copies:
                wait_for_changes(done, 3 + sum(numbers))
                with store.connected(django_db_blocker):
                    run(copy)
                with closing(sqlite3.connect(copy)) as opened:
                    numbers += opened.execute("SELECT count(*) FROM references_modelrecord").fetchone()
        finally:
            stop.touch()
        applied = writer.result()
    assert 3 <= numbers[0] < numbers[1] <= applied
    for copy in copies:
        there = restored(copy, tmp_path / f"restored_{copy.stem}")
        with there.connected(django_db_blocker):
            call_command("rebuild_from_audit", "--check", stdout=StringIO())


def test_a_restored_backup_answers_as_the_store_does(store, tmp_path, django_db_blocker):
    with store.connected(django_db_blocker):
        call_command("load_starter", stdout=StringIO())
        run(tmp_path / "copy.sqlite3")
    answers = restored(tmp_path / "copy.sqlite3", tmp_path / "restored").call(reads)
    assert answers == store.call(reads)
    assert answers["v2/image_generation"][0] == 200


# The file


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[sqlite3.Connection]:
    """The connection of somebody who works with the database that the command copies."""
    path = tmp_path / "live.sqlite3"
    database = SimpleNamespace(vendor="sqlite", settings_dict={"NAME": str(path)})
    monkeypatch.setattr(backup, "connection", database)
    with closing(sqlite3.connect(path, isolation_level=None)) as opened:
        opened.execute("PRAGMA journal_mode=WAL")
        opened.execute("PRAGMA synchronous=OFF")
        opened.execute("BEGIN")
        opened.execute("CREATE TABLE thing (name TEXT NOT NULL)")
        opened.executemany("INSERT INTO thing VALUES (?)", [("x" * 1000,)] * 8000)
        opened.execute("COMMIT")
        yield opened


def run(destination: Path, *options: str) -> str:
    output = StringIO()
    call_command("backup", str(destination), *options, stdout=output)
    return output.getvalue()


def things(path: Path) -> int:
    with closing(sqlite3.connect(path)) as opened:
        return opened.execute("SELECT count(*) FROM thing").fetchone()[0]


def leftovers(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if "live" not in path.name)


def test_the_copy_is_one_file_and_its_progress_is_told(source, tmp_path):
    lines = run(tmp_path / "copy").splitlines()
    assert leftovers(tmp_path) == ["copy"]
    # The header says that nothing is kept in a file beside it (https://www.sqlite.org/fileformat.html).
    assert (tmp_path / "copy").read_bytes()[18:20] == b"\x01\x01"
    assert things(tmp_path / "copy") == 8000
    assert lines[-2] == "copied 100 %"
    assert len(lines) > 2
    assert (
        lines[-1]
        == f"{tmp_path / 'copy'}: {(tmp_path / 'copy').stat().st_size / 1e6:.1f} MB, checked and complete."
    )


def test_a_write_between_two_steps_is_not_in_the_copy(source, tmp_path, monkeypatch):
    monkeypatch.setattr(backup, "STEP_PAGES", 100)
    steps = []

    def write(command: backup.Command, status: int, remaining: int, total: int) -> None:
        steps.append(remaining)
        source.execute("INSERT INTO thing VALUES ('late')")

    monkeypatch.setattr(backup.Command, "_progress", write)
    run(tmp_path / "copy")
    assert len(steps) > 10
    assert steps == sorted(steps, reverse=True)
    assert things(tmp_path / "copy") == 8000
    assert source.execute("SELECT count(*) FROM thing").fetchone()[0] == 8000 + len(steps)


def test_what_another_has_not_committed_is_not_in_the_copy(source, tmp_path):
    source.execute("BEGIN IMMEDIATE")
    source.execute("DELETE FROM thing")
    run(tmp_path / "copy", "--verbosity", "0")
    source.execute("ROLLBACK")
    assert things(tmp_path / "copy") == 8000


def test_the_copy_is_readable_by_those_who_may_read_the_database(source, tmp_path):
    (tmp_path / "live.sqlite3").chmod(0o600)
    run(tmp_path / "copy")
    assert (tmp_path / "copy").stat().st_mode & 0o777 == 0o600


def test_a_copy_under_way_is_readable_by_nobody_else(source, tmp_path, monkeypatch):
    (tmp_path / "live.sqlite3").chmod(0o600)
    seen = []

    def note(command, status, remaining, total):
        seen.extend(path.stat().st_mode & 0o777 for path in tmp_path.glob(".copy.*"))

    monkeypatch.setattr(backup.Command, "_progress", note)
    run(tmp_path / "copy")
    assert set(seen) == {0o600}


def test_an_existing_file_is_replaced_only_when_asked_to(source, tmp_path):
    (tmp_path / "copy").write_text("precious")
    with pytest.raises(CommandError, match="copy exists; to replace it, add --overwrite"):
        run(tmp_path / "copy")
    assert (tmp_path / "copy").read_text() == "precious"
    run(tmp_path / "copy", "--overwrite")
    assert things(tmp_path / "copy") == 8000


def test_a_database_in_use_is_never_replaced(source, tmp_path):
    (tmp_path / "other").write_text("a database")
    (tmp_path / "other-wal").write_text("its log")
    with pytest.raises(CommandError, match="a database in use, as other-wal shows"):
        run(tmp_path / "other", "--overwrite")
    with pytest.raises(CommandError, match="is the database itself"):
        run(tmp_path / "live.sqlite3", "--overwrite")
    assert source.execute("SELECT count(*) FROM thing").fetchone()[0] == 8000


@pytest.mark.parametrize(
    ("destination", "words"),
    [(".", "is a folder; name the file to write"), ("nowhere/copy", "There is no folder .*nowhere")],
)
def test_a_destination_that_cannot_be_is_refused(source, tmp_path, destination, words):
    with pytest.raises(CommandError, match=words):
        run(tmp_path / destination)


def test_a_damaged_database_gives_no_backup(source, tmp_path):
    source.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with (tmp_path / "live.sqlite3").open("r+b") as file:
        file.seek(4096 * 20)
        file.write(b"\xff" * 4096)
    (tmp_path / "copy").write_text("the last good one")
    with pytest.raises(CommandError, match="damaged, no backup was written|The backup failed"):
        run(tmp_path / "copy", "--overwrite")
    assert leftovers(tmp_path) == ["copy"]
    assert (tmp_path / "copy").read_text() == "the last good one"


def test_a_reference_to_a_row_that_is_gone_gives_no_backup(source, tmp_path):
    source.execute("CREATE TABLE whole (id INTEGER PRIMARY KEY)")
    source.execute("CREATE TABLE piece (whole INTEGER REFERENCES whole (id))")
    source.execute("INSERT INTO piece VALUES (7)")
    with pytest.raises(CommandError, match="no backup was written: piece row 1 refers to nothing"):
        run(tmp_path / "copy")
    assert leftovers(tmp_path) == []


def test_a_failing_disk_leaves_nothing_behind(source, tmp_path, monkeypatch):
    def fail(path: Path) -> None:
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr(backup, "_synced", fail)
    with pytest.raises(CommandError, match="No space left on device. .*copy was not written"):
        run(tmp_path / "copy")
    assert leftovers(tmp_path) == []


def test_a_deployment_on_postgresql_is_told_the_command_and_no_password(tmp_path, monkeypatch):
    settings = {
        "NAME": "the models",
        "HOST": "db.example.org",
        "PORT": "5433",
        "USER": "me@home",
        "PASSWORD": "s3cret",
        "OPTIONS": {"sslmode": "require", "sslpassword": "s3cret"},
    }
    database = SimpleNamespace(vendor="postgresql", settings_dict=settings)
    monkeypatch.setattr(backup, "connection", database)
    with pytest.raises(CommandError) as refusal:
        run(tmp_path / "it's.dump")
    words = str(refusal.value)
    assert (
        "pg_dump --format=custom "
        f"""'--file={tmp_path}/it'"'"'s.dump' """
        "'postgresql://me%40home@db.example.org:5433/the%20models?sslmode=require'" in words
    )
    assert "s3cret" not in words
    assert leftovers(tmp_path) == []
