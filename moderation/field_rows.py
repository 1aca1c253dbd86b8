"""A field that differs, as lines for either side; of a list, the members that differ."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from moderation.diffs import ChangeType, FieldDiff, is_critical
from moderation.list_items import Item, ItemChange, items
from moderation.telling import value_text
from references.pages.values import web_url

# What a side holds that lacks the field.
NOTHING = object()


class Piece(NamedTuple):
    """A line of text, and the address it ends in if that can be opened."""

    text: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A piece of a value: `added`, `removed`, or `same` on both sides.

    `urls` are the values in it that a browser may be sent to.
    """

    kind: str
    text: str
    urls: tuple[str, ...] = ()

    @property
    def pieces(self) -> Sequence[Piece]:
        return [
            Piece(text, max(filter(text.endswith, self.urls), key=len, default=""))
            for text in self.text.split("\n")
        ]


@dataclass(frozen=True, slots=True)
class FieldRow:
    """A field that differs, as lines for either side. A side that lacks the field has none."""

    path: str
    change_type: str
    is_critical: bool
    old: Sequence[Line]
    new: Sequence[Line]

    @property
    def lines(self) -> Sequence[Line]:
        """Both sides as one: what stays once, what goes before what comes."""
        same = [line for line in self.new if line.kind == "same" and line in self.old]
        gone = [line for line in self.old if line not in same]
        return [*same, *gone, *(line for line in self.new if line not in same)]


def field_row(category: str, field: FieldDiff) -> FieldRow:
    old = NOTHING if field.change_type is ChangeType.ADDED else field.old
    new = NOTHING if field.change_type is ChangeType.REMOVED else field.new
    before, after = side_lines(old, new)
    return FieldRow(field.path, field.change_type.value, is_critical(category, [field]), before, after)


def side_lines(old: Any, new: Any) -> tuple[list[Line], list[Line]]:
    """Both values as lines; lists of which both sides have one are told member by member."""
    if not (isinstance(old, list) or isinstance(new, list)):
        return whole_lines(old, "removed"), whole_lines(new, "added")
    if not all(isinstance(side, list) or side is NOTHING for side in (old, new)):
        return whole_lines(old, "removed"), whole_lines(new, "added")
    found = items([] if old is NOTHING else old, [] if new is NOTHING else new)
    if old is not NOTHING and new is not NOTHING and all(each.change is ItemChange.SAME for each in found):
        return whole_lines(old, "removed"), whole_lines(new, "added")
    return (
        [] if old is NOTHING else _item_lines(found, ItemChange.REMOVED),
        [] if new is NOTHING else _item_lines(found, ItemChange.ADDED),
    )


def whole_lines(value: Any, kind: str) -> list[Line]:
    return [] if value is NOTHING else [Line(kind, value_text(value), _urls(value))]


def _item_lines(found: Sequence[Item], side: ItemChange) -> list[Line]:
    lines = []
    for item in found:
        if item.change is side:
            values = [_value(field, side) for field in item.fields]
            lines.append(Line(side.value, _with_fields(item, side), _urls(item.label, *values)))
        elif item.change is ItemChange.CHANGED:
            lines.append(Line("same", item.label))
            lines += [
                Line(side.value, f"{field.path}: {value_text(value)}", _urls(value))
                for field in item.fields
                for value in [_value(field, side)]
                if field.change_type is not _missing_on(side)
            ]
    same = sum(item.change is ItemChange.SAME for item in found)
    return [*lines, *count_lines(same, is_rest=bool(lines))]


def count_lines(same: int, *, is_rest: bool = False) -> list[Line]:
    """How many members of a list are on both sides, as a line of its own."""
    if same:
        return [Line("same", f"{same} more, unchanged" if is_rest else f"{same} unchanged")]
    return [] if is_rest else [Line("same", "[]")]


def _with_fields(item: Item, side: ItemChange) -> str:
    fields = [f"  {field.path}: {value_text(_value(field, side))}" for field in item.fields]
    return "\n".join([item.label, *fields])


def _urls(*values: Any) -> tuple[str, ...]:
    return tuple(url for url in map(web_url, values) if url)


def _value(field: FieldDiff, side: ItemChange) -> Any:
    return field.new if side is ItemChange.ADDED else field.old


def _missing_on(side: ItemChange) -> ChangeType:
    return ChangeType.REMOVED if side is ItemChange.ADDED else ChangeType.ADDED
