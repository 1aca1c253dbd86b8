"""From a stored record to the one that search shows.

To run the framework's validation over each record would take most of the time that a category needs to be ready
for search. So each record type is turned once into a function that knows its members: it takes plain values at a
glance and asks their field about all others. The outcome is the same.
"""

from collections.abc import Callable, Mapping
from copy import deepcopy
from enum import Enum
from functools import cache
from typing import Any

from rest_framework.exceptions import ValidationError
from rest_framework.fields import Field, empty

from references.serializers.base import serializer_of
from references.serializers.fields import (
    INT64_MAX,
    INT64_MIN,
    UNSTORABLE_CHARACTER,
    BooleanField,
    EnumField,
    IntegerField,
    ListField,
    StringField,
    TagsField,
)
from references.serializers.parts import RecordPart
from references.serializers.records import record_type

# From a stored value to the shown one; raises ValidationError where the stored one breaks the schema.
Show = Callable[[Any], Any]


def record_presented(category: str, record: dict[str, Any]) -> dict[str, Any]:
    """A stored record as search shows it: defaults filled in, nulls left out, unknown members last.

    What is stored is shown as it is, even where a write would spell it differently today. A record that no
    longer fits its schema is returned unchanged.
    """
    serializer = serializer_of(record_type(category))
    try:
        presented = _show_record(type(serializer))(_with_first_names(serializer, record))
    except ValidationError:
        return record
    for name, second_name in serializer.second_names.items():
        presented[second_name] = presented[name]
    return presented


def _with_first_names(serializer: RecordPart, record: dict[str, Any]) -> dict[str, Any]:
    """The record with what is stored under second names alone, or under both, under the first."""
    if all(record.get(second) is None for second in serializer.second_names.values()):
        return record
    validated = serializer.to_internal_value(record)
    return {name: validated[name] for name in serializer.second_names} | record


class Reading(Enum):
    """How to tell what is shown at a path from what is stored there."""

    STORED = "the same"
    FALSE_FILLED = "the same; where nothing is stored, perhaps a default, which is empty or false"
    FILLED = "the same; where nothing is stored, perhaps a default"
    PRESENTED = "only the presented record tells"


@cache
def reading_of(category: str, path: tuple[str, ...]) -> Reading:
    """A record that breaks its schema is shown as stored, so without defaults."""
    part: Any = serializer_of(record_type(category))
    if path[0] in {*part.second_names, *part.second_names.values()}:
        return Reading.PRESENTED
    filled = None
    for segment in path:
        filled = filled.get(segment) if isinstance(filled, Mapping) else None
        part = part.fields.get(segment) if isinstance(part, RecordPart) else None
        if part is not None and filled is None and part.default is not empty:
            filled = part.get_default()
    if isinstance(part, RecordPart) or isinstance(getattr(part, "child", None), RecordPart):
        return Reading.PRESENTED
    if filled is None:
        return Reading.STORED
    return Reading.FILLED if filled else Reading.FALSE_FILLED


@cache
def _show_record(record_class: type[RecordPart]) -> Show:
    return _show_object(serializer_of(record_class))


def _show(field: Field) -> Show:
    if isinstance(field, RecordPart):
        return _show_object(field)
    if isinstance(field, ListField) and isinstance(field.child, RecordPart):
        return _show_objects(field)
    is_plain = _plain_check(field)

    def show(stored: Any) -> Any:
        if not is_plain(stored):
            field.run_validation(stored)
        return stored

    return show


def _show_object(part: RecordPart) -> Show:
    members = [(name, _show(field), _default(field), field) for name, field in part.fields.items()]

    def show(stored: Any) -> dict[str, Any]:
        if type(stored) is not dict:
            raise ValidationError
        shown = {}
        for name, show_member, default, field in members:
            value = stored.get(name)
            if value is not None:
                shown[name] = show_member(value)
            elif field.required or (name in stored and not field.allow_null):
                raise ValidationError
            elif default is not empty:
                shown[name] = deepcopy(default)
        for name, value in stored.items():
            if value is not None and name not in shown:
                shown[name] = value
        return shown

    return show


def _show_objects(field: ListField) -> Show:
    show_element = _show(field.child)

    def show(stored: Any) -> list[dict[str, Any]]:
        if type(stored) is not list:
            raise ValidationError
        return [show_element(element) for element in stored]

    return show


def _default(field: Field) -> Any:
    return empty if field.default is empty else field.get_default()


def _plain_check(field: Field) -> Callable[[Any], bool]:
    """Tells values that the field takes without a closer look; it may take others too."""
    if _is_plain_string_field(field):
        return _is_plain_text
    if type(field) in (ListField, TagsField) and _is_plain_string_field(field.child):
        return lambda value: type(value) is list and all(map(_is_plain_text, value))
    if type(field) is BooleanField:
        return lambda value: type(value) is bool
    if type(field) is EnumField:
        return lambda value: type(value) is str and value in field.choices
    if type(field) is IntegerField:
        least = INT64_MIN if field.min_value is None else max(INT64_MIN, field.min_value)
        most = INT64_MAX if field.max_value is None else min(INT64_MAX, field.max_value)
        return lambda value: type(value) is int and least <= value <= most
    return lambda value: False


def _is_plain_string_field(field: Field) -> bool:
    return type(field) is StringField and field.min_length is None and field.max_length is None


def _is_plain_text(value: Any) -> bool:
    if type(value) is not str:
        return False
    if value.isascii():
        return "\x00" not in value
    return UNSTORABLE_CHARACTER.search(value) is None
