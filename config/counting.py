"""Counts requests and the time they take, by kind of request and status.

It stands around the whole application, so what is answered before Django counts too.
"""

import os
import re
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from time import perf_counter
from typing import Any

from prometheus_client import Histogram

Application = Callable[[dict[str, Any], Callable], Iterable[bytes]]

# Seconds. Stored bytes take less than the first, an answer that waits for the AI-Horde up to ten.
BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
# A kind has few names, whatever paths people make up: each pair of kind and status is a series of its own.
_API = re.compile(r"(?:/api)?/model_references/(?P<tree>[^/]+)(?:/(?P<first>[^/]*))?(?:/(?P<second>[^/]*))?")
_PARTS = {"model": "record", "search": "search", "popular": "statistics", "pending": "queue"}
_FIRSTS = {
    "pending_queue": "queue",
    "metadata": "metadata",
    "search": "search",
    "changes": "metadata",
    "me": "queue",
    "by-hash": "search",
}
_PLACES = {
    "admin": "admin",
    "static": "static",
    "metrics": "service",
    "heartbeat": "service",
    "api": "service",
}

SECONDS = Histogram(
    "horde_model_reference_http_request_seconds",
    "Seconds until an answer was there, by kind of request and status.",
    ("kind", "status"),
    buckets=BUCKETS,
)
OTHER = "other"


class Counted:
    """A WSGI application around another one."""

    def __init__(self, application: Application) -> None:
        self.application = application
        # The library finds a series by its labels under a lock; these are found without.
        self._series: dict[tuple[str, str], Histogram] = {}

    def __call__(self, environ: dict[str, Any], start_response: Callable) -> Iterable[bytes]:
        started = perf_counter()
        status = "500"

        def note(line: str, headers: list, exc_info: Any = None) -> Any:
            nonlocal status
            status = line[:3]
            return start_response(line, headers, exc_info) if exc_info else start_response(line, headers)

        try:
            return self.application(environ, note)
        finally:
            self._count((request_kind(environ["PATH_INFO"]), status), started)

    def _count(self, key: tuple[str, str], started: float) -> None:
        series = self._series.get(key)
        if series is None:
            series = self._series[key] = SECONDS.labels(*key)
        series.observe(perf_counter() - started)


def request_kind(path: str) -> str:
    found = _API.match(path)
    if found is None:
        place = path.removeprefix("/api/").strip("/").split("/", 1)[0]
        return _PLACES.get(place, "page")
    tree, first, second = found["tree"], found["first"] or "", found["second"]
    if tree == "statistics":
        return "statistics"
    if tree not in {"v1", "v2"}:
        return OTHER
    if first in _FIRSTS:
        return _FIRSTS[first]
    if second is None:
        return "category"
    if second in _PARTS:
        return _PARTS[second]
    return "text_utils" if first == "text_generation" else OTHER


def folder_prepare(folder: Path) -> None:
    """Makes the folder of this server's counts. Beside one named after a process, those of ended ones are removed."""
    folder.mkdir(parents=True, exist_ok=True)
    if not folder.name.isdecimal():
        # Where somebody chose the place, what has numbers for names there is not ours.
        return
    for other in folder.parent.iterdir():
        if other.name.isdecimal() and not _is_running(int(other.name)):
            shutil.rmtree(other, ignore_errors=True)


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
