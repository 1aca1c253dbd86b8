"""A change's diff as its page shows it: side by side, inline, as JSON, and three ways where it is stale."""

import difflib
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.utils.safestring import SafeString

from moderation.desk.list_items import Item, ItemChange, items
from moderation.diffs import ChangeType, FieldDiff, canonical, field_diffs, is_critical, is_under
from moderation.review import ChangeDiff
from moderation.telling import STAMPS, is_empty, told_diffs, value_text
from references.pages.json_markup import json_highlighted

_NOTHING = object()


class View(StrEnum):
    """Ways to look at a diff."""

    SIDE = "side"
    INLINE = "inline"
    RAW = "raw"


VIEW_LABELS = {View.SIDE: "Side by side", View.INLINE: "Inline", View.RAW: "JSON"}


@dataclass(frozen=True, slots=True)
class Line:
    """A piece of a value: `added`, `removed`, or `same` on both sides."""

    kind: str
    text: str


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


@dataclass(frozen=True, slots=True)
class ThreeWayRow:
    """A field as it was when the change was proposed, as it is now, and as it is proposed."""

    path: str
    is_critical: bool
    is_clash: bool
    base: Sequence[Line]
    live: Sequence[Line]
    proposed: Sequence[Line]


@dataclass(frozen=True, slots=True)
class DiffView:
    rows: Sequence[FieldRow]
    idle: Sequence[FieldRow]
    unchanged: Sequence[tuple[str, str]]
    three_way: Sequence[ThreeWayRow]
    text: Sequence[Line]
    documents: Sequence[tuple[str, SafeString]]


def diff_view(diff: ChangeDiff) -> DiffView:
    category = diff.change.category
    told = told_diffs(category, diff.current_state, diff.proposed_state)
    return DiffView(
        rows=[_row(category, field) for field in told.telling],
        idle=[_row(category, field) for field in told.idle],
        unchanged=_unchanged(diff),
        three_way=list(_three_way(diff)) if diff.staleness else [],
        text=_text(diff.current_state, diff.proposed_state),
        documents=_documents(diff),
    )


def _row(category: str, field: FieldDiff) -> FieldRow:
    old = _NOTHING if field.change_type is ChangeType.ADDED else field.old
    new = _NOTHING if field.change_type is ChangeType.REMOVED else field.new
    before, after = _sides(old, new)
    return FieldRow(field.path, field.change_type.value, is_critical(category, [field]), before, after)


def _sides(old: Any, new: Any) -> tuple[list[Line], list[Line]]:
    """Both values as lines; lists of which both sides have one are told member by member."""
    if not (isinstance(old, list) or isinstance(new, list)):
        return _whole(old, "removed"), _whole(new, "added")
    if not all(isinstance(side, list) or side is _NOTHING for side in (old, new)):
        return _whole(old, "removed"), _whole(new, "added")
    found = items([] if old is _NOTHING else old, [] if new is _NOTHING else new)
    if old is not _NOTHING and new is not _NOTHING and all(each.change is ItemChange.SAME for each in found):
        return _whole(old, "removed"), _whole(new, "added")
    return (
        [] if old is _NOTHING else _item_lines(found, ItemChange.REMOVED),
        [] if new is _NOTHING else _item_lines(found, ItemChange.ADDED),
    )


def _whole(value: Any, kind: str) -> list[Line]:
    return [] if value is _NOTHING else [Line(kind, value_text(value))]


def _item_lines(found: Sequence[Item], side: ItemChange) -> list[Line]:
    lines = []
    for item in found:
        if item.change is side:
            lines.append(Line(side.value, _with_fields(item, side)))
        elif item.change is ItemChange.CHANGED:
            lines.append(Line("same", item.label))
            lines += [
                Line(side.value, f"{field.path}: {value_text(_value(field, side))}")
                for field in item.fields
                if field.change_type is not _missing_on(side)
            ]
    same = sum(item.change is ItemChange.SAME for item in found)
    return [*lines, *_count_lines(same, is_rest=bool(lines))]


def _count_lines(same: int, *, is_rest: bool = False) -> list[Line]:
    """How many members of a list are on both sides, as a line of its own."""
    if same:
        return [Line("same", f"{same} more, unchanged" if is_rest else f"{same} unchanged")]
    return [] if is_rest else [Line("same", "[]")]


def _with_fields(item: Item, side: ItemChange) -> str:
    fields = [f"  {field.path}: {value_text(_value(field, side))}" for field in item.fields]
    return "\n".join([item.label, *fields])


def _value(field: FieldDiff, side: ItemChange) -> Any:
    return field.new if side is ItemChange.ADDED else field.old


def _missing_on(side: ItemChange) -> ChangeType:
    return ChangeType.REMOVED if side is ItemChange.ADDED else ChangeType.ADDED


