import json
from unittest.mock import Mock

import pytest
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import Http404
from django.test import RequestFactory
from rest_framework import exceptions

from config import errors
from references.problems import BadRequest, Conflict, RequestInvalid, Unavailable, Unprocessable

PROBLEM = {"type": "missing", "loc": ["body", "config", "download", 0, "file_url"], "msg": "Field required"}


@pytest.mark.parametrize(
    ("error", "status", "detail"),
    [
        (Http404("which one"), 404, "Not Found"),
        (PermissionDenied("why"), 403, "You do not have permission to perform this action."),
        (RequestDataTooBig("how much"), 413, "Request body too large."),
        (BadRequest("no"), 400, "no"),
        (Conflict("there already"), 409, "there already"),
        (Unprocessable("blank"), 422, "blank"),
        (RequestInvalid([PROBLEM]), 422, [PROBLEM]),
        (Unavailable("later"), 503, "later"),
        (exceptions.NotFound("Model 'x' not found"), 404, "Model 'x' not found"),
        (exceptions.MethodNotAllowed("PATCH"), 405, "Method Not Allowed"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_each_failure_has_its_status_and_its_detail_and_is_kept_by_no_cache(error, status, detail):
    answer = errors.exception_handler(error, {})
    assert (answer.status_code, answer.data) == (status, {"detail": detail})
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_refused_key_is_told_what_to_bring():
    error = exceptions.NotAuthenticated("Not authenticated")
    error.status_code, error.auth_header = 401, "APIKey"
    assert errors.exception_handler(error, {}).headers["WWW-Authenticate"] == "APIKey"
    assert "WWW-Authenticate" not in errors.exception_handler(BadRequest("no"), {}).headers


@pytest.mark.parametrize("failure", [OperationalError, InterfaceError])
def test_a_store_that_is_away_is_told_as_such_and_its_reason_is_logged(failure, caplog):
    answer = errors.exception_handler(failure("the connection was refused"), {})
    assert (answer.status_code, answer.data) == (503, {"detail": "The store cannot be reached now."})
    assert caplog.messages == ["the store failed: the connection was refused"]


@pytest.mark.django_db
def test_a_view_outside_of_the_framework_tells_so_too(client, monkeypatch, caplog):
    client.raise_request_exception = False
    monkeypatch.setattr("config.docs.OpenAPIDocument.get", Mock(side_effect=OperationalError("gone")))
    answer = client.get("/api/openapi.json")
    assert (answer.status_code, answer.json()) == (503, {"detail": "The store cannot be reached now."})
    assert answer.headers["Cache-Control"] == "no-store"
    assert "the store failed: gone" in caplog.messages


def test_a_failure_of_our_own_is_left_to_the_server():
    assert errors.exception_handler(ZeroDivisionError("secret"), {}) is None


@pytest.mark.parametrize(
    ("answer", "status", "detail"),
    [
        (lambda request: errors.bad_request(request, ValueError("secret")), 400, "Bad Request"),
        (lambda request: errors.permission_denied(request, PermissionDenied("secret")), 403, "Forbidden"),
        (lambda request: errors.not_found(request, Http404("secret")), 404, "Not Found"),
        (errors.server_error, 500, "Internal Server Error"),
    ],
)
def test_what_fails_outside_of_views_has_the_same_envelope(answer, status, detail):
    response = answer(RequestFactory().get("/api/nowhere"))
    assert (response.status_code, json.loads(response.content)) == (status, {"detail": detail})
    assert response.headers["Content-Type"] == "application/json"
    assert response.headers["Cache-Control"] == "no-store"
