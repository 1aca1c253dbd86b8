"""From the answers of the PRIMARY to copies that can be stored: wholly usable, or refused."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from references.categories import CATEGORIES, IMAGE_CATEGORY, TEXT_CATEGORY
from references.following.client import PrimaryError, json_read
from references.legacy import ImportedRecord, RecordError, legacy_from_record
from references.legacy.from_legacy import require_name
from references.legacy.values import (
    JsonObject,
    read_flag,
    read_object,
    read_objects,
    read_text,
    read_whole,
    read_words,
    require_storable,
)
from references.vocabulary import NAME_LENGTH


@dataclass(frozen=True, slots=True)
class Marks:
    """How a state of the PRIMARY can be told from others; what it did not tell is None or empty."""

    revision: int | None = None
    last_updated: int | None = None
    v2_tag: str = ""
    v1_tag: str = ""


@dataclass(frozen=True, slots=True)
class CategoryCopy:
    """All of a category at one state of the PRIMARY: its records in order, and the text of version 1.

    `v1_text` is None where version 1 is computed from the records.
    """

    category: str
    records: list[ImportedRecord]
    v1_text: str | None
    marks: Marks


@dataclass(frozen=True, slots=True)
class StructureCopy:
    """Aliases by canonical group, groups by family, and naming schemas by group."""

    aliases: Mapping[str, list[str]]
    families: Mapping[str, list[str]]
    schemas: Mapping[str, JsonObject]


def category_copy(category: str, v2: bytes, v1: bytes | None, marks: Marks) -> CategoryCopy:
    """The copy that two bodies make; raises PrimaryError unless all of it can be stored and served."""
    path = f"v2/{category}"
    entries = records_read(v2, path)
    if not entries:
        raise PrimaryError(f"{path}: the answer holds no models")
    for name, record in entries.items():
        _refuse_with(f"{path}: {name!r}", _record_check, category, name, record)
    if v1 is None:
        records = [ImportedRecord(name, record, None) for name, record in entries.items()]
        return CategoryCopy(category, records, None, marks)
    legacy = records_read(v1, f"v1/{category}")
    for name, entry in legacy.items():
        _refuse_with(f"v1/{category}: {name!r}", _legacy_check, name, entry)
    if entries.keys().isdisjoint(legacy):
        raise PrimaryError(f"v1/{category}: has none of the models that version 2 has")
    records = [
        ImportedRecord(name, record, legacy[name] if name in legacy else legacy_from_record(category, record))
        for name, record in entries.items()
    ]
    return CategoryCopy(category, records, v1.decode(), marks)


def records_read(body: bytes, path: str) -> dict[str, JsonObject]:
    """The records of an answer by name, not yet looked at."""
    entries = json_read(body, path)
    if not isinstance(entries, dict) or not all(isinstance(entry, dict) for entry in entries.values()):
        raise PrimaryError(f"{path}: the answer is not an object of records by name")
    return entries


def name_lists_read(answer: Any, path: str, *, listed: str, key: str, members: str) -> dict[str, list[str]]:
    """`{listed: [{key: name, members: [name]}]}` as lists of names by name; repeated ones count once."""
    entries = answer.get(listed) if isinstance(answer, dict) else None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise PrimaryError(f"{path}: the answer is not a list of entries")
    lists = {}
    for entry in entries:
        name, names = entry.get(key), entry.get(members)
        if not isinstance(names, list) or not all(map(_is_group_name, [name, *names])):
            raise PrimaryError(f"{path}: an entry is not a list of names under a name")
        lists[name] = list(dict.fromkeys(names))
    if len(lists) != len(entries):
        raise PrimaryError(f"{path}: a name occurs more than once")
    return lists


def schema_groups_read(answer: Any, path: str) -> list[str]:
    """The groups of a summary that have a naming schema of their own."""
    groups = answer.get("groups") if isinstance(answer, dict) else None
    if not isinstance(groups, list) or not all(isinstance(group, dict) for group in groups):
        raise PrimaryError(f"{path}: the answer is not a list of groups")
    names = [group.get("group_name") for group in groups if group.get("has_custom_schema") is True]
    if not all(map(_is_group_name, names)):
        raise PrimaryError(f"{path}: a group has no name")
    return names


def name_schema_read(answer: Any, path: str) -> JsonObject | None:
    """The naming schema in an answer; None where it was not laid down but inferred."""
    if isinstance(answer, dict) and answer.get("is_custom") is False:
        return None
    schema = answer.get("name_schema") if isinstance(answer, dict) else None
    if not isinstance(schema, dict) or not all(is_fit(schema.get(part)) for part, is_fit in _SCHEMA.items()):
        raise PrimaryError(f"{path}: the answer is not a naming schema")
    return {part: schema[part] for part in _SCHEMA}


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_text_or_null(value: Any) -> bool:
    return value is None or isinstance(value, str)


def _is_text_list(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


_SCHEMA = {
    "separator": _is_text,
    "part_order": _is_text_list,
    "author_included": lambda value: isinstance(value, bool),
    "common_author": _is_text_or_null,
    "template": _is_text_or_null,
    "extra_parts": _is_text_list,
}


def _is_group_name(value: Any) -> bool:
    if not isinstance(value, str) or not 0 < len(value) <= NAME_LENGTH or "\0" in value:
        return False
    # Half a surrogate pair cannot be stored.
    return value.isascii() or value.encode("utf-8", "replace").decode() == value


def _refuse_with(place: str, check: Callable[..., None], *arguments: Any) -> None:
    try:
        check(*arguments)
    except RecordError as error:
        raise PrimaryError(f"{place}: {error}") from None


def _record_check(category: str, name: str, record: JsonObject) -> None:
    """Raises RecordError where the record cannot be stored, listed, searched or turned into version 1.

    Words that this deployment does not know, such as a new baseline, are no reason to refuse anything.
    """
    _entry_check(name, record)
    if read_text(record, "name") is None:
        raise RecordError("no_name", "has no name")
    if record.get("record_type") not in (None, category):
        raise RecordError("wrong_type", f"is of {record['record_type']!r}, not of {category}")
    for field in ("description", "version", "baseline", "style"):
        # PostgreSQL stores no null character.
        if "\0" in (read_text(record, field) or ""):
            raise RecordError("not_storable", f"{field} holds a null character")
    for download in read_objects(read_object(record, "config") or {}, "download"):
        if read_text(download, "file_name") is None:
            raise RecordError("file_without_name", "a file has no name")
    _plain(read_object(record, "metadata") or {}, "updated_at", int, read_whole)
    _plain(record, "nsfw", bool, read_flag)
    _plain(record, "size_on_disk_bytes", int, read_whole)
    if category == IMAGE_CATEGORY and read_text(record, "baseline") is None:
        raise RecordError("no_baseline", "has no baseline")
    if category == TEXT_CATEGORY:
        read_words(record, "tags")
        if _plain(record, "parameters", int, read_whole) is None:
            raise RecordError("no_parameters", "has no number of parameters")


def _entry_check(name: str, entry: JsonObject) -> None:
    require_name(name)
    require_storable(entry)


def _legacy_check(name: str, entry: JsonObject) -> None:
    """Raises RecordError where the object cannot be stored, or its files not be told apart by a later change."""
    _entry_check(name, entry)
    config = read_object(entry, "config") or {}
    for field, key in (("files", "path"), ("download", "file_name")):
        for file in read_objects(config, field):
            read_text(file, key)


def _plain(source: JsonObject, field: str, kind: type, read: Callable[[JsonObject, str], Any]) -> Any:
    """The value of a field, which may be absent but not be spelled as another type."""
    value = read(source, field)
    if value is not None and type(source[field]) is not kind:
        raise RecordError("wrong_type", f"{field} is not of its type")
    return value


def has_legacy_view(category: str) -> bool:
    """Whether version 1 of the category says more than can be computed from version 2."""
    return CATEGORIES[category].has_legacy_objects
