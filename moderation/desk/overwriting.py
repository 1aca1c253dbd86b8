"""What overwriting loses: a proposal holds the whole record, and so undoes what others did to fields it left alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from moderation.diffs import field_diffs, is_critical, is_under
from moderation.models import PendingChange
from moderation.telling import told_diffs, value_text


@dataclass(frozen=True, slots=True)
class LossRow:
    """A field of the live record that is written over; a value that is not there is None.

    In a clash both sides changed it; otherwise only others did, and the proposal takes it back unasked.
    """

    path: str
    base: str | None
    live: str | None
    written: str | None
    is_clash: bool
    is_critical: bool


def overwrite_losses(
    category: str, *, base: dict | None, live: dict | None, written: dict | None
) -> Sequence[LossRow]:
    """The fields of `live` that change against the will of those who wrote them once `written`, proposed from
    `base`, takes its place; critical ones first. Fields that the proposal alone changed are none of them.
    """
    if live is None:
        return []
    by_others = [diff.path for diff in field_diffs(base, live)]
    asked_for = [diff.path for diff in told_diffs(category, base, written).telling]
    rows = []
    for diff in told_diffs(category, live, written).telling:
        if not touches(diff.path, by_others):
            continue
        texts = [_value_text(state, diff.path) for state in (base, live, written)]
        is_clash = touches(diff.path, asked_for)
        rows.append(LossRow(diff.path, *texts, is_clash, is_critical(category, [diff])))
    return sorted(rows, key=lambda row: not row.is_critical)


def applied_losses(change: PendingChange) -> Sequence[LossRow]:
    """What a change that was applied over somebody else's has lost."""
    return overwrite_losses(
        change.category,
        base=change.base_as_dict(),
        live=change.live_before_as_dict(),
        written=change.live_after_as_dict(),
    )


def touches(path: str, others: Sequence[str]) -> bool:
    """Whether the path is one of the others, leads into one, or has one in it."""
    return any(is_under(path, other) or is_under(other, path) for other in others)


def _value_text(state: dict | None, path: str) -> str | None:
    value: Any = state
    for key in path.split("."):
        if not isinstance(value, dict) or key not in value:
            return None
        value = value[key]
    return value_text(value)
