"""What every reading view shares: answers to GET and HEAD that skip the request wrapping of the framework."""

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from rest_framework.exceptions import APIException, NotFound
from rest_framework.viewsets import ViewSet

from references.api.errors import error_response
from references.categories import CATEGORIES
from references.problems import RequestInvalid, Unprocessable

READS = frozenset({"GET", "HEAD"})


class ReadViewSet(ViewSet):
    """A view set whose reads get Django's request and return Django's response.

    Reads are anonymous and answer stored bytes, so authentication, parsing and content negotiation would only
    cost time; writes of subclasses go the usual way.
    """

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        if request.method not in READS or "get" not in self.action_map:
            return super().dispatch(request, *args, **kwargs)
        try:
            return getattr(self, self.action_map["get"])(request, **kwargs)
        except APIException as error:
            return error_response(error)


def category_or_404(name: str) -> str:
    """A known category; the plain reads answer 404 for others."""
    if name not in CATEGORIES:
        raise category_not_found(name)
    return name


def category_not_found(name: str) -> NotFound:
    return NotFound(f"Model category '{name}' not found")


def category_or_422(name: str) -> str:
    """A known category; 422 with a problem at the path parameter for others."""
    if name not in CATEGORIES:
        raise RequestInvalid(
            [
                {
                    "type": "enum",
                    "loc": ["path", "model_category_name"],
                    "msg": f"Input should be {', '.join(map(repr, CATEGORIES))}",
                    "input": name,
                    "ctx": {"expected": ", ".join(map(repr, CATEGORIES))},
                }
            ]
        )
    return name


def category_or_unprocessable(name: str) -> str:
    """A known category; 422 with a sentence for others, as search and popularity answer."""
    if name not in CATEGORIES:
        raise Unprocessable(f"Unknown category '{name}'. Valid: [{', '.join(map(repr, CATEGORIES))}]")
    return name
