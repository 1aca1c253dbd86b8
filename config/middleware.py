"""What every request passes before a view: cross-origin rules and the one spelling of a path."""

from collections.abc import Callable
from http import HTTPStatus

from corsheaders.middleware import (
    ACCESS_CONTROL_ALLOW_HEADERS,
    ACCESS_CONTROL_ALLOW_ORIGIN,
    CorsMiddleware,
)
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.middleware.csrf import CsrfViewMiddleware
from django.middleware.security import SecurityMiddleware
from django.urls import is_valid_path

GetResponse = Callable[[HttpRequest], HttpResponse]


class CrossOriginMiddleware(CorsMiddleware):
    """django-cors-headers with the contract's preflight.

    A preflight from an origin that is not listed is refused with 400 instead of answered without headers, and
    one from a listed origin may ask for any request header.
    """

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not (settings.CORS_ALLOW_ALL_ORIGINS or settings.CORS_ALLOWED_ORIGINS):
            # No header can follow, so answers need no `Vary: Origin` either.
            return _refusal() if is_preflight(request) else self.get_response(request)
        response = super().__call__(request)
        if not is_preflight(request):
            return response
        if ACCESS_CONTROL_ALLOW_ORIGIN not in response.headers:
            return _refusal()
        if wanted := request.headers.get("Access-Control-Request-Headers"):
            response.headers[ACCESS_CONTROL_ALLOW_HEADERS] = wanted
        return response


def _refusal() -> HttpResponse:
    return HttpResponse("Disallowed CORS origin", status=HTTPStatus.BAD_REQUEST, content_type="text/plain")


def is_preflight(request: HttpRequest) -> bool:
    return request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers


class PageCsrfMiddleware(CsrfViewMiddleware):
    """Django's protection of forms, for pages. The API takes no cookies, and its answers set none."""

    def process_request(self, request: HttpRequest) -> None:
        if not is_api(request):
            super().process_request(request)

    def process_view(
        self, request: HttpRequest, callback: Callable, callback_args: tuple, callback_kwargs: dict
    ) -> HttpResponse | None:
        if is_api(request):
            return None
        return super().process_view(request, callback, callback_args, callback_kwargs)

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        # The page that tries the API out asks for a token, which nothing there takes.
        return response if is_api(request) else super().process_response(request, response)


def is_api(request: HttpRequest) -> bool:
    return request.path_info.startswith(("/api/", "/model_references/"))


def page_headers(is_secure: bool) -> dict[str, str] | None:
    """What the middleware adds to every answer; None where it would redirect to the secure address."""
    request = HttpRequest()
    request.method = "GET"
    request.META = {"SERVER_NAME": "localhost", "SERVER_PORT": "443" if is_secure else "80"}
    request.path = request.path_info = "/"
    request._get_scheme = lambda: "https" if is_secure else "http"
    # Which names the service has is for requests that were sent.
    request.get_host = lambda: request.META["SERVER_NAME"]

    def answer(request: HttpRequest) -> HttpResponse:
        return HttpResponse(headers={"Content-Type": "-"})

    response = CrossOriginMiddleware(SecurityMiddleware(XFrameOptionsMiddleware(answer)))(request)
    if response.status_code != HTTPStatus.OK:
        return None
    return {name: value for name, value in response.headers.items() if name != "Content-Type"}


class TrailingSlashMiddleware:
    """Sends a path with one extra slash at its end to the path without, keeping method, body and query."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        path = request.path_info
        if path.endswith("/") and not path.startswith("/admin/") and path not in ("/", "/api/"):
            bare = path[:-1]
            if not bare.endswith("/") and is_valid_path(bare):
                return self._redirect(request)
        return self.get_response(request)

    @staticmethod
    def _redirect(request: HttpRequest) -> HttpResponse:
        path, mark, query = request.get_full_path().partition("?")
        response = HttpResponse(status=HTTPStatus.TEMPORARY_REDIRECT)
        response.headers["Location"] = path.removesuffix("/") + mark + query
        return response
