"""How large the head of a request may be, how late its body, and how many may write at once."""

import time
from collections.abc import Callable
from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from config.body_waits import BodiesBusy, BodyCutOff, BodyRefused
from config.errors import failure
from config.places import NoPlace, Places
from references.api.bodies import CUT_OFF
from references.api.errors import detail_response

# Characters of all headers together.
HEAD_LIMIT = 32 * 1024
# Seconds after which it is worth while to send a request again that nobody had time for.
RETRY_AFTER = 5
# Seconds that a write which finds no place waits for one: those that come at once are done by then, one by one.
WRITE_MOMENT = 2.0
SAFE_METHODS = {"GET", "HEAD", "OPTIONS", "TRACE"}

GetResponse = Callable[[HttpRequest], HttpResponse]


class HeadLimitMiddleware:
    """Refuses requests with heads that no client of ours sends.

    The server itself ends heads of more than 400 kB or 100 headers, and addresses of more than 64 kB.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        head = sum(len(name) + len(value) for name, value in request.META.items() if name.startswith("HTTP_"))
        if head > HEAD_LIMIT:
            return detail_response(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "Request headers too large.")
        return self.get_response(request)


class BodyLimitMiddleware:
    """Tells clients whose bodies do not come that nobody waits for them any longer, whatever their view made of it."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        return _refusal_response(request) or response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """For views that do not catch it: what clients do is no error to log."""
        return _refusal_response(request)


class WriteLimitMiddleware:
    """Refuses writes while enough of them take long, as behind an import: there is always a thread for reads."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        self._places = Places(settings.WRITE_PLACES, moment=WRITE_MOMENT)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method in SAFE_METHODS:
            return self.get_response(request)
        began = time.monotonic()
        try:
            self._places.take(began)
        except NoPlace:
            response = failure(request, HTTPStatus.SERVICE_UNAVAILABLE, "Too many writes are under way.")
            response.headers["Retry-After"] = str(RETRY_AFTER)
            # Its body was not read, and would be taken for the next request.
            response.headers["Connection"] = "close"
            return response
        try:
            return self.get_response(request)
        finally:
            self._places.leave(began)


def _refusal_response(request: HttpRequest) -> HttpResponse | None:
    refusal: BodyRefused | None = getattr(request.META.get("wsgi.input"), "refusal", None)
    if refusal is None:
        return None
    if isinstance(refusal, BodiesBusy):
        response = detail_response(HTTPStatus.SERVICE_UNAVAILABLE, "Too many request bodies are awaited.")
        response.headers["Retry-After"] = str(RETRY_AFTER)
    elif isinstance(refusal, BodyCutOff):
        response = detail_response(HTTPStatus.BAD_REQUEST, CUT_OFF)
    else:
        response = detail_response(HTTPStatus.REQUEST_TIMEOUT, "The request body took too long.")
    # The rest of the body may still come, and would be taken for the next request.
    response.headers["Connection"] = "close"
    return response
