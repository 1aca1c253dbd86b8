"""HTTP requests that end in time, however slowly the other side sends.

The timeout of a request holds for each wait of its socket, so an answer that comes a byte at a time never ends.
"""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection

CHUNK_BYTES = 256 * 1024


class AnswerTooSlow(Exception):
    """Not all of the answer had come in time."""


class AnswerTooLarge(Exception):
    """The body has more bytes than it may have."""


class Deadline:
    """When a request of this thread must be over. Then its connection is cut."""

    def __init__(self, seconds: float) -> None:
        self._at = time.monotonic() + seconds
        self.connection: HTTPConnection | None = None

    @property
    def is_past(self) -> bool:
        return time.monotonic() >= self._at

    def cut(self) -> None:
        sock = getattr(self.connection, "sock", None)
        if isinstance(sock, socket.socket):
            # Whoever reads meets the end. As a plain socket: TLS may be in the midst of a read.
            with suppress(OSError):
                socket.socket.shutdown(sock, socket.SHUT_RDWR)


_local = threading.local()


@contextmanager
def deadline(seconds: float) -> Iterator[Deadline]:
    """Holds for requests that this thread makes meanwhile, one after the other, by a `bounded_session`."""
    kept = _local.deadline = Deadline(seconds)
    timer = threading.Timer(seconds, kept.cut)
    timer.daemon = True
    timer.start()
    try:
        yield kept
    finally:
        timer.cancel()
        _local.deadline = None


def bounded_session() -> requests.Session:
    """A session that keeps deadlines. It takes no cookies: they would carry something of one call into the next."""
    session = requests.Session()
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    for scheme in ("http://", "https://"):
        session.mount(scheme, _Adapter())
    return session


def body_read(response: requests.Response, *, limit: int, until: Deadline) -> bytes:
    """The decoded body; raises AnswerTooLarge beyond `limit` bytes, and AnswerTooSlow.

    `read1` hands over what has arrived, where `read` would wait for a full chunk.
    """
    parts: list[bytes] = []
    size = 0
    while part := response.raw.read1(CHUNK_BYTES, decode_content=True):
        parts.append(part)
        size += len(part)
        if size > limit:
            raise AnswerTooLarge(f"more than {limit} bytes")
        if until.is_past:
            break
    # A connection that was cut may look like the end of the answer.
    if until.is_past:
        raise AnswerTooSlow("the answer came too slowly")
    return b"".join(parts)


class _Noted:
    """Tells the deadline of the thread which connection is at work."""

    def connect(self) -> None:
        self._note()
        super().connect()

    def request(self, *arguments: Any, **options: Any) -> None:
        self._note()
        super().request(*arguments, **options)

    def _note(self) -> None:
        if kept := getattr(_local, "deadline", None):
            kept.connection = self


class _Connection(_Noted, HTTPConnection):
    pass


class _SecureConnection(_Noted, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, **options)
        _pools_bound(self.poolmanager)

    def proxy_manager_for(self, *arguments: Any, **options: Any) -> PoolManager:
        return _pools_bound(super().proxy_manager_for(*arguments, **options))


def _pools_bound(manager: PoolManager) -> PoolManager:
    manager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}
    return manager
