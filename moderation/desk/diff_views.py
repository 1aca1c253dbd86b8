"""A change's diff as its page shows it: side by side, inline, as JSON, and three ways where it is stale."""

import difflib
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.utils.safestring import SafeString

from moderation.desk.overwriting import overwrite_losses, touches
from moderation.diffs import ChangeType, FieldDiff, canonical, field_diffs, is_critical
from moderation.field_rows import NOTHING, FieldRow, Line, count_lines, field_row, side_lines, whole_lines
from moderation.list_items import Item, ItemChange, items
from moderation.review import ChangeDiff
from moderation.telling import STAMPS, told_diffs, value_text
from references.pages.json_markup import json_highlighted


class View(StrEnum):
    """Ways to look at a diff."""

    SIDE = "side"
    INLINE = "inline"
    RAW = "raw"


VIEW_LABELS = {View.SIDE: "Side by side", View.INLINE: "Inline", View.RAW: "JSON"}


@dataclass(frozen=True, slots=True)
class ThreeWayRow:
    """A field as it was when the change was proposed, as it is now, and as it is proposed.

    In a clash both sides changed it; it is lost where only others did, and the proposal takes that back unasked.
    """

    path: str
    is_critical: bool
    is_clash: bool
    is_lost: bool
    base: Sequence[Line]
    live: Sequence[Line]
    proposed: Sequence[Line]


@dataclass(frozen=True, slots=True)
class Unchanged:
    """A field that stays as it is now. `is_moved`: others already changed it to what is proposed."""

    path: str
    text: str
    is_moved: bool


@dataclass(frozen=True, slots=True)
class DiffView:
    rows: Sequence[FieldRow]
    idle: Sequence[FieldRow]
    unchanged: Sequence[Unchanged]
    three_way: Sequence[ThreeWayRow]
    text: Sequence[Line]
    documents: Sequence[tuple[str, SafeString]]

    @property
    def lost(self) -> Sequence[str]:
        """The fields that others alone changed, and that the proposal would set back."""
        return [row.path for row in self.three_way if row.is_lost]


def diff_view(diff: ChangeDiff) -> DiffView:
    category = diff.change.category
    told = told_diffs(category, diff.current_state, diff.proposed_state)
    return DiffView(
        rows=[field_row(category, field) for field in told.telling],
        idle=[field_row(category, field) for field in told.idle],
        unchanged=_unchanged(diff),
        three_way=list(_three_way(diff, told.telling)) if diff.staleness else [],
        text=_text(diff.current_state, diff.proposed_state),
        documents=_documents(diff),
    )


def _unchanged(diff: ChangeDiff) -> list[Unchanged]:
    """What stays as it is now, first what others changed to just that since the proposal."""
    if diff.current_state is None or diff.proposed_state is None:
        return []
    differing = [field.path for field in diff.field_diffs]
    since = field_diffs(diff.base_state, diff.current_state) if diff.staleness else []
    moved = [field.path for field in since if field.path not in STAMPS]
    dropped = [field.path for field in since if field.change_type is ChangeType.REMOVED]
    kept = {
        path: value_text(value)
        for path, value in _leaves(diff.proposed_state).items()
        if not touches(path, differing)
    }
    gone = {path: "not there" for path in dropped if path in moved and not touches(path, differing)}
    found = [Unchanged(path, text, touches(path, moved)) for path, text in {**kept, **gone}.items()]
    return sorted(found, key=lambda field: not field.is_moved)


def _three_way(diff: ChangeDiff, telling: Sequence[FieldDiff]) -> Iterator[ThreeWayRow]:
    """The fields that the proposal would change now; what is live as proposed already counts as unchanged."""
    states = (diff.base_state, diff.current_state, diff.proposed_state)
    base, live, proposed = map(_leaves, states)
    changing = [field.path for field in telling]
    clashes = diff.staleness.fields if diff.staleness else ()
    losses = overwrite_losses(diff.change.category, base=states[0], live=states[1], written=states[2])
    lost = [row.path for row in losses]
    for path in dict.fromkeys([*base, *live, *proposed]):
        if path in STAMPS or not touches(path, changing):
            continue
        was, is_now, wanted = (state.get(path, NOTHING) for state in (base, live, proposed))
        is_clash = touches(path, clashes)
        yield ThreeWayRow(
            path,
            is_critical(diff.change.category, [FieldDiff(path, ChangeType.MODIFIED, None, None)]),
            is_clash=is_clash,
            is_lost=not is_clash and touches(path, lost),
            base=_origin(was, [is_now, wanted]),
            live=_against(was, is_now),
            proposed=_against(was, wanted),
        )


def _origin(base: Any, sides: Sequence[Any]) -> list[Line]:
    """What both sides came from; of a list the members that either of them changed or dropped, the others counted."""
    after = [[] if side is NOTHING else side for side in sides]
    if not all(isinstance(each, list) for each in (base, *after)) or any(
        _is_reordered(base, each) for each in after
    ):
        return whole_lines(base, "same")
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
        return whole_lines(base, "same")
    shown = sorted(touched.elements(), key=labels.index)
    lines = [Line("same", "\n".join([label, *fields[label].values()])) for label in shown]
    return [*lines, *count_lines(len(base) - len(lines), is_rest=bool(lines))]


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
        return count_lines(len(value)) if isinstance(value, list) else whole_lines(value, "same")
    gone, come = side_lines(base, value)
    if isinstance(base, list) and isinstance(value, list):
        return [*come, *(line for line in gone if line.kind == "removed")]
    return come


def _key(value: Any) -> str:
    return "" if value is NOTHING else canonical(value)


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
