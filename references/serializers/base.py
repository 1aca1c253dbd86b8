"""Serializers of JSON objects and of query strings, and the one way to run them over a request."""

from functools import cache
from typing import Any, ClassVar

from django.conf import settings
from django.http import QueryDict
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError

from references.problems import MISSING, ProblemCode, RequestInvalid, request_problems
from references.serializers.fields import Lenient


class ObjectSerializer(Lenient, serializers.Serializer):
    """A JSON object with known members.

    `second_names` maps members to a name they also go by. Members that are not known are dropped, unless
    `keeps_extras` says that the object is open.
    """

    default_error_messages = {"model_attributes_type": "Expected an object"}
    second_names: ClassVar[dict[str, str]] = {}
    keeps_extras: ClassVar[bool] = False

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, dict):
            self.fail("model_attributes_type")
        return super().to_internal_value(data)


class QuerySerializer(Lenient, serializers.Serializer):
    """The query parameters of one operation."""

    @classmethod
    def parse(cls, query: QueryDict) -> dict[str, Any]:
        """The values of the known parameters; absent ones have their default or no key.

        Of a scalar given several times the last value counts. Values of lists are trimmed and empty ones left
        out; a list without values counts as absent.
        """
        given: dict[str, Any] = {}
        for name, field in serializer_of(cls).fields.items():
            if isinstance(field, serializers.ListField):
                values = [value.strip() for value in query.getlist(name)]
                if values := [value for value in values if value]:
                    given[name] = values
            elif name in query:
                given[name] = query[name]
        return request_validated(cls, given, root="query")


@cache
def serializer_of(serializer_class: type[serializers.Serializer]) -> Any:
    """The one instance that validates for its class; validating leaves no trace on it."""
    return serializer_class()


def request_validated(
    serializer_class: type[serializers.Serializer], data: Any, *, root: str = "body"
) -> dict[str, Any]:
    """The validated data; raises RequestInvalid with every problem found. None stands for a missing body."""
    serializer = serializer_of(serializer_class)
    if data is None:
        raise RequestInvalid(request_problems([_missing()], data, root=root))
    validated: dict[str, Any] = {}
    problems = []
    try:
        validated = serializer.run_validation(data)
    except ValidationError as invalid:
        problems += request_problems(invalid.detail, data, root=root)
    if getattr(settings, "AI_HORDE_TESTING", False):
        problems += request_problems(_unknown_members(serializer, data), data, root=root)
    if problems:
        raise RequestInvalid(problems)
    return validated


def _missing() -> ErrorDetail:
    return ErrorDetail(Lenient.default_error_messages["required"], code=MISSING)


def _unknown_members(serializer: serializers.Serializer, data: Any) -> dict[str | int, Any]:
    """Errors, nested like those of the serializer, for every member that no schema knows."""
    if not isinstance(data, dict) or getattr(serializer, "keeps_extras", False):
        return {}
    errors: dict[str | int, Any] = {}
    second_names = getattr(serializer, "second_names", {}).values()
    for name, value in data.items():
        field = serializer.fields.get(name)
        if field is None and name not in second_names:
            errors[name] = [ErrorDetail("No such member", code=ProblemCode("extra_forbidden"))]
        elif isinstance(field, serializers.Serializer):
            errors[name] = _unknown_members(field, value)
        elif isinstance(getattr(field, "child", None), serializers.Serializer) and isinstance(value, list):
            errors[name] = {index: _unknown_members(field.child, item) for index, item in enumerate(value)}
    return errors
