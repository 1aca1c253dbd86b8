import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from types import SimpleNamespace
from unittest.mock import Mock

import pytest
from django.db import DatabaseError
from django.db.utils import DatabaseErrorWrapper
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from references import commit_mark as module
from references.commit_mark import commit_mark

CHECKPOINTS = ("PASSIVE", "FULL", "RESTART", "TRUNCATE")


def opened(path: Path, mode: str = "wal") -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute(f"PRAGMA journal_mode={mode}")
    connection.execute("CREATE TABLE IF NOT EXISTS number (value INTEGER)")
    return connection


@pytest.fixture
def store(monkeypatch):
    """What the module believes to be Django's connection."""
    errors = DatabaseErrorWrapper(SimpleNamespace(Database=sqlite3.dbapi2, errors_occurred=False))
    store = SimpleNamespace(
        vendor="sqlite",
        in_atomic_block=False,
        settings_dict={"NAME": ":memory:"},
        wrap_database_errors=errors,
    )
    monkeypatch.setattr(module, "thread_store", lambda: store)
    return store


@pytest.fixture
def path(store, tmp_path):
    path = tmp_path / "store.sqlite3"
    store.settings_dict["NAME"] = str(path)
    return path


def test_the_mark_stays_while_nobody_commits_and_moves_with_every_commit(path):
    writer = opened(path)
    seen = [commit_mark()]
    for value in range(50):
        assert commit_mark() == seen[-1]
        writer.execute("SELECT count(*) FROM number").fetchone()
        assert commit_mark() == seen[-1]
        writer.execute("INSERT INTO number VALUES (?)", (value,))
        seen.append(commit_mark())
    assert None not in seen
    assert len(set(seen)) == 51


def test_what_is_not_committed_leaves_the_mark(path):
    writer = opened(path)
    before = commit_mark()
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("INSERT INTO number VALUES (1)")
    assert commit_mark() == before
    writer.execute("ROLLBACK")
    assert commit_mark() == before


def test_a_commit_of_another_process_moves_the_mark(path):
    opened(path).close()
    before = commit_mark()
    insert = (
        "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('INSERT INTO number VALUES (1)'); "
    )
    insert += "c.commit()"
    subprocess.run([sys.executable, "-c", insert, str(path)], check=True)
    after = commit_mark()
    assert before is not None
    assert after not in (None, before)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.sampled_from(["write", "reopen", *CHECKPOINTS]), max_size=25))
def test_no_mark_stands_for_two_contents_whatever_happens_to_the_log(store, tmp_path_factory, steps):
    path = tmp_path_factory.mktemp("store") / "store.sqlite3"
    store.settings_dict["NAME"] = str(path)
    writer, content = opened(path), 0
    contents = {commit_mark(): content}
    for step in steps:
        if step == "write":
            content += 1
            writer.execute("INSERT INTO number VALUES (?)", (content,))
        elif step == "reopen":
            writer.close()
            writer = opened(path)
        else:
            writer.execute(f"PRAGMA wal_checkpoint({step})")
        assert contents.setdefault(commit_mark(), content) == content
    writer.close()


def test_the_memory_outlives_the_last_other_connection(path):
    """SQLite removes the file with its last connection, and a new one would go unseen."""
    opened(path).close()
    before = commit_mark()
    opened(path).close()
    writer = opened(path)
    writer.execute("INSERT INTO number VALUES (1)")
    assert commit_mark() != before


def test_threads_that_begin_at_once_share_one_header(path, monkeypatch):
    """A second one would be dropped: with its descriptor, SQLite would lose every lock the process has."""
    opened(path)
    made = []
    whole = module._SharedHeader

    def make(database):
        made.append(database)
        # The others get their turn, were they to need one.
        all_asked.wait(0.2)
        return whole(database)

    monkeypatch.setattr(module, "_SharedHeader", make)
    all_asked = Event()
    with ThreadPoolExecutor(4) as threads:
        marks = list(threads.map(lambda _: commit_mark(), range(4)))
    assert made == [str(path)]
    assert len(set(marks)) == 1
    assert marks[0] is not None


def test_inside_a_transaction_there_is_no_mark(path, store):
    opened(path)
    store.in_atomic_block = True
    assert commit_mark() is None


def test_a_database_without_shared_memory_has_no_mark(path, store):
    held = opened(path, mode="delete")
    assert commit_mark() is None
    held.close()
    store.settings_dict["NAME"] = "file:memorydb_default?mode=memory&cache=shared"
    assert commit_mark() is None
    store.vendor = "postgresql"
    assert commit_mark() is None


def test_a_header_halfway_written_or_of_an_unknown_format_is_no_mark(path):
    opened(path)
    assert commit_mark() is not None
    header = module._headers[str(path), module.os.getpid()]
    whole = bytes(header.memory[:96])
    header.memory = whole[:47] + b"\xff" + whole[48:]
    assert commit_mark() is None
    header.memory = b"\xff" * 96
    assert commit_mark() is None


def test_a_file_that_is_no_database_is_an_error_of_the_database(path):
    path.write_bytes(b"no database at all" * 100)
    with pytest.raises(DatabaseError, match="not a database"):
        commit_mark()


def test_where_the_system_refuses_the_memory_there_is_no_mark_until_it_does_not(path, monkeypatch, caplog):
    opened(path)
    with monkeypatch.context() as refusing:
        refusing.setattr(module.mmap, "mmap", Mock(side_effect=OSError(24, "Too many open files")))
        assert commit_mark() is None
    assert "Too many open files" in caplog.text
    assert commit_mark() is not None
