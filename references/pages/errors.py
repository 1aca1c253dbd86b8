"""Pages for people who went astray, or whom the service failed."""

import re
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string

from references.pages.security import secured

# The API answers below these paths, whoever asks; all but the first are for clients that know no prefix.
_MACHINE_PATHS = re.compile(r"/(?:api|model_references|heartbeat|replicate_mode|openapi\.json)(?:/|\Z)")
HTML = "text/html"


def wants_page(request: HttpRequest) -> bool:
    """Whether the request comes from a browser that looks at pages, and not from a client of the API."""
    names_html = HTML in request.headers.get("Accept", "")
    return names_html and not _MACHINE_PATHS.match(request.path) and request.accepts(HTML)


def failure_page(request: HttpRequest, status: HTTPStatus) -> HttpResponse:
    """The page for a request that cannot be answered: not found, not allowed, not understood."""
    response = render(request, "catalogue/failure.html", {"status": status}, status=status)
    response.headers["Cache-Control"] = "no-store"
    return secured(response)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """For `CSRF_FAILURE_VIEW`."""
    return failure_page(request, HTTPStatus.FORBIDDEN)


def server_error_page() -> HttpResponse:
    """The page for a request that failed. It is rendered without the request: nothing may fail once more."""
    response = HttpResponse(
        render_to_string("catalogue/server_error.html"), status=HTTPStatus.INTERNAL_SERVER_ERROR
    )
    response.headers["Cache-Control"] = "no-store"
    return secured(response)
