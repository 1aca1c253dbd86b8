"""Serializer fields that read JSON and query strings leniently and report errors by type, bounds included."""

import math
import re
from collections.abc import Collection, Iterable
from typing import Any

from django.core.validators import ProhibitNullCharactersValidator
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.fields import empty
from rest_framework.validators import ProhibitSurrogateCharactersValidator

from references.problems import VALUE_ERROR, ProblemCode

OPTIONAL: dict[str, Any] = {"required": False, "allow_null": True}

# Integers are kept in columns of this size.
INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1

# A lone surrogate has no UTF-8 form, and text columns of some databases take no null character.
UNSTORABLE_CHARACTER = re.compile("[\x00\ud800-\udfff]")

_INTEGER = re.compile(r"(?P<sign>[+-]?)(?P<digits>[0-9]+)(\.0*)?")
_INTEGER_DIGITS = 30


class Lenient:
    """What all fields here share: null is an error of the field's own kind, and errors carry their `ctx`."""

    default_error_messages = {"required": "Field required", VALUE_ERROR: "Value error, {reason}"}

    def validate_empty_values(self, data: Any) -> tuple[bool, Any]:
        if data is None and not self.allow_null:
            return False, None
        return super().validate_empty_values(data)

    def fail(self, key: str, *, ctx: dict[str, Any] | None = None, **words: Any) -> None:
        message = self.error_messages[key].format(**(ctx or {}), **words)
        raise ValidationError(message, code=ProblemCode(key, ctx))


class StringField(Lenient, serializers.CharField):
    """A string, kept as it is."""

    default_error_messages = {
        "string_type": "Expected a string",
        "string_unicode": "A lone surrogate cannot be stored",
        "string_too_short": "Expected at least {min_length} characters",
        "string_too_long": "Expected at most {max_length} characters",
    }

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"allow_blank": True, "trim_whitespace": False, **kwargs})
        # Reading the value covers both already, under the error types of this API and in a third of the time.
        covered = (ProhibitNullCharactersValidator, ProhibitSurrogateCharactersValidator)
        self.validators = [rule for rule in self.validators if not isinstance(rule, covered)]

    def run_validation(self, data: Any = empty) -> Any:
        # The parent class has rules of its own for blank strings.
        return serializers.Field.run_validation(self, data)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("string_type")
        if found := UNSTORABLE_CHARACTER.search(data):
            if found[0] == "\x00":
                self.fail(VALUE_ERROR, reason="null characters cannot be stored")
            self.fail("string_unicode")
        if self.min_length is not None and len(data) < self.min_length:
            self.fail("string_too_short", ctx={"min_length": self.min_length})
        if self.max_length is not None and len(data) > self.max_length:
            self.fail("string_too_long", ctx={"max_length": self.max_length})
        return data


class IntegerField(Lenient, serializers.IntegerField):
    """A whole number of 64 bits; also takes it as text, as a float without fraction, or as a boolean.

    `above` is an exclusive lower bound.
    """

    default_error_messages = {
        "int_type": "Expected an integer",
        "int_parsing": "Expected an integer, got text that is none",
        "int_parsing_size": "Expected an integer of at most 64 bits",
        "int_from_float": "Expected an integer, got a number with a fraction",
        "finite_number": "Expected a finite number",
        "greater_than": "Expected a value greater than {gt}",
        "greater_than_equal": "Expected a value greater than or equal to {ge}",
        "less_than_equal": "Expected a value less than or equal to {le}",
    }

    def __init__(self, *, above: int | None = None, **kwargs: Any) -> None:
        self.above = above
        if above is not None:
            kwargs["min_value"] = above + 1
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> int:
        value = self._parsed(data)
        if self.above is not None and value <= self.above:
            self.fail("greater_than", ctx={"gt": self.above})
        if self.min_value is not None and value < self.min_value:
            self.fail("greater_than_equal", ctx={"ge": self.min_value})
        if self.max_value is not None and value > self.max_value:
            self.fail("less_than_equal", ctx={"le": self.max_value})
        if not INT64_MIN <= value <= INT64_MAX:
            self.fail("int_parsing_size")
        return value

    def _parsed(self, data: Any) -> int:
        if isinstance(data, int):
            return int(data)
        if isinstance(data, float):
            if not math.isfinite(data):
                self.fail("finite_number")
            if not data.is_integer():
                self.fail("int_from_float")
            return int(data)
        if not isinstance(data, str):
            self.fail("int_type")
        number = _INTEGER.fullmatch(data.strip())
        if not number:
            self.fail("int_parsing")
        digits = number["digits"].lstrip("0") or "0"
        # Python refuses, and takes long for, numbers of thousands of digits; these cannot fit anyway.
        if len(digits) > _INTEGER_DIGITS:
            self.fail("int_parsing_size")
        return int(number["sign"] + digits)


