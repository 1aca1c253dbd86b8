"""What each field takes, what it makes of it, and how it names what it does not take."""

import math
from enum import StrEnum

import pytest
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from references.serializers.fields import (
    BooleanField,
    EnumField,
    IntegerField,
    ListField,
    LiteralField,
    MapField,
    ScalarField,
    StringField,
    TagsField,
)


class Colour(StrEnum):
    RED = "red"
    GREEN = "green"
    BLUE = "blue"


STRING = StringField()
SHORT = StringField(min_length=1, max_length=3)
INTEGER = IntegerField()
BOUNDED = IntegerField(min_value=1, max_value=500)
POSITIVE = IntegerField(above=0)
BOOLEAN = BooleanField()
COLOUR = EnumField(Colour)
LITERAL = LiteralField(["a", "b"])
STRINGS = ListField(child=StringField())
COUNTED = ListField(child=StringField(), min_length=1, max_length=2)
SCALAR = ScalarField()
HASHES = MapField(child=StringField())
CLOSED = MapField(child=ScalarField(), keys=frozenset({"top_k"}))


@pytest.mark.parametrize(
    ("field", "given", "value"),
    [
        (STRING, "", ""),
        (STRING, "  padded ", "  padded "),
        (STRING, "ünï\n🙂", "ünï\n🙂"),
        (INTEGER, 7, 7),
        (INTEGER, True, 1),
        (INTEGER, "7", 7),
        (INTEGER, " -7 ", -7),
        (INTEGER, "+7.00", 7),
        (INTEGER, "007", 7),
        (INTEGER, 7.0, 7),
        (INTEGER, 2**63 - 1, 2**63 - 1),
        (INTEGER, -(2**63), -(2**63)),
        (INTEGER, "0" * 5000 + "1", 1),
        (BOUNDED, "500", 500),
        (POSITIVE, 1, 1),
        *((BOOLEAN, word, True) for word in (True, 1, 1.0, "true", "TRUE", "1", "Yes", "on", "t", "Y")),
        *((BOOLEAN, word, False) for word in (False, 0, 0.0, "false", "False", "0", "no", "OFF", "f", "n")),
        (COLOUR, "red", "red"),
        (LITERAL, "b", "b"),
        (STRINGS, [], []),
        (STRINGS, ["a", " a", "a"], ["a", " a", "a"]),
        (COUNTED, ["a", "b"], ["a", "b"]),
        (TagsField(), [" a ", "a", "", " ", "b"], ["a", "b"]),
        *((SCALAR, value, value) for value in (1, 2.5, "x", True, [], [1, 2], [1, 2.5], ["a", "b"])),
        (HASHES, {"vae": "aa"}, {"vae": "aa"}),
        (CLOSED, {"top_k": [1, 2]}, {"top_k": [1, 2]}),
    ],
)
def test_values_are_read(field: serializers.Field, given: object, value: object):
    read = field.run_validation(given)
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(
    ("field", "given", "code", "ctx"),
    [
        *((STRING, value, "string_type", {}) for value in (None, 1, 1.5, True, [], {})),
        (STRING, "a\ud800", "string_unicode", {}),
        (STRING, "a\x00", "value_error", {}),
        (SHORT, "", "string_too_short", {"min_length": 1}),
        (SHORT, "abcd", "string_too_long", {"max_length": 3}),
        *((INTEGER, value, "int_type", {}) for value in (None, [], {})),
        *(
            (INTEGER, value, "int_parsing", {})
            for value in ("", "x", "1.5", "1e3", "0x1", "٣", "1_000", "nan", "0" * 5000 + "x")
        ),
        (INTEGER, 1.5, "int_from_float", {}),
        (INTEGER, math.inf, "finite_number", {}),
        (INTEGER, math.nan, "finite_number", {}),
        (INTEGER, 1e300, "int_parsing_size", {}),
        (INTEGER, 2**63, "int_parsing_size", {}),
        (INTEGER, -(2**63) - 1, "int_parsing_size", {}),
        (INTEGER, "9" * 5000, "int_parsing_size", {}),
        (INTEGER, "-" + "9" * 5000, "int_parsing_size", {}),
        (INTEGER, 10**4000, "int_parsing_size", {}),
        (BOUNDED, 0, "greater_than_equal", {"ge": 1}),
        (BOUNDED, "501", "less_than_equal", {"le": 500}),
        (BOUNDED, 2**70, "less_than_equal", {"le": 500}),
        (POSITIVE, 0, "greater_than", {"gt": 0}),
        *((BOOLEAN, value, "bool_parsing", {}) for value in ("", "maybe", " true", 2, -1, 0.5, math.nan)),
        *((BOOLEAN, value, "bool_type", {}) for value in (None, [], {})),
        *(
            (COLOUR, value, "enum", {"expected": "'red', 'green' or 'blue'"})
            for value in ("RED", None, 1, [], {})
        ),
        (LITERAL, "c", "literal_error", {"expected": "'a' or 'b'"}),
        *((STRINGS, value, "list_type", {}) for value in (None, "a", 1, {"a": 1})),
        (COUNTED, [], "too_short", {"min_length": 1, "actual_length": 0}),
        (COUNTED, ["a", "b", "c"], "too_long", {"max_length": 2, "actual_length": 3}),
        *((HASHES, value, "dict_type", {}) for value in (None, [], "a")),
        *(
            (SCALAR, value, "value_error", {})
            for value in (None, {}, [None], [[1]], [{}], [1, "a"], [True], [1, True])
        ),
        *((SCALAR, value, "value_error", {}) for value in (math.inf, -math.inf, math.nan, 2**64, [math.inf])),
        (SCALAR, ["\ud800"], "string_unicode", {}),
    ],
)
def test_errors_are_named(field: serializers.Field, given: object, code: str, ctx: dict):
    with pytest.raises(ValidationError) as caught:
        field.run_validation(given)
    [error] = caught.value.detail
    assert (error.code, error.code.ctx) == (code, ctx)


def test_an_absent_required_value_is_missing():
    with pytest.raises(ValidationError) as caught:
        STRING.run_validation()
    assert [(str(error), error.code) for error in caught.value.detail] == [("Field required", "required")]


def test_null_is_a_value_where_it_is_allowed():
    assert IntegerField(allow_null=True).run_validation(None) is None


def test_list_errors_are_kept_by_index():
    with pytest.raises(ValidationError) as caught:
        STRINGS.run_validation(["a", 1, "b", None])
    assert {index: errors[0].code for index, errors in caught.value.detail.items()} == {
        1: "string_type",
        3: "string_type",
    }


def test_map_errors_are_kept_by_name():
    with pytest.raises(ValidationError) as caught:
        CLOSED.run_validation({"top_k": {}, "zzz": 1, "\ud800": 1})
    assert {name: errors[0].code for name, errors in caught.value.detail.items()} == {
        "top_k": "value_error",
        "zzz": "value_error",
        "\ud800": "string_unicode",
    }


def test_a_vocabulary_of_enumeration_members_reads_as_text():
    assert list(COLOUR.choices) == ["red", "green", "blue"]
    assert all(type(choice) is str for choice in COLOUR.choices)