def _unchanged(diff: ChangeDiff) -> list[tuple[str, str]]:
    if diff.current_state is None or diff.proposed_state is None:
        return []
    differing = [field.path for field in diff.field_diffs]
    return [
        (path, value_text(value))
        for path, value in _leaves(diff.proposed_state).items()
        if not any(is_under(path, other) for other in differing)
    ]


def _three_way(diff: ChangeDiff) -> Iterator[ThreeWayRow]:
    base, live, proposed = (
        _leaves(state) for state in (diff.base_state, diff.current_state, diff.proposed_state)
    )
    clashes = diff.staleness.fields if diff.staleness else ()
    for path in dict.fromkeys([*base, *live, *proposed]):
        values = [state.get(path, _NOTHING) for state in (base, live, proposed)]
        if path in STAMPS or len(set(map(_key, values))) == 1 or all(map(_says_nothing, values)):
            continue
        was, is_now, wanted = values
        yield ThreeWayRow(
            path,
            is_critical(diff.change.category, [FieldDiff(path, ChangeType.MODIFIED, None, None)]),
            any(is_under(path, clash) or is_under(clash, path) for clash in clashes),
            base=_origin(was, [is_now, wanted]),
            live=_against(was, is_now),
            proposed=_against(was, wanted),
        )


def _origin(base: Any, sides: Sequence[Any]) -> list[Line]:
    """What both sides came from; of a list the members that either of them changed or dropped, the others counted."""
    after = [[] if side is _NOTHING else side for side in sides]
    if not all(isinstance(each, list) for each in (base, *after)) or any(
        _is_reordered(base, each) for each in after
    ):
        return _whole(base, "same")
    touched: Counter[str] = Counter()
    fields: dict[str, dict[str, str]] = {}
    for each in after:
        found = [
            item for item in items(base, each) if item.change in (ItemChange.REMOVED, ItemChange.CHANGED)
        ]
        touched |= Counter(item.label for item in found)
        for item in found:
            fields.setdefault(item.label, {}).update(_old_fields(item))
    labels = [item.label for item in items([], base)]
    if not touched.keys() <= set(labels):
        # A side tells its members apart by something else.
        return _whole(base, "same")
    shown = sorted(touched.elements(), key=labels.index)
    lines = [Line("same", "\n".join([label, *fields[label].values()])) for label in shown]
    return [*lines, *_count_lines(len(base) - len(lines), is_rest=bool(lines))]


def _is_reordered(base: list, value: list) -> bool:
    """Whether two lists have the same members and differ nevertheless."""
    return _key(base) != _key(value) and all(each.change is ItemChange.SAME for each in items(base, value))


def _old_fields(item: Item) -> dict[str, str]:
    return {
        field.path: f"  {field.path}: {value_text(field.old)}"
        for field in item.fields
        if field.change_type is not ChangeType.ADDED
    }


def _against(base: Any, value: Any) -> list[Line]:
    """A value beside the one it came from: what it adds, and by its absence what it takes away."""
    if _key(base) == _key(value):
        return _count_lines(len(value)) if isinstance(value, list) else _whole(value, "same")
    gone, come = _sides(base, value)
    if isinstance(base, list) and isinstance(value, list):
        return [*come, *(line for line in gone if line.kind == "removed")]
    return come


def _key(value: Any) -> str:
    return "" if value is _NOTHING else canonical(value)


def _says_nothing(value: Any) -> bool:
    return value is _NOTHING or is_empty(value)


def _leaves(record: dict | None) -> dict[str, Any]:
    return {field.path: field.new for field in field_diffs(None, record)}


def _text(old: dict | None, new: dict | None) -> list[Line]:
    """The records as JSON, keys in order of the alphabet: the lines that differ with some around them."""
    kinds = {"+": "added", "-": "removed", " ": "same", "@": "gap"}
    compared = list(difflib.unified_diff(_json_lines(old), _json_lines(new), lineterm="", n=3))
    return [Line(kinds[line[0]], "⋯" if line[0] == "@" else line) for line in compared[2:]]


def _json_lines(record: dict | None) -> list[str]:
    if record is None:
        return []
    # Not splitlines(): strings may hold other characters that it takes for line ends.
    return json.dumps(record, indent=2, ensure_ascii=False, sort_keys=True).split("\n")


def _documents(diff: ChangeDiff) -> list[tuple[str, SafeString]]:
    is_applied = diff.change.applied_at is not None
    states = (
        ("When it was proposed", diff.base_state if diff.staleness else None),
        ("Before" if is_applied else "Now", diff.current_state),
        ("After" if is_applied else "Proposed", diff.proposed_state),
    )
    return [(label, json_highlighted(state)) for label, state in states if state is not None]
