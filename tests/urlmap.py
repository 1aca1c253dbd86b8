"""The URL map, walked: every route that the service answers, and which methods it may take."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib.admindocs.views import simplify_regex
from django.urls import URLPattern, URLResolver, get_resolver
from django.views.generic import RedirectView

API = "api/"
_CONVERTER = re.compile(r"<\w+:(\w+)>")
_BESIDE_THE_READS = {"HEAD", "OPTIONS"}


@dataclass(frozen=True, slots=True)
class Route:
    """`path` has no leading slash, its parameters are written `<name>`.

    `methods` are those a view declares; None for views that are functions, which say so only when they are asked.
    """

    path: str
    methods: frozenset[str] | None

    @property
    def is_api(self) -> bool:
        return self.path.startswith(API) or self.path == API.rstrip("/")

    @property
    def is_admin(self) -> bool:
        return self.path.startswith("admin/")


def url_map() -> list[Route]:
    """Every route once. The API is mounted at the root too, as the same views; those are left out."""
    resolver = get_resolver()
    [api] = [each for each in resolver.url_patterns if str(each.pattern) == API]
    methods: dict[str, frozenset[str] | None] = {}
    for each in resolver.url_patterns:
        if each is not api and getattr(each, "url_patterns", None) is api.url_patterns:
            continue
        for pattern, view in _leaves(each, ""):
            path = _CONVERTER.sub(r"<\1>", simplify_regex(pattern)).removeprefix("/")
            methods.setdefault(path, _methods(view))
    return [Route(path, methods[path]) for path in sorted(methods)]


def _leaves(each: URLPattern | URLResolver, prefix: str) -> Iterator[tuple[str, Any]]:
    route = prefix + str(each.pattern)
    if isinstance(each, URLPattern):
        yield route, each.callback
        return
    for below in each.url_patterns:
        yield from _leaves(below, route)


def _methods(view: Any) -> frozenset[str] | None:
    declared = getattr(view, "actions", None)
    view_class = getattr(view, "view_class", None)
    if view_class is RedirectView:
        return frozenset({"GET"})
    if declared is None and view_class:
        declared = [name for name in view_class.http_method_names if hasattr(view_class, name)]
    return None if declared is None else frozenset(map(str.upper, declared)) - _BESIDE_THE_READS
