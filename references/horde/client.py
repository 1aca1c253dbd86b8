"""GET requests to the AI-Horde that end in bounded time, and the ways they can fail."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Generic, NamedTuple, TypeVar

import requests
import urllib3
from django.conf import settings
from django.db import DatabaseError, connections

from references.deadlines import AnswerTooLarge, AnswerTooSlow, body_read, bounded_session, deadline

logger = logging.getLogger(__name__)

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


# One session a process, for its connections.
_session = bounded_session()


def horde_get(path: str, *, timeout: float, limit: int, headers: Mapping[str, str] | None = None) -> Answer:
    """One attempt at `path` (below `v2/`, with its query), for a body of at most `limit` bytes.

    Errors name no more than their class: the text of the library's own may repeat headers.
    """
    url = f"{settings.HORDE_URL}v2/{path}"
    with deadline(timeout) as until:
        try:
            with _session.get(
                url, headers=headers, timeout=timeout, allow_redirects=False, stream=True
            ) as response:
                answer = Answer(response.status_code, body_read(response, limit=limit, until=until))
        except AnswerTooLarge as error:
            raise HordeBadAnswer(str(error)) from None
        except (AnswerTooSlow, requests.Timeout, urllib3.exceptions.TimeoutError) as error:
            raise HordeTimeout(type(error).__name__) from None
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            failure = HordeTimeout if until.is_past else HordeUnavailable
            raise failure(type(error).__name__) from None
    if answer.status == HTTPStatus.TOO_MANY_REQUESTS or answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise HordeUnavailable(f"status {answer.status}")
    return answer


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
