"""What differs between two records. Pure."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from moderation.states import Operation

# Timestamps that the server sets; they say when a record was written, not what it holds.
UPDATED_AT = "metadata.updated_at"
CREATED_AT = "metadata.created_at"
CREATED_BY = "metadata.created_by"
UPDATED_BY = "metadata.updated_by"

_DOWNLOADS = "config.download"
_STYLED = ("style", "nsfw")
CRITICAL_FIELDS: dict[str, tuple[str, ...]] = {
    "image_generation": ("baseline", "nsfw", "inpainting", "trigger", "homepage"),
    "text_generation": ("baseline", "nsfw", "url", "parameters"),
    "controlnet": _STYLED,
    "blip": _STYLED,
    "clip": _STYLED,
    "codeformer": _STYLED,
    "esrgan": _STYLED,
    "gfpgan": _STYLED,
    "safety_checker": _STYLED,
}


class ChangeType(StrEnum):
    """What happened to one field."""

    ADDED = "added"
    REMOVED = "removed"
    MODIFIED = "modified"


class NetOperation(StrEnum):
    """What happened to one model in the end."""

    ADDED = "added"
    MODIFIED = "modified"
    DELETED = "deleted"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class ItemDiffs:
    """Members that the new list has more of than the old one, and the other way round."""

    added: list[Any]
    removed: list[Any]


@dataclass(frozen=True, slots=True)
class FieldDiff:
    """One field that differs; the value of a side that lacks it is None."""

    path: str
    change_type: ChangeType
    old: Any
    new: Any

    @property
    def item_diffs(self) -> ItemDiffs | None:
        if not (isinstance(self.old, list) and isinstance(self.new, list)):
            return None
        return ItemDiffs(added=_surplus(self.new, self.old), removed=_surplus(self.old, self.new))


def canonical(value: Any) -> str:
    """JSON text that equal values share: the order of keys does not count, and `true` is not 1."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def field_diffs(old: dict | None, new: dict | None) -> list[FieldDiff]:
    """Every leaf that differs. Lists are leaves; an object that only one side has is listed leaf by leaf."""
    if old is None:
        return list(_leaves(new or {}, "", ChangeType.ADDED))
    if new is None:
        return list(_leaves(old, "", ChangeType.REMOVED))
    return list(_differences(old, new, ""))


def is_critical(category: str, diffs: Iterable[FieldDiff]) -> bool:
    fields = CRITICAL_FIELDS.get(category)
    return bool(fields) and any(
        is_under(diff.path, field) for diff in diffs for field in (*fields, _DOWNLOADS)
    )


def is_under(path: str, field: str) -> bool:
    """Whether the path is the field or leads into it."""
    return path == field or path.startswith(f"{field}.")


def paths(diffs: Iterable[FieldDiff], kind: ChangeType) -> list[str]:
    return [diff.path for diff in diffs if diff.change_type is kind]


def without(record: dict, *ignored: str) -> dict:
    """The record without the members of `metadata` whose paths are given."""
    metadata = record.get("metadata")
    if not isinstance(metadata, dict):
        return record
    kept = {key: value for key, value in metadata.items() if f"metadata.{key}" not in ignored}
    return {**record, "metadata": kept}


def is_same(one: dict | None, other: dict | None, *, ignoring: Sequence[str] = (UPDATED_AT,)) -> bool:
    """Whether two records, or two absences, are equal but for the given members of `metadata`."""
    if one is None or other is None:
        return one is other
    return canonical(without(one, *ignoring)) == canonical(without(other, *ignoring))


def net_operation(operation: Operation, current: dict | None, proposed: dict | None) -> NetOperation:
    """What carrying out the operation on the current record would come to."""
    if operation is Operation.DELETE:
        return NetOperation.UNCHANGED if current is None else NetOperation.DELETED
    if current is None:
        return NetOperation.ADDED
    if operation is Operation.UPDATE and is_same(current, proposed):
        return NetOperation.UNCHANGED
    return NetOperation.MODIFIED


def net_effect(before: dict | None, after: dict | None) -> NetOperation:
    """What became of a model between two moments, whatever the steps in between."""
    if is_same(before, after, ignoring=(CREATED_AT, UPDATED_AT, UPDATED_BY)):
        return NetOperation.UNCHANGED
    if before is None:
        return NetOperation.ADDED
    return NetOperation.DELETED if after is None else NetOperation.MODIFIED


def _differences(old: dict, new: dict, prefix: str) -> Iterator[FieldDiff]:
    for key in sorted({*old, *new}):
        path = f"{prefix}{key}"
        if key not in old:
            yield from _leaf_or_leaves(new[key], path, ChangeType.ADDED)
        elif key not in new:
            yield from _leaf_or_leaves(old[key], path, ChangeType.REMOVED)
        elif isinstance(old[key], dict) and isinstance(new[key], dict):
            yield from _differences(old[key], new[key], f"{path}.")
        elif canonical(old[key]) != canonical(new[key]):
            yield FieldDiff(path, ChangeType.MODIFIED, old[key], new[key])


def _leaves(record: dict, prefix: str, kind: ChangeType) -> Iterator[FieldDiff]:
    for key, value in record.items():
        yield from _leaf_or_leaves(value, f"{prefix}{key}", kind)


def _leaf_or_leaves(value: Any, path: str, kind: ChangeType) -> Iterator[FieldDiff]:
    if isinstance(value, dict):
        yield from _leaves(value, f"{path}.", kind)
    elif kind is ChangeType.ADDED:
        yield FieldDiff(path, kind, None, value)
    else:
        yield FieldDiff(path, kind, value, None)


def _surplus(items: list, others: list) -> list:
    rest = Counter(map(canonical, others))
    surplus = []
    for item in items:
        text = canonical(item)
        if rest[text]:
            rest[text] -= 1
        else:
            surplus.append(item)
    return surplus
