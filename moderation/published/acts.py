"""The queue as it was at one line of the published log; each act on it becomes a draft of an event."""

from dataclasses import dataclass, field

from moderation.actors import Actor
from moderation.conflicts import digest
from moderation.events import EventDraft, change_draft, enqueue_draft, queue_draft
from moderation.models import AuditEvent, PendingChange, json_text_or_null
from moderation.problems import PendingChangeStateError
from moderation.published.changes import PublishedChange
from moderation.published.parsing import StoreError
from moderation.states import TRANSITIONS, Action, Operation
from references.vocabulary import CanonicalFormat

DOMAIN = CanonicalFormat.V2.value
NO_REASON = "No reason is recorded."


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

    def approve(self, row: PendingChange, *, by: Actor, batch_id: int, title: str, place: str) -> EventDraft:
        _move(row, Action.APPROVE, place)
        self.batches.add(batch_id)
        return change_draft(
            Action.APPROVE, row, by=by, batch_id=batch_id, batch_title=title, username=by.username
        )

    def reject(
        self,
        row: PendingChange,
        *,
        by: Actor,
        batch_id: int | None,
        title: str,
        reason: str | None,
        place: str,
    ) -> EventDraft:
        _move(row, Action.REJECT, place)
        if batch_id is not None:
            self.batches.add(batch_id)
        return change_draft(
            Action.REJECT,
            row,
            by=by,
            batch_id=batch_id,
            batch_title=title,
            reason=reason or NO_REASON,
            username=by.username,
        )

    def apply(
        self, row: PendingChange, *, by: Actor, batch_id: int, job_id: str | None, place: str
    ) -> EventDraft:
        _move(row, Action.APPLY, place)
        job_id = job_id or f"apply-{row.change_id}"
        return change_draft(
            Action.APPLY,
            row,
            by=by,
            request_id=job_id,
            batch_id=batch_id,
            job_id=job_id,
            username=by.username,
        )

    def purge(self, row: PendingChange, *, by: Actor) -> EventDraft:
        del self.rows[row.change_id]
        self.gone.add(row.change_id)
        return change_draft(
            Action.PURGE,
            row,
            by=by,
            category=row.category,
            model=row.model_name,
            requested_by=row.requested_by,
            purged_by_username=by.username,
        )

    def split(self, *, by: Actor, original: int, new: int, moved: list[int], reason: str) -> EventDraft:
        self.batches.add(new)
        return queue_draft(
            Action.SPLIT,
            by=by,
            domain=DOMAIN,
            model_name=AuditEvent.WHOLE_QUEUE,
            original_batch_id=original,
            new_batch_id=new,
            reassigned_change_ids=moved,
            reason=reason,
        )


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
