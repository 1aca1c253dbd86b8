"""What applying approved changes would run into and what it would change, and applying just what was looked at."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from moderation.actors import Actor
from moderation.conflicts import digest
from moderation.desk.overwriting import LossRow, overwrite_losses
from moderation.desk.rivals import rivals_of
from moderation.diffs import NetOperation, net_effect
from moderation.live import ModelKey
from moderation.models import PendingChange
from moderation.pages.change_view import ChangeView, DiffRows, diff_rows
from moderation.review import ChangeDiff, PreviewedConflict, apply_preview, changes_diff
from moderation.services import ApplyResult, changes_apply, open_batch_id
from moderation.services.transactions import in_one_transaction, queue_lock
from moderation.states import OnConflict
from references.problems import Conflict

# More than this at once is no list that anyone looks at; the rest waits for the next time.
MOST_AT_ONCE = 200


@dataclass(frozen=True)
class Planned:
    """An approved change that would be applied, or a conflict that keeps it from being applied.

    `rivals` are the other open changes to its model.
    """

    view: ChangeView
    diff: ChangeDiff
    conflict: PreviewedConflict | None = None
    rivals: Sequence[int] = ()

    @property
    def change_id(self) -> int:
        return self.view.change.change_id

    @cached_property
    def rows(self) -> DiffRows:
        return diff_rows(self.diff)

    @cached_property
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
    def moved_already(self) -> bool:
        """Whether the live record moved as well, not only what an earlier change of this run makes of it."""
        return self.conflict is not None and (self.conflict.after is None or self.diff.staleness is not None)

    @cached_property
    def losses(self) -> Sequence[LossRow]:
        """What overwriting would undo of the record as this change would find it."""
        if self.conflict is None:
            return []
        return overwrite_losses(
            self.view.change.category,
            base=self.diff.base_state,
            live=self.conflict.found,
            written=self.diff.proposed_state,
        )

    @property
    def is_critical(self) -> bool:
        """Whether it touches a field of consequence, be it as proposed or by overwriting."""
        return self.rows.is_critical or any(row.is_critical for row in self.losses)


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
    rivals = rivals_of(changes)
    planned = [
        Planned(
            ChangeView(diff.change),
            diff,
            conflicts.get(diff.change.change_id),
            [rival.change_id for rival in rivals[diff.change.change_id]],
        )
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
