"""Turns every failure of the API into the contract's envelope."""

from http import HTTPStatus

from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse
from rest_framework import exceptions
from rest_framework.response import Response

from references.api.errors import detail_response, error_detail
from references.pages.errors import failure_page, server_error_page, wants_page


class BodyTooLarge(exceptions.APIException):
    status_code = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    default_detail = "Request body too large."


def exception_handler(error: Exception, context: dict) -> Response | None:
    """The handler of the REST framework; None leaves an unexpected error to `server_error`."""
    if isinstance(error, Http404):
        error = exceptions.NotFound("Not Found")
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    elif isinstance(error, RequestDataTooBig):
        error = BodyTooLarge()
    if not isinstance(error, exceptions.APIException):
        return None
    headers = {"Cache-Control": "no-store"}
    if challenge := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    if retry_after := getattr(error, "retry_after", None):
        headers["Retry-After"] = str(retry_after)
    return Response({"detail": error_detail(error)}, status=error.status_code, headers=headers)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if isinstance(exception, RequestDataTooBig):
        return _failure(request, BodyTooLarge.status_code, BodyTooLarge.default_detail)
    return _failure(request, HTTPStatus.BAD_REQUEST, "Bad Request")


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _failure(request, HTTPStatus.FORBIDDEN, "Forbidden")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _failure(request, HTTPStatus.NOT_FOUND, "Not Found")


def server_error(request: HttpRequest) -> HttpResponse:
    if wants_page(request):
        return server_error_page()
    return detail_response(HTTPStatus.INTERNAL_SERVER_ERROR, "Internal Server Error")


def _failure(request: HttpRequest, status: HTTPStatus, detail: str) -> HttpResponse:
    return failure_page(request, status) if wants_page(request) else detail_response(status, detail)
