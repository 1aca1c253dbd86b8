"""What can be wrong with a request, as exceptions that the handler turns into answers."""

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NotRequired, TypedDict

from rest_framework import status
from rest_framework.exceptions import APIException, ErrorDetail
from rest_framework.settings import api_settings

INPUT_LIMIT = 1024
PROBLEM_LIMIT = 1000
MISSING = "missing"
VALUE_ERROR = "value_error"

_TYPES_BY_FRAMEWORK_CODE = {"required": MISSING, "invalid": VALUE_ERROR}
_NOTHING = object()


class Problem(TypedDict):
    """One thing wrong with a request. `loc` starts with `path`, `query` or `body`."""

    type: str
    loc: list[str | int]
    msg: str
    input: NotRequired[Any]
    ctx: NotRequired[dict[str, Any]]


class ProblemCode(str):
    """An error code that carries the bounds or values the message speaks of.

    The framework copies messages while it nests errors but keeps codes as they are, so the code is what can
    bring `ctx` out of a field.
    """

    __slots__ = ("ctx",)

    def __new__(cls, code: str, ctx: Mapping[str, Any] | None = None) -> "ProblemCode":
        self = super().__new__(cls, code)
        self.ctx = dict(ctx or {})
        return self


class RequestInvalid(APIException):
    """A request that breaks its schema; `detail` is the list of its problems."""

    status_code = status.HTTP_422_UNPROCESSABLE_ENTITY
    default_code = "invalid"

    def __init__(self, problems: Sequence[Problem]) -> None:
        # The base class would turn every value, the numbers in `loc` too, into text.
        self.detail = list(problems)

    def get_codes(self) -> list[str]:
        return [problem["type"] for problem in self.detail]

    def get_full_details(self) -> list[Problem]:
        return self.detail


class BadRequest(APIException):
    status_code = status.HTTP_400_BAD_REQUEST
    default_detail = "The request cannot be met."
    default_code = "bad_request"


class Conflict(APIException):
    status_code = status.HTTP_409_CONFLICT
    default_detail = "The request does not fit the present state."
    default_code = "conflict"


class Unprocessable(APIException):
    """A request whose schema is right and whose content is not; `detail` is a sentence."""

    status_code = status.HTTP_422_UNPROCESSABLE_ENTITY
    default_detail = "The request cannot be processed."
    default_code = "unprocessable"


class Unavailable(APIException):
    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_detail = "This deployment cannot do that now."
    default_code = "unavailable"


class HordeSilent(Unavailable):
    """What was asked for needs an answer of the AI-Horde, and there is none. `retry_after` is in seconds."""

    retry_after = 10


def request_problems(errors: Any, data: Any, *, root: str) -> list[Problem]:
    """The errors of a serializer that was given `data`, as a flat list; at most PROBLEM_LIMIT of them."""
    return [_problem(error, path, data, root) for path, error in islice(_leaves(errors, ()), PROBLEM_LIMIT)]


def _leaves(errors: Any, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    if isinstance(errors, Mapping):
        for key, inner in errors.items():
            yield from _leaves(inner, path if key == api_settings.NON_FIELD_ERRORS_KEY else (*path, key))
    elif isinstance(errors, list):
        for index, inner in enumerate(errors):
            yield from _leaves(inner, path if isinstance(inner, str) else (*path, index))
    else:
        yield path, errors


def _problem(error: str, path: tuple[str | int, ...], data: Any, root: str) -> Problem:
    code = error.code if isinstance(error, ErrorDetail) else VALUE_ERROR
    problem = Problem(
        type=_TYPES_BY_FRAMEWORK_CODE.get(code, str(code)),
        loc=[root, *(_writable(step) if isinstance(step, str) else step for step in path)],
        msg=_writable(error),
    )
    value = _value_at(data, path)
    if problem["type"] != MISSING and _can_be_echoed(value):
        problem["input"] = value
    if ctx := getattr(code, "ctx", None):
        problem["ctx"] = ctx
    return problem


def _writable(text: str) -> str:
    """The text with lone surrogates, which no answer can be encoded with, spelled out."""
    return text.encode("utf-8", "backslashreplace").decode()


def _value_at(data: Any, path: tuple[str | int, ...]) -> Any:
    for step in path:
        try:
            data = data[step]
        except (KeyError, IndexError, TypeError):
            return _NOTHING
    return data


def _can_be_echoed(value: Any) -> bool:
    """Whether a value is small, and JSON that every client reads: no NaN, infinity or lone surrogate."""
    try:
        return len(json.dumps(value, allow_nan=False, ensure_ascii=False).encode()) <= INPUT_LIMIT
    except (TypeError, ValueError, RecursionError):
        return False
