"""Two lists, member by member: files by their names, other members by what they hold."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from moderation.diffs import FieldDiff, canonical, field_diffs
from moderation.telling import value_text

# What members of a list that are objects are known by.
_NAMES = ("file_name", "name", "file_url", "url")


class ItemChange(StrEnum):
    """What became of a member of a list."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    SAME = "same"


@dataclass(frozen=True, slots=True)
class Item:
    """A member of either list; `fields` are what differs within one that is in both."""

    change: ItemChange
    label: str
    fields: Sequence[FieldDiff] = ()


def items(old: list, new: list) -> list[Item]:
    """The members in the order of the new list, the removed ones after them."""
    name = _common_name(old, new)
    return _named(old, new, name) if name else _plain(old, new)


def _common_name(old: list, new: list) -> str | None:
    """The key whose text tells the objects of either list apart."""
    if not all(isinstance(each, dict) for each in (*old, *new)):
        return None
    for key in _NAMES:
        if all(_tells_apart(key, members) for members in (old, new)):
            return key
    return None


def _tells_apart(key: str, members: list[dict]) -> bool:
    values = [member.get(key) for member in members]
    return all(isinstance(value, str) and value for value in values) and len(set(values)) == len(values)


def _named(old: list[dict], new: list[dict], key: str) -> list[Item]:
    before = {member[key]: member for member in old}
    found = []
    for member in new:
        name = member[key]
        if name not in before:
            found.append(Item(ItemChange.ADDED, name, field_diffs(None, _without(member, key))))
            continue
        diffs = field_diffs(before.pop(name), member)
        found.append(Item(ItemChange.CHANGED if diffs else ItemChange.SAME, name, diffs))
    removed = (
        Item(ItemChange.REMOVED, name, field_diffs(_without(member, key), None))
        for name, member in before.items()
    )
    return [*found, *removed]


def _without(member: dict, key: str) -> dict:
    return {name: value for name, value in member.items() if name != key}


def _plain(old: list, new: list) -> list[Item]:
    left = Counter(map(canonical, old))
    found = []
    for member in new:
        text = canonical(member)
        change = ItemChange.SAME if left[text] else ItemChange.ADDED
        left[text] -= change is ItemChange.SAME
        found.append(Item(change, value_text(member)))
    for member in reversed(old):
        text = canonical(member)
        if left[text] > 0:
            left[text] -= 1
            found.append(Item(ItemChange.REMOVED, value_text(member)))
    return found
