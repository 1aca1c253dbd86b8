"""The hottest reads, answered before Django builds a request.

A whole category is bytes that are already there, so most of its cost would be the request object, the middleware
and the URL map. What this layer does not know by its exact path goes on to Django, whose views answer the same
documents with the same headers.
"""

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

from django.db import DatabaseError, close_old_connections

from references.api.legacy import STEM_ALIASES, WHOLE_ALIASES
from references.api.responses import document_answer
from references.categories import CATEGORIES
from references.documents import Document, Snapshot, snapshot

Application = Callable[[dict[str, Any], Callable], Iterable[bytes]]
STATUS_LINES = {status: f"{status.value} {status.phrase}" for status in (HTTPStatus.OK, HTTPStatus.NOT_MODIFIED)}


class HotReads:
    """A WSGI application around another one."""

    def __init__(self, application: Application) -> None:
        self.application = application
        self.routes = _routes()

    def __call__(self, environ: dict[str, Any], start_response: Callable) -> Iterable[bytes]:
        document = self._document(environ)
        if document is None:
            return self.application(environ, start_response)
        answer = document_answer(document, environ)
        start_response(STATUS_LINES[answer.status], answer.headers)
        return [answer.body]

    def _document(self, environ: dict[str, Any]) -> Document | None:
        """The document asked for; None where Django has more to say: errors, cross-origin headers, parameters."""
        route = self.routes.get(environ["PATH_INFO"])
        if (
            route is None
            or environ["REQUEST_METHOD"] != "GET"
            or environ.get("QUERY_STRING")
            or "HTTP_ORIGIN" in environ
        ):
            return None
        category, view = route
        close_old_connections()
        try:
            held = snapshot(category)
        except DatabaseError:
            # Django's view meets the same failure, and reports it.
            return None
        return view(held) if held.rows else None


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
    return {f"{prefix}/model_references/{path}": route for path, route in routes.items() for prefix in ("/api", "")}