class BooleanField(Lenient, serializers.BooleanField):
    """A truth value; also takes the usual words and figures for it."""

    default_error_messages = {
        "bool_type": "Expected a boolean",
        "bool_parsing": "Expected a boolean, got a value that is none",
    }
    TRUE_WORDS = frozenset({"true", "1", "yes", "on", "t", "y"})
    FALSE_WORDS = frozenset({"false", "0", "no", "off", "f", "n"})

    def to_internal_value(self, data: Any) -> bool:
        if isinstance(data, bool):
            return data
        if not isinstance(data, str | int | float):
            self.fail("bool_type")
        if data in (0, 1):
            return bool(data)
        word = data.lower() if isinstance(data, str) else ""
        if word not in self.TRUE_WORDS | self.FALSE_WORDS:
            self.fail("bool_parsing")
        return word in self.TRUE_WORDS


class EnumField(Lenient, serializers.ChoiceField):
    """One of a closed list of strings. `component` is the name of the list in the API schema."""

    default_error_messages = {"enum": "Expected {expected}", "literal_error": "Expected {expected}"}
    error_type = "enum"

    def __init__(self, choices: Iterable[str], *, component: str | None = None, **kwargs: Any) -> None:
        values = [str(choice) for choice in choices]
        super().__init__(values, **kwargs)
        if component:
            extend_schema_field({"type": "string", "enum": values}, component_name=component)(self)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str) or data not in self.choices:
            self.fail(self.error_type, ctx={"expected": _alternatives(self.choices)})
        return data


class LiteralField(EnumField):
    """A closed list that is a matter of one field rather than a vocabulary with a name."""

    error_type = "literal_error"


class ListField(Lenient, serializers.ListField):
    """A list whose elements all are of one kind, the `child`."""

    default_error_messages = {
        "list_type": "Expected a list",
        "too_short": "Expected at least {min_length} elements, got {actual_length}",
        "too_long": "Expected at most {max_length} elements, got {actual_length}",
    }

    def to_internal_value(self, data: Any) -> list:
        if not isinstance(data, list):
            self.fail("list_type")
        if self.min_length is not None and len(data) < self.min_length:
            self.fail("too_short", ctx={"min_length": self.min_length, "actual_length": len(data)})
        if self.max_length is not None and len(data) > self.max_length:
            self.fail("too_long", ctx={"max_length": self.max_length, "actual_length": len(data)})
        return self.run_child_validation(data)


class TagsField(ListField):
    """Strings that are trimmed; empty and repeated ones are left out."""

    child = StringField()

    def to_internal_value(self, data: Any) -> list[str]:
        trimmed = (tag.strip() for tag in super().to_internal_value(data))
        return list(dict.fromkeys(tag for tag in trimmed if tag))


@extend_schema_field(
    {
        "anyOf": [
            {"type": "number"},
            {"type": "string"},
            {"type": "boolean"},
            {"type": "array", "items": {"type": "number"}},
            {"type": "array", "items": {"type": "string"}},
        ]
    }
)
class ScalarField(Lenient, serializers.Field):
    """A number, a string or a boolean, or a list of numbers, or one of strings; kept as it is."""

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, list):
            self._scalar_check(data)
            return data
        kinds = {_kind(element) for element in data}
        if bool in kinds or len(kinds) > 1:
            self.fail(VALUE_ERROR, reason="a list must hold either numbers or strings")
        for element in data:
            self._scalar_check(element)
        return data

    def _scalar_check(self, value: Any) -> None:
        kind = _kind(value)
        if kind is None:
            self.fail(VALUE_ERROR, reason="expected a number, a string, a boolean or a list of those")
        if kind is str:
            _STRING.to_internal_value(value)
        elif not INT64_MIN <= value <= INT64_MAX:  # NaN is outside of every range
            self.fail(VALUE_ERROR, reason="expected a finite number of at most 64 bits")


class MapField(Lenient, serializers.DictField):
    """An object whose values all are of one kind, the `child`.

    Its names are free unless `keys` are given; `suggested_keys` are some of the free ones.
    """

    default_error_messages = {"dict_type": "Expected an object"}

    def __init__(
        self, *, keys: frozenset[str] | None = None, suggested_keys: Collection[str] = (), **kwargs: Any
    ) -> None:
        self.keys = keys
        self.suggested_keys = suggested_keys
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, dict):
            self.fail("dict_type")
        return self.run_child_validation(data)

    def run_child_validation(self, data: dict[str, Any]) -> dict[str, Any]:
        values, errors = {}, {}
        for name, value in data.items():
            try:
                self._name_check(name)
                values[name] = self.child.run_validation(value)
            except ValidationError as invalid:
                errors[name] = invalid.detail
        if errors:
            raise ValidationError(errors)
        return values

    def _name_check(self, name: str) -> None:
        _STRING.to_internal_value(name)
        if self.keys is not None and name not in self.keys:
            self.fail(VALUE_ERROR, reason=f"unknown name: {name}")


_STRING = StringField()


def _kind(value: Any) -> type | None:
    """The kind of a scalar: numbers are one kind, booleans another. None for what is no scalar."""
    for kind, types in ((bool, bool), (float, int | float), (str, str)):
        if isinstance(value, types):
            return kind
    return None


def _alternatives(values: Iterable[str]) -> str:
    *most, last = (f"'{value}'" for value in values)
    return f"{', '.join(most)} or {last}" if most else last
