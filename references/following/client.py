"""GET requests to the PRIMARY that end in bounded time, and the ways they can fail.

Errors name the path and what came of it, never the address or a header: either may hold a secret.
"""

import json
import random
import re
import time
from collections.abc import Callable, Iterator
from email.utils import parsedate_to_datetime
from functools import partial
from http import HTTPStatus
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import requests
import urllib3
from django.conf import settings

from references.deadlines import AnswerTooLarge, AnswerTooSlow, body_read, bounded_session, deadline
from references.legacy import SourceError
from references.legacy.values import refuse_constant
from references.pauses import retried

ATTEMPTS = 3
BODY_LIMIT = 128 * 1024 * 1024
# How the pauses between attempts relate to the pause after a failed round, which settings give.
PAUSE_SHARE = 10
TAG_LENGTH = 200
_REVISION = re.compile(r"\d{1,15}", re.ASCII)


class PrimaryError(SourceError):
    """The PRIMARY gave nothing usable."""


class PrimaryBusy(PrimaryError):
    """The same, where asking again may help: status 429 or 5xx."""


class PrimaryUnreachable(PrimaryBusy):
    """No connection, no answer in time, or an answer that was cut: other paths will fare no better."""


class Reply(NamedTuple):
    """An answer of status 200, 304 or 404. `revision` and `last_modified` (UNIX seconds) are None if not told."""

    status: int
    body: bytes
    tag: str
    revision: int | None
    last_modified: int | None

    @property
    def is_unmoved(self) -> bool:
        return self.status == HTTPStatus.NOT_MODIFIED

    @property
    def is_missing(self) -> bool:
        return self.status == HTTPStatus.NOT_FOUND


def primary_name() -> str:
    """The address of the PRIMARY as it may be shown and logged: without user, password and query."""
    parts = urlsplit(settings.PRIMARY_API_URL)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}".rstrip("/")


class PrimaryClient:
    """One connection to the PRIMARY, for requests below `root`; before each, `before_call` is called."""

    def __init__(
        self, root: str, *, timeout: float, before_call: Callable[[], object] = lambda: None
    ) -> None:
        self._root = root
        self._timeout = timeout
        # By how many seconds the other clock was ahead of ours at its last answer; it tells no fractions.
        self.clock_ahead = 0
        self._session = bounded_session()
        self._before_call = before_call

    def close(self) -> None:
        self._session.close()

    def get(self, path: str, *, tag: str = "", attempts: int = ATTEMPTS) -> Reply:
        """The answer at `path`; raises PrimaryError.

        With `tag`, the answer to the question whether there is anything but what has this entity tag.
        """
        self._before_call()
        attempt = partial(self._attempt, path, tag)
        return retried(attempt, passing=PrimaryBusy, pauses=_pauses(attempts))

    def get_json(self, path: str, *, attempts: int = ATTEMPTS) -> Any:
        """What is at `path`; None where there is no such thing."""
        reply = self.get(path, attempts=attempts)
        return None if reply.is_missing else json_read(reply.body, path)

    def _attempt(self, path: str, tag: str) -> Reply:
        # A cache on the way is to ask the PRIMARY, not to answer by itself.
        headers = {"Cache-Control": "no-cache"} | ({"If-None-Match": tag} if tag else {})
        try:
            with (
                deadline(self._timeout) as until,
                self._session.get(
                    f"{self._root}/{path}",
                    headers=headers,
                    timeout=self._timeout,
                    allow_redirects=False,
                    stream=True,
                ) as response,
            ):
                if (date := _seconds(response.headers.get("Date", ""))) is not None:
                    self.clock_ahead = date - int(time.time())
                _status_check(response, path, tag)
                return _reply(response, body_read(response, limit=BODY_LIMIT, until=until))
        except AnswerTooLarge:
            raise PrimaryError(f"{path}: the answer has more than {BODY_LIMIT} bytes") from None
        except AnswerTooSlow as error:
            raise PrimaryUnreachable(f"{path}: {error}") from None
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            raise PrimaryUnreachable(f"{path}: {type(error).__name__}") from None


def json_read(body: bytes, path: str) -> Any:
    """The JSON in an answer; PrimaryError for anything else."""
    try:
        return json.loads(body.decode(), parse_constant=refuse_constant)
    except (ValueError, RecursionError):
        raise PrimaryError(f"{path}: the answer is not JSON") from None


def _pauses(attempts: int) -> Iterator[float]:
    longest = settings.PRIMARY_API_BACKOFF_SECONDS
    shortest = longest / PAUSE_SHARE
    for turn in range(1, attempts):
        yield random.uniform(shortest, min(longest, shortest * 2**turn))  # noqa: S311


def _status_check(response: requests.Response, path: str, tag: str) -> None:
    status = response.status_code
    if status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise PrimaryBusy(f"{path}: status {status}")
    if response.is_redirect:
        raise PrimaryError(f"{path}: status {status}, a redirect, which is not followed")
    expected = {HTTPStatus.OK, HTTPStatus.NOT_FOUND} | ({HTTPStatus.NOT_MODIFIED} if tag else set())
    if status not in expected:
        raise PrimaryError(f"{path}: status {status}")


def _reply(response: requests.Response, body: bytes) -> Reply:
    headers = response.headers
    tag = headers.get("ETag", "")
    revision = headers.get("X-Model-Reference-Revision", "")
    return Reply(
        response.status_code,
        body,
        tag if len(tag) <= TAG_LENGTH else "",
        int(revision) if _REVISION.fullmatch(revision) else None,
        _seconds(headers.get("Last-Modified", "")),
    )


def _seconds(date: str) -> int | None:
    try:
        return int(parsedate_to_datetime(date).timestamp())
    except (ValueError, OverflowError):
        return None
