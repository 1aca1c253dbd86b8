"""JSON bodies of requests, read when a view asks for them: after it knows that the caller may send one."""

import json
import math
import re
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest

from references.legacy.values import refuse_constant
from references.problems import BadRequest, RequestInvalid

# What clients are told of a body that is shorter than they said.
CUT_OFF = "The request ended before its body did."
JSON_TYPE = re.compile(r"application/(?:json|[^;\s]+\+json)\s*(?:;|$)", re.IGNORECASE)

_NOT_JSON = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|(?P<constant>NaN|-?Infinity)', re.DOTALL)


def request_body(request: HttpRequest) -> Any:
    """The parsed body; None where there is none. Of a key that is given twice the last value counts.

    Raises RequestInvalid for what is no JSON, RequestDataTooBig for what is too long.
    """
    data = _read(request)
    if not data:
        return None
    content_type = request.META.get("CONTENT_TYPE", "")
    if content_type and not JSON_TYPE.match(content_type):
        raise RequestInvalid(
            [{"type": "model_attributes_type", "loc": ["body"], "msg": "Expected a body of application/json"}]
        )
    return _parsed(data)


def _read(request: HttpRequest) -> bytes:
    """At most MAX_BODY_BYTES of body. Django takes a body without stated length for none at all."""
    try:
        if request.META.get("CONTENT_LENGTH") or not request.META.get("wsgi.input_terminated"):
            return request.body
        data = request.META["wsgi.input"].read(settings.MAX_BODY_BYTES + 1)
    except OSError:
        raise BadRequest(CUT_OFF) from None
    if len(data) > settings.MAX_BODY_BYTES:
        raise RequestDataTooBig
    return data


def _parsed(data: bytes) -> Any:
    try:
        text = data.decode("utf-8-sig")
        return json.loads(text, parse_int=_integer, parse_constant=refuse_constant)
    except UnicodeDecodeError as error:
        raise _json_invalid(error.start, "not UTF-8") from None
    except json.JSONDecodeError as error:
        raise _json_invalid(error.pos, error.msg) from None
    except RecursionError:
        raise _json_invalid(0, "nested too deeply") from None
    except ValueError as error:
        raise _json_invalid(_constant_position(text), str(error)) from None


def _constant_position(text: str) -> int:
    return next(found.start() for found in _NOT_JSON.finditer(text) if found["constant"])


def _integer(digits: str) -> int | float:
    try:
        return int(digits)
    except ValueError:  # Python converts no more than some thousand digits; no field takes that many
        return -math.inf if digits.startswith("-") else math.inf


def _json_invalid(offset: int, reason: str) -> RequestInvalid:
    return RequestInvalid(
        [
            {
                "type": "json_invalid",
                "loc": ["body", offset],
                "msg": "The body is not JSON",
                "ctx": {"error": reason},
            }
        ]
    )
