"""What a form asks for, read off the record type of a category: no field of a record is named here."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from typing import Any

from drf_spectacular.plumbing import get_override
from rest_framework import serializers
from rest_framework.fields import empty

from moderation.pages.forms.rows import map_rows
from references.serializers.base import serializer_of
from references.serializers.records import RecordTypeField, record_type

# Parts of names that a capital letter does not make readable.
_SPELLINGS = {"nsfw": "NSFW", "url": "URL", "sha256sum": "SHA-256"}
# Strings of several sentences, and endings of the names of those that take a line for themselves.
_PROSE = frozenset({"description"})
_LONG = ("name", "url", "homepage", "hash", "sha256sum")


class Kind(StrEnum):
    """How a field is asked for."""

    TEXT = "text"
    PROSE = "prose"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    CHOICE = "choice"
    LINES = "lines"
    SCALAR = "scalar"
    MAP = "map"
    PART = "part"
    PARTS = "parts"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One field of a record, or of an object in it.

    `choices` are all values that are taken, `suggestions` some of them; of a map, they are the names it may hold.
    `default` is what the service fills in. `members` are the fields of an object, or of each object in a list.
    `holds_text` tells a map of strings from one of any scalars.
    """

    name: str
    kind: Kind
    help_text: str = ""
    is_required: bool = False
    choices: tuple[str, ...] = ()
    suggestions: tuple[str, ...] = ()
    default: Any = None
    members: tuple["FieldSpec", ...] = ()
    holds_text: bool = False

    @property
    def label(self) -> str:
        words = " ".join(_SPELLINGS.get(part, part) for part in self.name.split("_"))
        return words[:1].upper() + words[1:]

    @property
    def is_long(self) -> bool:
        return self.kind is Kind.TEXT and self.name.endswith(_LONG)

    def fitting(self, value: Any) -> "FieldSpec":
        """This field, asked for as JSON where its value has another shape than the form can show."""
        if value is None:
            return self
        match self.kind:
            case Kind.PART:
                fits = isinstance(value, dict)
            case Kind.PARTS:
                fits = isinstance(value, list) and all(isinstance(element, dict) for element in value)
            case Kind.MAP:
                fits = map_rows(value) is not None
            case _:
                fits = True
        return self if fits else replace(self, kind=Kind.JSON)


@cache
def category_fields(category: str) -> tuple[FieldSpec, ...]:
    """The fields of a category's records in the order of a form: the name, what is required, the rest."""
    specs = tuple(_specs(serializer_of(record_type(category))))
    return tuple(sorted(specs, key=lambda spec: (spec.name != "name", not spec.is_required)))


def _specs(serializer: serializers.Serializer) -> Iterator[FieldSpec]:
    for name, field in serializer.fields.items():
        # It follows from the category, which the page's address tells.
        if not isinstance(field, RecordTypeField):
            yield _spec(name, field)


def _spec(name: str, field: serializers.Field) -> FieldSpec:
    spec = FieldSpec(
        name,
        _kind(name, field),
        help_text=str(field.help_text or ""),
        is_required=field.required,
        default=None if field.default is empty or callable(field.default) else field.default,
    )
    if isinstance(field, serializers.Serializer):
        # Of an object that may be left out, nothing has to be filled in.
        return replace(
            spec,
            members=tuple(
                replace(each, is_required=field.required and each.is_required) for each in _specs(field)
            ),
        )
    child = getattr(field, "child", None)
    if isinstance(child, serializers.Serializer):
        return replace(spec, members=tuple(_specs(child)))
    if isinstance(field, serializers.DictField):
        return replace(
            spec,
            choices=tuple(sorted(getattr(field, "keys", None) or ())),
            suggestions=tuple(getattr(field, "suggested_keys", ())),
            holds_text=isinstance(child, serializers.CharField),
        )
    closed, some = _vocabulary(field)
    return replace(spec, choices=closed, suggestions=some)


def _kind(name: str, field: serializers.Field) -> Kind:
    match field:
        case serializers.Serializer():
            return Kind.PART
        case serializers.ListField(child=serializers.Serializer()):
            return Kind.PARTS
        case serializers.ListField(child=serializers.CharField()):
            return Kind.LINES
        case serializers.DictField():
            return Kind.MAP
        case serializers.BooleanField():
            return Kind.BOOLEAN
        case serializers.IntegerField():
            return Kind.INTEGER
        case serializers.ChoiceField() | serializers.CharField():
            return Kind.CHOICE if _vocabulary(field)[0] else Kind.PROSE if name in _PROSE else Kind.TEXT
    return Kind.JSON


def _vocabulary(field: serializers.Field) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The values a field takes, if the list of them is closed, and those that its schema knows at least."""
    if isinstance(field, serializers.ChoiceField):
        return tuple(field.choices), ()
    schema = get_override(field, "field", {})
    if not isinstance(schema, dict):
        return (), ()
    known = (value for option in schema.get("anyOf", ()) for value in option.get("enum", ()))
    return tuple(schema.get("enum", ())), tuple(known)
