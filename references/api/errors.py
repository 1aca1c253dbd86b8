"""Errors as clients see them: `{"detail": …}` with a sentence, or with a list of problems of a request."""

from django.http import HttpResponse, JsonResponse
from rest_framework.exceptions import APIException, MethodNotAllowed


def error_detail(error: APIException) -> str | list:
    if isinstance(error, MethodNotAllowed):
        return "Method Not Allowed"
    return error.detail


def error_response(error: APIException) -> HttpResponse:
    response = JsonResponse({"detail": error_detail(error)}, status=error.status_code)
    response.headers["Cache-Control"] = "no-store"
    if challenge := getattr(error, "auth_header", None):
        response.headers["WWW-Authenticate"] = challenge
    if retry_after := getattr(error, "retry_after", None):
        response.headers["Retry-After"] = str(retry_after)
    return response


def detail_response(status: int, detail: str) -> HttpResponse:
    response = JsonResponse({"detail": detail}, status=status)
    response.headers["Cache-Control"] = "no-store"
    return response
