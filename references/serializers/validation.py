"""From a request's body to the record that is stored, and from a stored record to the one that is shown."""

from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from references.serializers.base import request_validated, serializer_of
from references.serializers.records import record_type

# A member's name to the tree of its own members: None for a scalar or a list, {} for an object that is open.
FieldTree = dict[str, "FieldTree | None"]


def record_validate(category: str, body: Any, *, root: str = "body") -> dict[str, Any]:
    """The record to store: declared order, spellings normalised, defaults written out, nulls left out.

    Raises RequestInvalid with all problems found.
    """
    return request_validated(record_type(category), body, root=root)


def record_presented(category: str, record: dict[str, Any]) -> dict[str, Any]:
    """A stored record as search shows it: defaults filled in, nulls left out, unknown members last.

    What is stored is shown as it is, even where a write would spell it differently today. A record that no
    longer fits its schema is returned unchanged.
    """
    serializer = serializer_of(record_type(category))
    try:
        shape = serializer.to_internal_value(record)
    except ValidationError:
        return record
    presented = _with_stored_values(shape, record)
    for name, second_name in serializer.second_names.items():
        presented[second_name] = presented[name]
    return presented


def _with_stored_values(shape: Any, stored: Any) -> Any:
    if isinstance(shape, dict) and isinstance(stored, dict):
        shown = {
            name: value if stored.get(name) is None else _with_stored_values(value, stored[name])
            for name, value in shape.items()
        }
        extras = {name: value for name, value in stored.items() if name not in shape and value is not None}
        return shown | extras
    if isinstance(shape, list) and isinstance(stored, list) and len(shape) == len(stored):
        return [_with_stored_values(*pair) for pair in zip(shape, stored, strict=True)]
    return stored


def schema_fields(category: str) -> FieldTree:
    """The fields of a category's records as shown, with the members of those that are objects."""
    record_class = record_type(category)
    tree = _tree(serializer_of(record_class))
    return tree | {second: tree[name] for name, second in record_class.second_names.items()}


def _tree(serializer: serializers.Serializer) -> FieldTree:
    return {name: _members(field) for name, field in serializer.fields.items()}


def _members(field: serializers.Field) -> FieldTree | None:
    if isinstance(field, serializers.Serializer):
        return _tree(field)
    return {} if isinstance(field, serializers.DictField) else None
