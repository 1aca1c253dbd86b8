"""What the API takes for JSON, and what it says of the rest."""

import io
import json
import math
from typing import Any

import pytest
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest
from django.test import RequestFactory

from references.api.bodies import request_body
from references.problems import BadRequest, RequestInvalid

LIMIT = 64


@pytest.fixture(autouse=True)
def small_limit(settings: Any) -> None:
    settings.MAX_BODY_BYTES = settings.DATA_UPLOAD_MAX_MEMORY_SIZE = LIMIT


def posted(body: bytes, content_type: str = "application/json") -> HttpRequest:
    return RequestFactory().generic("POST", "/", body, content_type=content_type)


def chunked(body: bytes) -> HttpRequest:
    """A request that does not tell how long its body is."""
    request = posted(b"")
    request.META |= {
        "CONTENT_TYPE": "application/json",
        "HTTP_TRANSFER_ENCODING": "chunked",
        "wsgi.input": io.BytesIO(body),
        "wsgi.input_terminated": True,
    }
    assert "CONTENT_LENGTH" not in request.META
    return request


def problem(request: HttpRequest) -> tuple[str, list]:
    with pytest.raises(RequestInvalid) as raised:
        request_body(request)
    [found] = raised.value.detail
    return found["type"], found["loc"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", None),
        (b"null", None),
        (b"{}", {}),
        (b"[1]", [1]),
        (b'{"a": "\xc3\xbc"}', {"a": "ü"}),
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        (b'{"a": 1, "a": 2}', {"a": 2}),
        (b'{"a": "NaN"}', {"a": "NaN"}),
        (b'{"a": 1e999}', {"a": math.inf}),
        (b'{"b": 1, "a": 2}', {"b": 1, "a": 2}),
    ],
)
def test_json_is_read(body, expected):
    found = request_body(posted(body))
    assert found == expected
    assert json.dumps(found) == json.dumps(expected)


@pytest.mark.parametrize(
    ("body", "offset"),
    [
        (b"{", 1),
        (b'{"a": 1,}', 8),
        (b"nothing", 0),
        (b'{"a": NaN}', 6),
        (b'["NaN", "\\"", -Infinity]', 14),
        (b'{"a": "\xff"}', 7),
        (b"\xff\xfe{\x00}\x00", 0),
    ],
)
def test_what_is_no_json_is_told_with_its_place(body, offset):
    assert problem(posted(body)) == ("json_invalid", ["body", offset])


def test_numbers_beyond_all_bounds_do_not_stop_the_reading(settings):
    settings.MAX_BODY_BYTES = settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100_000
    digits = b"9" * 5000
    assert request_body(posted(b"[" + digits + b", -" + digits + b"]")) == [math.inf, -math.inf]
    assert request_body(posted(b"123456789012345678901234567890")) == 123456789012345678901234567890


@pytest.mark.parametrize("depth", [500, 5_000, 500_000])
def test_deep_nesting_is_no_failure_of_the_server(settings, depth):
    settings.MAX_BODY_BYTES = settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 2_000_000
    request = posted(b"[" * depth + b"]" * depth)
    if depth < 1000:
        assert isinstance(request_body(request), list)
    else:
        assert problem(request) == ("json_invalid", ["body", 0])


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "application/json; charset=utf-8", "Application/JSON", "application/merge+json", ""],
)
def test_any_json_type_and_none_will_do(content_type):
    request = posted(b'{"a": 1}')
    request.META["CONTENT_TYPE"] = content_type
    assert request_body(request) == {"a": 1}


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/jsonp",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
    ],
)
def test_other_types_are_refused(content_type):
    assert problem(posted(b'{"a": 1}', content_type)) == ("model_attributes_type", ["body"])


@pytest.mark.parametrize("make_request", [posted, chunked])
def test_a_body_may_be_as_long_as_the_limit_and_no_longer(make_request):
    text = "x" * (LIMIT - 2)
    assert request_body(make_request(json.dumps(text).encode())) == text
    with pytest.raises(RequestDataTooBig):
        request_body(make_request(json.dumps(text + "x").encode()))


def test_no_more_is_read_of_an_endless_body_than_it_takes_to_refuse_it():
    class Endless:
        taken = 0

        def read(self, size: int) -> bytes:
            self.taken += size
            return b" " * size

    request = chunked(b"")
    request.META["wsgi.input"] = source = Endless()
    with pytest.raises(RequestDataTooBig):
        request_body(request)
    assert source.taken == LIMIT + 1


@pytest.mark.parametrize("make_request", [posted, chunked])
def test_a_body_that_breaks_off_is_the_fault_of_its_sender(make_request):
    class BrokenOff(io.BytesIO):
        def read(self, size: int = -1) -> bytes:
            raise OSError("connection reset")

    request = make_request(b"{}")
    request._stream = request.META["wsgi.input"] = BrokenOff()
    with pytest.raises(BadRequest):
        request_body(request)
