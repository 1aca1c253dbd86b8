"""The hottest reads, answered before Django builds a request.

A whole category is bytes that are already there, so most of its cost would be the request object, the middleware
and the URL map. What this layer does not know by its exact path goes on to Django, whose views answer the same
documents with the same headers.
"""

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.db import DatabaseError, close_old_connections

from references.api.legacy import STEM_ALIASES, WHOLE_ALIASES
from references.api.responses import Answer, document_answer
from references.categories import CATEGORIES
from references.documents import Document, Snapshot, snapshot

Application = Callable[[dict[str, Any], Callable], Iterable[bytes]]
# What reading the store and rendering what it holds can end in.
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
        self.page_headers = {is_secure: page_headers(is_secure) for is_secure in (True, False)}

    def __call__(self, environ: dict[str, Any], start_response: Callable) -> Iterable[bytes]:
        try:
            answer = self._answer(environ)
        except FAILURES:
            # Django's view meets the same failure, reports it and answers.
            answer = None
        if answer is None:
            return self.application(environ, start_response)
        start_response(STATUS_LINES[answer.status], answer.headers)
        return [answer.body]

    def _answer(self, environ: dict[str, Any]) -> Answer | None:
        """None where Django has more to say: errors, cross-origin headers, parameters."""
        route = self.routes.get(environ["PATH_INFO"])
        if (
            route is None
            or environ["REQUEST_METHOD"] != "GET"
            or environ.get("QUERY_STRING")
            or "HTTP_ORIGIN" in environ
        ):
            return None
        page_headers = self.page_headers[_is_secure(environ)]
        if page_headers is None:
            return None
        category, view = route
        close_old_connections()
        held = snapshot(category)
        if not held.rows:
            return None
        answer = document_answer(view(held), environ, varies_by_origin=_varies_by_origin())
        answer.headers.extend(item for item in page_headers.items() if item[0] not in OWN_HEADERS)
        return answer


def _varies_by_origin() -> bool:
    return bool(settings.CORS_ALLOW_ALL_ORIGINS or settings.CORS_ALLOWED_ORIGINS)


def _is_secure(environ: dict[str, Any]) -> bool:
    """As Django tells it: by the server, or by the header that a trusted proxy sets."""
    if settings.SECURE_PROXY_SSL_HEADER:
        name, value = settings.SECURE_PROXY_SSL_HEADER
        if name in environ:
            return environ[name].split(",", 1)[0].strip() == value
    return environ.get("wsgi.url_scheme") == "https"


def _routes() -> dict[str, tuple[str, Callable[[Snapshot], Document]]]:
    def v2(held: Snapshot) -> Document:
        return held.v2

    def v1(held: Snapshot) -> Document:
        return held.v1

    routes = {f"v2/{name}": (name, v2) for name in CATEGORIES}
    with_legacy = [spec.name for spec in CATEGORIES.values() if spec.has_legacy_form]
    spellings = {name: name for name in with_legacy} | STEM_ALIASES
    for spelling, name in spellings.items():
        routes[f"v1/{spelling}"] = routes[f"v1/{spelling}.json"] = (name, v1)
    routes |= {f"v1/{spelling}": (name, v1) for spelling, name in WHOLE_ALIASES.items()}
    return {
        f"{prefix}/model_references/{path}": route
        for path, route in routes.items()
        for prefix in ("/api", "")
    }
