"""What a reviewer sees of a change: its diff, and what applying it would run into."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from moderation.conflicts import Reason, Staleness
from moderation.diffs import (
    ChangeType,
    FieldDiff,
    NetOperation,
    field_diffs,
    is_critical,
    net_effect,
    net_operation,
    paths,
)
from moderation.live import Live, ModelKey, live_form, lives_read, proposed_state
from moderation.models import PendingChange
from moderation.problems import PendingChangePayloadError
from moderation.reverts import Past, pasts_read
from moderation.states import OPEN_STATUSES, Operation, Status
from moderation.verdicts import apply_verdict, target_live, verdict


@dataclass(frozen=True, slots=True)
class ChangeDiff:
    """A change against the live record; once it is applied, what it did to that record."""

    change: PendingChange
    current_state: dict | None
    proposed_state: dict | None
    base_state: dict | None
    net_operation: NetOperation
    field_diffs: list[FieldDiff]
    staleness: Staleness | None

    @property
    def is_critical(self) -> bool:
        return is_critical(self.change.category, self.field_diffs)

    def paths(self, kind: ChangeType) -> list[str]:
        return paths(self.field_diffs, kind)


def changes_diff(changes: Iterable[PendingChange]) -> list[ChangeDiff]:
    """The diffs of these changes, in their order."""
    changes = list(changes)
    unapplied = [change for change in changes if change.status != Status.APPLIED]
    lives, pasts = lives_read(map(_model_key, unapplied)), pasts_read(unapplied)
    return [
        _change_diff(change, lives.get(_model_key(change)), pasts.get(change.change_id)) for change in changes
    ]


def change_diff(change: PendingChange) -> ChangeDiff:
    return changes_diff([change])[0]


def _change_diff(change: PendingChange, live: Live | None, past: Past | None) -> ChangeDiff:
    operation = Operation(change.operation)
    if change.status == Status.APPLIED:
        current, proposed = change.live_before_as_dict(), change.live_after_as_dict()
        net = net_effect(current, proposed)
    else:
        current = live_form(change.domain, change.category, live)
        proposed = proposed_record(change, live, past)
        net = net_operation(operation, current, proposed)
    return ChangeDiff(
        change,
        current_state=current,
        proposed_state=proposed,
        base_state=change.base_as_dict(),
        net_operation=net,
        field_diffs=field_diffs(current, proposed),
        staleness=_staleness(change, live, past),
    )


def proposed_record(change: PendingChange, live: Live | None, past: Past | None = None) -> dict | None:
    """The record that an open change asks for; the bare payload where it is no valid record."""
    try:
        return proposed_state(change, target_live(change, live, at=change.requested_at, past=past))
    except PendingChangePayloadError:
        return change.payload_as_dict()


def _staleness(change: PendingChange, live: Live | None, past: Past | None) -> Staleness | None:
    if change.status not in OPEN_STATUSES:
        return None
    try:
        return verdict(change, live, at=change.requested_at, past=past).staleness
    except PendingChangePayloadError:
        return None


@dataclass(frozen=True, slots=True)
class PreviewedConflict:
    """Why a change would fail if it were applied now; `reason` is None where its payload is the reason.

    `found` is the record as the change would find it, `after` the earlier change of the same run that would
    have written it; None where no other change of the run gets there first.
    """

    change: PendingChange
    detail: str
    reason: Reason | None
    fields: tuple[str, ...]
    found: dict | None = None
    after: int | None = None


def apply_preview(change_ids: Sequence[int]) -> list[PreviewedConflict]:
    """What would fail if these changes, once approved, were applied in this order. Writes and locks nothing.

    Unlike an apply, it goes on after a conflict, as if that change had been left out. Ids that are not open
    changes are passed over.
    """
    found = PendingChange.objects.open().with_ids(change_ids).in_bulk()
    changes = [found[change_id] for change_id in dict.fromkeys(change_ids) if change_id in found]
    lives: dict[ModelKey, Live | None] = dict(lives_read(map(_model_key, changes)))
    pasts = pasts_read(changes)
    writers: dict[ModelKey, int] = {}
    now = int(time.time())
    conflicts = []
    for change in changes:
        key = _model_key(change)
        before = lives.get(key)
        conflict, lives[key] = _previewed(change, before, pasts.get(change.change_id), at=now)
        if conflict is not None:
            found = live_form(change.domain, change.category, before)
            conflicts.append(replace(conflict, found=found, after=writers.get(key)))
        elif lives[key] is not before:
            writers[key] = change.change_id
    return conflicts


def _previewed(
    change: PendingChange, live: Live | None, past: Past | None, *, at: int
) -> tuple[PreviewedConflict | None, Live | None]:
    """The conflict, if any, and the live record afterwards."""
    try:
        outcome = apply_verdict(change, live, at=at, past=past)
    except PendingChangePayloadError as error:
        return PreviewedConflict(change, str(error.detail), None, ()), live
    if outcome.staleness is not None:
        stale = outcome.staleness
        return PreviewedConflict(change, stale.sentence(change.model_name), stale.reason, stale.fields), live
    return None, live if outcome.is_fulfilled else outcome.target


def _model_key(change: PendingChange) -> ModelKey:
    return change.category, change.model_name
