"""The pages at the root, before the API, as the service mounts them."""

from functools import partial
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.urls import include, path

from config import errors
from config.urls import urlpatterns as service
from references.pages.errors import failure_page, server_error_page, wants_page

urlpatterns = [path("", include("references.pages.urls")), *service]


def _page_or(handler: object, status: HTTPStatus, request: HttpRequest, exception: Exception) -> HttpResponse:
    return failure_page(request, status) if wants_page(request) else handler(request, exception)


handler400 = partial(_page_or, errors.bad_request, HTTPStatus.BAD_REQUEST)
handler403 = partial(_page_or, errors.permission_denied, HTTPStatus.FORBIDDEN)
handler404 = partial(_page_or, errors.not_found, HTTPStatus.NOT_FOUND)


def handler500(request: HttpRequest) -> HttpResponse:
    return server_error_page() if wants_page(request) else errors.server_error(request)
