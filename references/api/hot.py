"""The hottest reads, answered before Django builds a request.

Whole categories, single records and answers that were given lately and still hold are bytes that are already there, so
most of their cost would be the request object, the middleware and the URL map. Whatever is not plainly one of these
reads goes on to Django, whose views answer the same documents with the same headers.
"""

import re
from collections.abc import Callable, Iterable
from functools import partial
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.db import DatabaseError

from references.api.known import Known, always, known_answer
from references.api.legacy import STEM_ALIASES, WHOLE_ALIASES
from references.api.recent import RecentAnswers
from references.api.responses import Answer, Headers, document_answer
from references.categories import CATEGORIES
from references.commit_mark import commit_mark
from references.documents import Document, record_document, snapshot

Application = Callable[[dict[str, Any], Callable], Iterable[bytes]]
# Finds the document to send; None where there is none.
Read = Callable[[], Document | None]
# As in the URL map: slashes belong to the name, a line break to no path.
RECORD_PATH = re.compile(r"(?:/api)?/model_references/v2/(?P<category>[^/]+)/model/(?P<name>.+)")
# The API is there twice.
PREFIXES = ("/api", "")
# What reading the path, reading the store and rendering what it holds can end in.
FAILURES = (DatabaseError, RuntimeError, ValueError)
OWN_HEADERS = frozenset({"Vary", "X-Content-Type-Options"})
STATUS_LINES = {
    status: f"{status.value} {status.phrase}" for status in (HTTPStatus.OK, HTTPStatus.NOT_MODIFIED)
}


class HotReads:
    """A WSGI application around another one.

    `page_headers` tells what the middleware of that one adds to every answer, for a secure request or another;
    None where it would not answer at all, because it sends clients to the secure address first.
    """

    def __init__(
        self,
        application: Application,
        page_headers: Callable[[bool], dict[str, str] | None] = lambda is_secure: {},
    ) -> None:
        self.application = application
        self.routes = _routes()
        self.recent = RecentAnswers()
        self.page_headers = {is_secure: _added(page_headers(is_secure)) for is_secure in (True, False)}
        # The settings of a deployment stay as they are, and asking for one takes its time.
        self.varies_by_origin = bool(settings.CORS_ALLOW_ALL_ORIGINS or settings.CORS_ALLOWED_ORIGINS)
        self.secure_header = settings.SECURE_PROXY_SSL_HEADER

    def __call__(self, environ: dict[str, Any], start_response: Callable) -> Iterable[bytes]:
        answer = self._answer(environ)
        if answer is None:
            return self.application(environ, start_response)
        start_response(STATUS_LINES[answer.status], answer.headers)
        return [answer.body]

    def _answer(self, environ: dict[str, Any]) -> Answer | None:
        """None where Django has more to say: errors, cross-origin headers, parameters."""
        if environ["REQUEST_METHOD"] != "GET" or "HTTP_ORIGIN" in environ:
            return None
        added = self.page_headers[self._is_secure(environ)]
        if added is None:
            return None
        try:
            document = self.recent.get(environ) or self._looked_up(environ)
            if document is None:
                return None
            return document_answer(document, environ, varies_by_origin=self.varies_by_origin, added=added)
        except FAILURES:
            # Django begins with a new connection where this one broke. What fails then too, its view reports.
            return None

    def _looked_up(self, environ: dict[str, Any]) -> Document | None:
        mark = commit_mark()
        known = self._known(environ)
        if known is None:
            return None
        self.recent.put(environ, known, mark)
        return known.document

    def _known(self, environ: dict[str, Any]) -> Known | None:
        path = environ["PATH_INFO"]
        read = None if environ.get("QUERY_STRING") else self.routes.get(path) or _record_read(path)
        return _current(read()) if read else known_answer(environ)

    def _is_secure(self, environ: dict[str, Any]) -> bool:
        """As Django tells it: by the server, or by the header that a trusted proxy sets."""
        if self.secure_header:
            name, value = self.secure_header
            if name in environ:
                return environ[name].split(",", 1)[0].strip() == value
        return environ.get("wsgi.url_scheme") == "https"


def _current(document: Document | None) -> Known | None:
    """What a category or a record holds now. It changes with a commit, and with nothing else."""
    return None if document is None else Known(document, holds=always, stands=always)


def _added(page_headers: dict[str, str] | None) -> Headers | None:
    if page_headers is None:
        return None
    return tuple(item for item in page_headers.items() if item[0] not in OWN_HEADERS)


def _record_read(path: str) -> Read | None:
    """For the path of one record. Its bytes reach us as Latin-1; those that are no UTF-8 raise a ValueError."""
    found = RECORD_PATH.fullmatch(path)
    if found is None or found["category"] not in CATEGORIES or path.endswith("/"):
        return None
    return partial(record_document, found["category"], found["name"].encode("latin-1").decode())


def _routes() -> dict[str, Read]:
    """What is read at each spelling of the path of a whole category."""
    routes = {f"v2/{name}": partial(_v2, name) for name in CATEGORIES}
    with_legacy = [spec.name for spec in CATEGORIES.values() if spec.has_legacy_form]
    spellings = {name: name for name in with_legacy} | STEM_ALIASES
    for spelling, name in spellings.items():
        routes[f"v1/{spelling}"] = routes[f"v1/{spelling}.json"] = partial(_v1, name)
    routes |= {f"v1/{spelling}": partial(_v1, name) for spelling, name in WHOLE_ALIASES.items()}
    return {f"{prefix}/model_references/{path}": read for path, read in routes.items() for prefix in PREFIXES}


def _v2(category: str) -> Document | None:
    held = snapshot(category)
    return held.v2 if held.rows else None


def _v1(category: str) -> Document | None:
    held = snapshot(category)
    return held.v1 if held.rows else None
