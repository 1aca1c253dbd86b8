"""GET requests to the AI-Horde that end in bounded time, and the ways they can fail."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.cookiejar import DefaultCookiePolicy
from typing import Generic, NamedTuple, TypeVar

import requests
import urllib3
from django.conf import settings
from django.db import DatabaseError, connections

logger = logging.getLogger(__name__)

CHUNK_BYTES = 64 * 1024
WAIT_FLOOR = 1.0
WAIT_CEILING = 15.0
RETRIES = urllib3.Retry(total=2, backoff_factor=0.5, backoff_jitter=0.5, backoff_max=WAIT_CEILING)

Result = TypeVar("Result")


class HordeError(Exception):
    """A call to the AI-Horde that brought nothing usable."""


class HordeTimeout(HordeError):
    """No answer, or not all of it, in the time given."""


class HordeUnavailable(HordeError):
    """No connection, a connection that was cut, 429 or 5xx."""


class HordeBadAnswer(HordeError):
    """An answer that asking again would not better: another status than 200, or the wrong content."""


class Answer(NamedTuple):
    status: int
    body: bytes


# One session a process, for its connections. Cookies would carry something of one call into the next.
_session = requests.Session()
_session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))


def horde_get(path: str, *, timeout: float, limit: int, headers: Mapping[str, str] | None = None) -> Answer:
    """One attempt at `path` (below `v2/`, with its query), for a body of at most `limit` bytes.

    Errors name no more than their class: the text of the library's own may repeat headers.
    """
    url = f"{settings.HORDE_URL}v2/{path}"
    deadline = time.monotonic() + timeout
    try:
        with _session.get(
            url, headers=headers, timeout=timeout, allow_redirects=False, stream=True
        ) as response:
            answer = Answer(response.status_code, _body(response, deadline, limit))
    except (requests.Timeout, urllib3.exceptions.TimeoutError) as error:
        raise HordeTimeout(type(error).__name__) from None
    except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
        raise HordeUnavailable(type(error).__name__) from None
    if answer.status == HTTPStatus.TOO_MANY_REQUESTS or answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise HordeUnavailable(f"status {answer.status}")
    return answer


def _body(response: requests.Response, deadline: float, limit: int) -> bytes:
    """The decoded body. `read1` hands over what has arrived, where `read` would wait for a full chunk."""
    parts: list[bytes] = []
    size = 0
    while part := response.raw.read1(CHUNK_BYTES, decode_content=True):
        parts.append(part)
        size += len(part)
        if size > limit:
            raise HordeBadAnswer(f"more than {limit} bytes")
        if time.monotonic() > deadline:
            raise HordeTimeout("the body came too slowly")
    return b"".join(parts)


def horde_get_with_retries(path: str, *, timeout: float, limit: int) -> bytes:
    """The body of a 200, in up to three attempts.

    The adapter of requests cannot be left to repeat calls: it is done before the body arrives, and would not
    notice that it was cut.
    """
    retries = RETRIES
    while True:
        try:
            answer = horde_get(path, timeout=timeout, limit=limit)
        except (HordeTimeout, HordeUnavailable) as failure:
            if not retries.total:
                raise
            retries = retries.increment("GET", path, error=failure)
            time.sleep(max(WAIT_FLOOR, retries.get_backoff_time()))
        else:
            if answer.status != HTTPStatus.OK:
                raise HordeBadAnswer(f"status {answer.status}")
            return answer.body


def longest_call(timeout: float) -> float:
    """Seconds after which a call with retries is surely over."""
    return (RETRIES.total + 1) * timeout + RETRIES.total * WAIT_CEILING


class BackgroundCall(threading.Thread, Generic[Result]):
    """A call in a thread of its own: those who need its outcome may stop waiting while it goes on."""

    def __init__(self, call: Callable[[], Result], *, name: str) -> None:
        super().__init__(name=name, daemon=True)
        self._call = call
        self._results: list[Result] = []
        self._error: HordeError = HordeUnavailable("the call broke off")

    def run(self) -> None:
        try:
            self.work()
        finally:
            connections.close_all()

    def work(self) -> None:
        try:
            self._results.append(self._call())
        except HordeError as error:
            self._error = error
        except DatabaseError:
            logger.exception("%s: the database failed", self.name)

    def outcome(self, *, wait: float) -> Result:
        """What the call returned or raised; HordeTimeout when it has done neither after `wait` seconds."""
        self.join(max(0.0, wait))
        if self.is_alive():
            raise HordeTimeout("no outcome yet")
        if self._results:
            return self._results[0]
        raise self._error.with_traceback(None)
