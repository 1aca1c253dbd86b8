"""Carries over aliases, families and naming schemas of text groups."""

from collections import Counter
from collections.abc import Callable, Mapping

from moderation.published.parsing import JsonObject
from references.problems import Conflict
from references.structure_models import NAME_LENGTH
from references.structure_services import DEFAULT_SCHEMA, aliases_put, family_put, name_schema_put


def structure_put(structure: Mapping[str, Mapping[str, JsonObject]], left_out: list[str]) -> Counter[str]:
    """Writes the entries of each kind and returns how many; those that clash are added to `left_out`."""
    written: Counter[str] = Counter()
    for kind, entries in structure.items():
        for name, entry in entries.items():
            try:
                _PUT[kind](name, entry)
            except Conflict as conflict:
                left_out.append(f"{entry.place}: {conflict.detail}")
            else:
                written[kind] += 1
    return written


def _aliases_put(canonical: str, entry: JsonObject) -> None:
    aliases_put(canonical=_named(canonical, entry), aliases=_names(entry, "aliases"))


def _family_put(name: str, entry: JsonObject) -> None:
    family_put(name=_named(name, entry), members=_names(entry, "members"))


def _schema_put(group: str, entry: JsonObject) -> None:
    read = JsonObject(entry.place, {**DEFAULT_SCHEMA, **entry.members})
    if not isinstance(read.members["author_included"], bool):
        raise entry.fault("author_included is neither true nor false")
    schema = {
        "separator": read.text("separator"),
        "part_order": read.texts("part_order"),
        "author_included": read.members["author_included"],
        "common_author": read.text_or_none("common_author"),
        "template": read.text_or_none("template"),
        "extra_parts": read.texts("extra_parts"),
    }
    name_schema_put(group=_named(group, entry), schema=schema)


def _named(name: str, entry: JsonObject) -> str:
    if not 0 < len(name) <= NAME_LENGTH:
        raise entry.fault(f"a name must have from 1 to {NAME_LENGTH} characters")
    return name


def _names(entry: JsonObject, member: str) -> list[str]:
    return [_named(name, entry) for name in entry.texts(member)]


_PUT: dict[str, Callable[[str, JsonObject], None]] = {
    "aliases": _aliases_put,
    "families": _family_put,
    "schemas": _schema_put,
}
