"""What was done to one live record, step by step, as pages show it."""

from collections.abc import Sequence
from dataclasses import dataclass

from moderation import audit
from moderation.models import AuditEvent, PendingChange
from moderation.pages.change_view import DiffRows, state_rows
from moderation.querysets import MAX_ID
from moderation.states import Operation
from references.journal import SYSTEM

STEP_LABELS = {"create": "Added", "update": "Changed", "delete": "Removed"}
STEP_TONES = {"create": "good", "update": "accent", "delete": "critical"}


@dataclass(frozen=True, slots=True)
class Step:
    """One write of a live record; `change` is the change that was applied by it, where it came from one."""

    event: AuditEvent
    rows: DiffRows
    is_critical: bool
    change: PendingChange | None = None

    @property
    def label(self) -> str:
        return STEP_LABELS[self.event.operation]

    @property
    def tone(self) -> str:
        return STEP_TONES[self.event.operation]

    @property
    def is_whole(self) -> bool:
        """Whether the record came or went, so that each of its fields is listed."""
        return self.event.operation != Operation.UPDATE

    @property
    def who(self) -> str:
        """Who wrote it: by name where a change tells it."""
        if self.change is not None and self.change.applied_username:
            return self.change.applied_username
        return "the service" if self.event.logical_user_id == SYSTEM else self.event.logical_user_id


@dataclass(frozen=True, slots=True)
class StepPage:
    """Steps from the newest down; `next_cursor` is the last one shown where older ones remain."""

    steps: Sequence[Step]
    next_cursor: int | None


def record_steps(category: str, name: str, *, cursor: int | None = None, limit: int) -> StepPage:
    """The steps before the event `cursor`: two queries, however long the history is."""
    events = audit.model_history(category, name).order_by("-event_id")
    if cursor is not None:
        events = events.filter(event_id__lt=min(cursor, MAX_ID))
    found = list(events[: limit + 1])
    shown = found[:limit]
    changes = _applied_changes(category, name, shown)
    steps = [_step(event, changes.get((event.request_id, event.event_id))) for event in shown]
    return StepPage(steps, shown[-1].event_id if len(found) > limit else None)


def _step(event: AuditEvent, change: PendingChange | None) -> Step:
    payload = event.payload_as_dict()
    before, after = payload.get("before"), payload.get("after")
    rows = state_rows(event.category, before, after)
    if not rows.telling and "legacy_after" in payload:
        rows = state_rows(event.category, payload.get("legacy_before"), payload["legacy_after"])
    return Step(event, rows, rows.is_critical, change)


def _applied_changes(
    category: str, name: str, events: Sequence[AuditEvent]
) -> dict[tuple[str | None, int], PendingChange]:
    """The changes that were applied by these writes. Applying is logged right after the write it made."""
    if not events:
        return {}
    changes = (
        PendingChange.recorded.of_model(category, name)
        .applied()
        .filter(applied_event_id__in=[event.event_id + 1 for event in events])
        .defer("payload", "base_record", "live_before", "live_after")
    )
    return {(change.applied_job_id, change.applied_event_id - 1): change for change in changes}
