"""The queue as it was at one line of the published log; each act on it becomes a draft of an event."""

from dataclasses import dataclass, field

from moderation.actors import Actor
from moderation.conflicts import digest
from moderation.event_drafts import (
    EventDraft,
    apply_draft,
    decision_draft,
    enqueue_draft,
    purge_draft,
    split_draft,
)
from moderation.models import PendingChange, json_text_or_null
from moderation.problems import PendingChangeStateError
from moderation.published.changes import PublishedChange
from moderation.published.parsing import StoreError
from moderation.states import TRANSITIONS, Action, Operation
from references.vocabulary import CanonicalFormat

DOMAIN = CanonicalFormat.V2.value
NO_REASON = "No reason is recorded."


@dataclass(frozen=True, slots=True)
class Decision:
    """What is known of an approval, a rejection or an apply; `place` is where it was read."""

    by: Actor
    place: str
    batch_id: int | None
    title: str
    reason: str | None = None
    job_id: str | None = None


@dataclass(slots=True)
class Queue:
    """`rows` are the changes in the queue by id, `gone` the ids of those that left it or are not carried over."""

    rows: dict[int, PendingChange] = field(default_factory=dict)
    gone: set[int] = field(default_factory=set)
    batches: set[int] = field(default_factory=set)

    def enqueue(
        self, change: PublishedChange, *, payload: dict | None, base: dict | None, by: Actor
    ) -> EventDraft:
        """`base` is the live record at that time; None for a create."""
        row = self.rows[change.change_id] = PendingChange(
            change_id=change.change_id,
            category=change.category,
            model_name=change.model_name,
            operation=change.operation.value,
            domain=DOMAIN,
            payload=json_text_or_null(payload),
            requested_by=by.user_id,
            requested_username=by.username,
            notes=change.notes,
            request_metadata=json_text_or_null(change.request_metadata),
            related_models=json_text_or_null(change.related_models),
            base_record=json_text_or_null(base),
            base_digest=digest(base),
        )
        return enqueue_draft(row, by=by)

    def decide(self, row: PendingChange, action: Action, decision: Decision) -> EventDraft:
        """Approves, rejects or applies; raises StoreError where the change is not where the act begins."""
        _move(row, action, decision.place)
        row.batch_id, row.batch_title = decision.batch_id, decision.title
        if action is Action.APPLY:
            job_id = decision.job_id or f"apply-{row.change_id}"
            return apply_draft(row, by=decision.by, job_id=job_id)
        if decision.batch_id is not None:
            self.batches.add(decision.batch_id)
        if action is Action.REJECT:
            row.reject_reason = decision.reason or NO_REASON
        return decision_draft(action, row, by=decision.by)

    def purge(self, row: PendingChange, *, by: Actor) -> EventDraft:
        del self.rows[row.change_id]
        self.gone.add(row.change_id)
        return purge_draft(row, by=by)

    def split(self, *, by: Actor, original: int, new: int, moved: list[int], reason: str) -> EventDraft:
        self.batches.add(new)
        return split_draft(by=by, domain=DOMAIN, original=original, new=new, moved=moved, reason=reason)


def base_of(change: PublishedChange, payload: dict | None, live: dict | None) -> dict | None:
    """The record a change was made from, as far as it is known; an unknown one is empty, which fits no live one."""
    if change.operation is Operation.CREATE:
        return None
    if live is not None:
        return live
    return (payload if change.operation is Operation.DELETE else None) or {}


def _move(row: PendingChange, action: Action, place: str) -> None:
    try:
        row.require(action)
    except PendingChangeStateError as error:
        raise StoreError(f"{place}: {error.detail}") from error
    row.status = TRANSITIONS[action].target.value
