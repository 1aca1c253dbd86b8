"""What applying approved changes would run into and what it would change, and applying just what was looked at."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from moderation.actors import Actor
from moderation.conflicts import digest
from moderation.diffs import CREATED_AT, UPDATED_AT, UPDATED_BY, NetOperation, net_effect
from moderation.live import ModelKey
from moderation.models import PendingChange
from moderation.pages.change_view import ChangeView, DiffRows, diff_rows
from moderation.review import ChangeDiff, PreviewedConflict, apply_preview, changes_diff
from moderation.services import ApplyResult, changes_apply, open_batch_id
from moderation.services.transactions import in_one_transaction, queue_lock
from moderation.states import OnConflict
from references.pages.json_markup import json_indented
from references.problems import Conflict

FIELDS_SHOWN = 12
# More than this at once is no list that anyone looks at; the rest waits for the next time.
MOST_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class ClashRow:
    """One field on which the proposal and the live record went apart."""

    path: str
    base: str
    live: str
    proposed: str


@dataclass(frozen=True, slots=True)
class Planned:
    """An approved change that would be applied, or a conflict that keeps it from being applied."""

    view: ChangeView
    diff: ChangeDiff
    conflict: PreviewedConflict | None = None

    @property
    def change_id(self) -> int:
        return self.view.change.change_id

    @property
    def rows(self) -> DiffRows:
        return diff_rows(self.diff)

    @property
    def writes_nothing(self) -> bool:
        """Whether the live record already says all that is proposed."""
        return net_effect(self.diff.current_state, self.diff.proposed_state) is NetOperation.UNCHANGED

    @property
    def can_overwrite(self) -> bool:
        """A payload that is no record cannot be applied over anything."""
        return self.conflict is not None and self.conflict.reason is not None

    @property
    def fingerprint(self) -> str:
        """Stands for the live record that the approver sees here: overwriting means this one, and no later one."""
        return digest(self.diff.current_state) or "none"

    @property
    def consent(self) -> str:
        """What a form sends back to overwrite."""
        return f"{self.change_id}:{self.fingerprint}"

    @property
    def clashes(self) -> Sequence[ClashRow]:
        """The fields in question: those that clash, or where none do, those that the proposal would undo."""
        if self.conflict is None:
            return []
        states = self.diff.base_state, self.diff.current_state, self.diff.proposed_state
        fields = self.conflict.fields or tuple(
            field.path
            for field in self.diff.field_diffs
            if field.path not in (CREATED_AT, UPDATED_AT, UPDATED_BY)
        )
        return [
            ClashRow(path, *(_value_text(state, path) for state in states)) for path in fields[:FIELDS_SHOWN]
        ]


@dataclass(frozen=True, slots=True)
class Preview:
    """A dry run. `dropped` were asked for but are not waiting; `left_behind` are waiting but were not asked for."""

    batch_id: int | None
    conflicts: Sequence[Planned]
    ready: Sequence[Planned]
    dropped: Sequence[int]
    left_behind: int

    @property
    def ids(self) -> list[int]:
        return sorted(planned.change_id for planned in (*self.conflicts, *self.ready))


class ConflictsMoved(Conflict):
    """What was to be overwritten is no longer what the approver looked at."""


def preview(change_ids: Sequence[int] | None = None, *, batch_id: int | None = None) -> Preview:
    """A dry run of these approved changes, of a batch, or of all that wait, in the order of their ids."""
    waiting = PendingChange.objects.approved()
    open_id, total = open_batch_id(), waiting.count()
    asked = waiting if change_ids is None else waiting.with_ids(change_ids)
    if batch_id is not None and batch_id != open_id:
        asked = asked.none()
    changes = list(asked.oldest_first()[:MOST_AT_ONCE])
    conflicts = {each.change.change_id: each for each in apply_preview([each.pk for each in changes])}
    planned = [
        Planned(ChangeView(diff.change), diff, conflicts.get(diff.change.change_id))
        for diff in changes_diff(changes)
    ]
    found = {change.change_id for change in changes}
    return Preview(
        batch_id=open_id,
        conflicts=[each for each in planned if each.conflict],
        ready=[each for each in planned if not each.conflict],
        dropped=sorted(set(change_ids or ()) - found),
        left_behind=total - len(changes),
    )


@in_one_transaction
def selection_apply(
    *, actor: Actor, change_ids: Iterable[int], overwrites: Mapping[int, str], job_id: str
) -> ApplyResult:
    """Applies changes, and those in `overwrites` over the live records whose fingerprints these are.

    Raises ConflictsMoved where another conflict has come up since, and what `changes_apply` raises.
    """
    ids = sorted({*change_ids, *overwrites})
    if overwrites:
        # With the queue locked, no other apply comes between looking and writing.
        queue_lock()
        _consent_check(ids, overwrites)
    return changes_apply(
        actor=actor,
        change_ids=ids,
        job_id=job_id,
        on_conflict=OnConflict.OVERWRITE if overwrites else OnConflict.FAIL,
    )


def _consent_check(ids: Sequence[int], overwrites: Mapping[int, str]) -> None:
    for diff in changes_diff(each.change for each in apply_preview(ids)):
        number, name = diff.change.change_id, diff.change.model_name
        if number not in overwrites:
            raise ConflictsMoved(f"Change {number} no longer fits model '{name}'.")
        if overwrites[number] != Planned(ChangeView(diff.change), diff).fingerprint:
            raise ConflictsMoved(f"Model '{name}' changed while you looked at it.")
    _rivals_check(ids, overwrites)


def _rivals_check(ids: Sequence[int], overwrites: Mapping[int, str]) -> None:
    """What fits the live record may not fit any more once another change has overwritten it."""
    chosen = PendingChange.objects.with_ids(ids).only("category", "model_name").oldest_first()
    overwritten: dict[ModelKey, int] = {}
    for change in chosen:
        key = change.category, change.model_name
        if change.change_id in overwrites:
            overwritten[key] = change.change_id
        elif key in overwritten:
            raise ConflictsMoved(
                f"Change {overwritten[key]} overwrites model '{change.model_name}', which change "
                f"{change.change_id} is about as well: apply them one after the other."
            )


def _value_text(state: dict | None, path: str) -> str:
    value: Any = state
    for key in path.split("."):
        if not isinstance(value, dict) or key not in value:
            return ""
        value = value[key]
    return value if isinstance(value, str) else json_indented(value)
