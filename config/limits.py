"""How large the head of a request may be."""

from collections.abc import Callable
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse

from references.api.errors import detail_response

# Characters of all headers together.
HEAD_LIMIT = 32 * 1024

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
