"""Pages for people who went astray, or whom the service failed."""

import re
from functools import wraps
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string

from references.pages.security import View, secured

# The API answers below these paths, whoever asks; all but the first are for clients that know no prefix.
_MACHINE_PATHS = re.compile(r"/(?:api|model_references|heartbeat|replicate_mode|openapi\.json)(?:/|\Z)")
HTML = "text/html"


def wants_page(request: HttpRequest) -> bool:
    """Whether the request comes from a browser that looks at pages, and not from a client of the API."""
    names_html = HTML in request.headers.get("Accept", "")
    return names_html and not _MACHINE_PATHS.match(request.path) and request.accepts(HTML)


def failure_page(request: HttpRequest, status: HTTPStatus) -> HttpResponse:
    """The page for a request that cannot be answered: not found, not allowed, not understood.

    Where a model is not found, its name is offered for a search.
    """
    found = request.resolver_match
    sought = found.kwargs.get("name", "") if found and status == HTTPStatus.NOT_FOUND else ""
    response = render(request, "catalogue/failure.html", {"status": status, "sought": sought}, status=status)
    response.headers["Cache-Control"] = "no-store"
    return secured(response)


def posts_only(view: View) -> View:
    """Makes a view take nothing but what forms send. Whoever comes to its address otherwise is told so."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        if request.method == "POST":
            return view(request, *args, **kwargs)
        response = failure_page(request, HTTPStatus.METHOD_NOT_ALLOWED)
        response.headers["Allow"] = "POST"
        return response

    return guarded


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """For `CSRF_FAILURE_VIEW`."""
    return failure_page(request, HTTPStatus.FORBIDDEN)


def server_error_page(status: HTTPStatus) -> HttpResponse:
    """The page for a request that failed, or whose store did (503).

    It is rendered without the request: nothing may fail once more.
    """
    response = HttpResponse(
        render_to_string("catalogue/server_error.html", {"status": status}), status=status
    )
    response.headers["Cache-Control"] = "no-store"
    return secured(response)
