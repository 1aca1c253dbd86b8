"""From a request's body to the record that is stored, and what the fields of records are."""

from typing import Any

from rest_framework import serializers

from references.serializers.base import request_validated, serializer_of
from references.serializers.records import record_type

# A member's name to the tree of its own members: None for a scalar or a list, {} for an object that is open.
FieldTree = dict[str, "FieldTree | None"]


def record_validate(category: str, body: Any, *, root: str = "body") -> dict[str, Any]:
    """The record to store: declared order, spellings normalised, defaults written out, nulls left out.

    Raises RequestInvalid with all problems found.
    """
    return request_validated(record_type(category), body, root=root)


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
