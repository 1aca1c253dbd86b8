"""Turns every failure of the API into the contract's envelope."""

import logging
import sys
from http import HTTPStatus

from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from rest_framework import exceptions
from rest_framework.response import Response

from references.api.errors import detail_response, error_detail
from references.pages.errors import failure_page, server_error_page, wants_page

logger = logging.getLogger(__name__)

# The store is away or cannot go on; what is wrong with a query is another kind of error.
STORE_FAILURES = (OperationalError, InterfaceError)


class StoreUnavailable(exceptions.APIException):
    status_code = HTTPStatus.SERVICE_UNAVAILABLE
    default_detail = "The store cannot be reached now."


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
    elif isinstance(error, STORE_FAILURES):
        error = _store_unavailable(error)
    if not isinstance(error, exceptions.APIException):
        return None
    headers = {"Cache-Control": "no-store"}
    if challenge := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    if retry_after := getattr(error, "retry_after", None):
        headers["Retry-After"] = str(retry_after)
    return Response({"detail": error_detail(error)}, status=error.status_code, headers=headers)


def _store_unavailable(error: Exception) -> StoreUnavailable:
    logger.error("the store failed: %s", error)
    return StoreUnavailable()


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if isinstance(exception, RequestDataTooBig):
        return failure(request, BodyTooLarge.status_code, BodyTooLarge.default_detail)
    return failure(request, HTTPStatus.BAD_REQUEST, "Bad Request")


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return failure(request, HTTPStatus.FORBIDDEN, "Forbidden")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return failure(request, HTTPStatus.NOT_FOUND, "Not Found")


def server_error(request: HttpRequest) -> HttpResponse:
    """Django calls this while it handles the error."""
    status, detail = HTTPStatus.INTERNAL_SERVER_ERROR, "Internal Server Error"
    if isinstance(error := sys.exception(), STORE_FAILURES):
        unavailable = _store_unavailable(error)
        status, detail = unavailable.status_code, unavailable.detail
    return server_error_page(status) if wants_page(request) else detail_response(status, detail)


def failure(request: HttpRequest, status: HTTPStatus, detail: str) -> HttpResponse:
    """A page for people, the contract's envelope for everybody else."""
    return failure_page(request, status) if wants_page(request) else detail_response(status, detail)
