"""Whether anything was committed to the store since one last looked, told without asking the store.

SQLite in write-ahead mode shares a piece of memory between the processes that use a database: the file beside it
that ends in `-shm`. Its header is rewritten by every commit, and comparing it is how SQLite itself learns that its
cache is out of date (https://www.sqlite.org/walformat.html, "The WAL-Index Header"). Reading those bytes costs less
than a microsecond and keeps the interpreter's lock, which a query lets go.

A cursor that is left open keeps its thread's connection at the state it began to read: what is asked then is older
than the mark says, and would be remembered with it. So nothing may be asked while the thread has a cursor open; a
query is read to its end first, and `iterator()` is never gone through with such a question in between.
"""

import logging
import mmap
import os
import sqlite3
import sys
from collections.abc import Callable, Hashable
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar

from references.thread_store import thread_store

logger = logging.getLogger(__name__)

Answer = TypeVar("Answer")
# Which database, and its header: a database that was never written to has the same one as another.
Mark = tuple[str, bytes]

# The header is there twice: a writer renews the second copy first, so that copies which differ show a write halfway.
_COPY_BYTES = 48
_HEADER_BYTES = 2 * _COPY_BYTES
# The only format there has been: its number begins each copy, in the byte order of the machine.
_FORMAT = (3007000).to_bytes(4, sys.byteorder)


class _SharedHeader:
    """The header of a database's shared memory.

    The connection keeps the file in place: SQLite removes it once nobody has the database open. Neither it nor the
    descriptor is ever closed, since closing any descriptor of a file gives up all locks the process has on it,
    SQLite's too.
    """

    def __init__(self, database: str) -> None:
        self.database = database
        address = f"{Path(database).as_uri()}?mode=rw"
        self.connection = sqlite3.connect(address, uri=True, check_same_thread=False)
        (mode,) = self.connection.execute("PRAGMA journal_mode").fetchone()
        self.memory = self._memory(database) if mode == "wal" else b""

    def _memory(self, database: str) -> mmap.mmap:
        # The memory is there from the first read on.
        self.connection.execute("SELECT 1 FROM sqlite_schema").fetchone()
        self.descriptor = os.open(f"{database}-shm", os.O_RDONLY | os.O_CLOEXEC)
        return mmap.mmap(self.descriptor, _HEADER_BYTES, prot=mmap.PROT_READ)

    def read(self) -> Mark | None:
        header = self.memory[:_HEADER_BYTES]
        copy = header[:_COPY_BYTES]
        is_whole = copy == header[_COPY_BYTES:] and copy.startswith(_FORMAT)
        return (self.database, copy) if is_whole else None


# What was asked, by the subject of the question, with the mark from before it was asked.
_answers: dict[Hashable, tuple[Mark, Any]] = {}


def asked_once(subject: Hashable, ask: Callable[[], Answer]) -> Answer:
    """What `ask` reads from the store; it is called again only after a commit, or where nothing tells of those."""
    mark = commit_mark()
    if mark is None:
        return ask()
    known = _answers.get(subject)
    if known is None or known[0] != mark:
        known = _answers[subject] = mark, ask()
    return known[1]


def commit_mark() -> Mark | None:
    """Something that stays the same until the next commit of anyone, in any process.

    None where only the database can tell: inside a transaction, which sees writes of its own, on a database
    without such memory, and where the system refuses to read it. Raises django.db.DatabaseError.
    """
    store = thread_store()
    if store.vendor != "sqlite" or store.in_atomic_block:
        return None
    key = store.settings_dict["NAME"], os.getpid()
    if key not in _headers:
        try:
            with store.wrap_database_errors:
                _header_open(*key)
        except OSError as error:
            logger.warning("the header of the store's memory cannot be read: %s", error)
            return None
    header = _headers[key]
    return header.read() if header else None


# By process too: one that was forked off shares the memory, but not the locks that keep it. None stands for a
# database held in memory.
_headers: dict[tuple[str, int], _SharedHeader | None] = {}
_headers_lock = Lock()


def _header_open(database: str, process: int) -> None:
    """Threads wait for each other: a second header would be dropped, and so close a descriptor of the file."""
    with _headers_lock:
        if (database, process) not in _headers:
            _headers[database, process] = _SharedHeader(database) if os.path.isfile(database) else None
