"""What goes into the log, act by act and write by write. The order of the members counts: it is hashed as it is."""

from collections.abc import Sequence
from dataclasses import dataclass

from moderation.actors import Actor
from moderation.models import AuditEvent, PendingChange
from moderation.states import Action, Operation
from references.journal import OrderWrite, RecordWrite, StructureWrite
from references.services import json_text

# Why a batch is split, as the log has it.
PARTIAL_APPLY = "partial_apply"
# What replaying needs on top of what the audit views show of an act on the queue.
HIDDEN_KEYS = frozenset(
    {
        "payload",
        "requested_username",
        "notes",
        "request_metadata",
        "related_models",
        "base_record",
        "base_digest",
        "username",
    }
)


@dataclass(frozen=True, slots=True)
class EventDraft:
    """An event without its place in the log."""

    domain: str
    category: str
    model_name: str
    operation: str
    logical_user_id: str
    payload: dict
    request_id: str | None = None


def enqueue_draft(change: PendingChange, *, by: Actor) -> EventDraft:
    """A proposal, with all that it takes to queue it again."""
    return change_draft(
        Action.ENQUEUE,
        change,
        by=by,
        operation=change.operation,
        category=change.category,
        model=change.model_name,
        payload=change.payload_as_dict(),
        requested_username=change.requested_username,
        notes=change.notes,
        request_metadata=change.request_metadata_as_dict(),
        related_models=change.related_models_as_list(),
        base_record=change.base_as_dict(),
        base_digest=change.base_digest,
    )


def decision_draft(action: Action, change: PendingChange, *, by: Actor) -> EventDraft:
    """An approval, or a rejection, with the batch and the reason that the change has by now."""
    return change_draft(
        action,
        change,
        by=by,
        batch_id=change.batch_id,
        batch_title=change.batch_title,
        reason=change.reject_reason,
        username=by.username,
    )


def apply_draft(change: PendingChange, *, by: Actor, job_id: str) -> EventDraft:
    return change_draft(
        Action.APPLY,
        change,
        by=by,
        request_id=job_id,
        batch_id=change.batch_id,
        job_id=job_id,
        username=by.username,
    )


def purge_draft(change: PendingChange, *, by: Actor) -> EventDraft:
    return change_draft(
        Action.PURGE,
        change,
        by=by,
        category=change.category,
        model=change.model_name,
        requested_by=change.requested_by,
        purged_by_username=by.username,
    )


def split_draft(
    *,
    by: Actor,
    domain: str,
    original: int,
    new: int,
    moved: Sequence[int],
    reason: str = PARTIAL_APPLY,
    request_id: str | None = None,
) -> EventDraft:
    """The numbers of two batches, and the ids of the changes that went from one to the other."""
    return _queue_draft(
        Action.SPLIT,
        by=by,
        domain=domain,
        model_name=AuditEvent.WHOLE_QUEUE,
        request_id=request_id,
        original_batch_id=original,
        new_batch_id=new,
        reassigned_change_ids=list(moved),
        reason=reason,
    )


def change_draft(
    action: Action, change: PendingChange, *, by: Actor, request_id: str | None = None, **after: object
) -> EventDraft:
    """An act on one change; facts that are None are left out."""
    return _queue_draft(
        action,
        by=by,
        domain=change.domain,
        model_name=str(change.change_id),
        request_id=request_id,
        change_id=change.change_id,
        **after,
    )


def _queue_draft(
    action: Action, *, by: Actor, domain: str, model_name: str, request_id: str | None, **after: object
) -> EventDraft:
    return EventDraft(
        domain=domain,
        category=AuditEvent.QUEUE,
        model_name=model_name,
        operation=Operation.UPDATE.value,
        logical_user_id=by.user_id,
        payload={"after": {"action": action.value, **_known(after)}},
        request_id=request_id,
    )


def write_draft(write: RecordWrite, *, domain: str) -> EventDraft:
    """`before` and `after` are v2 records; legacy objects stored beside them follow, and the record's place."""
    states = {
        "before": write.before,
        "after": write.after,
        "legacy_before": write.legacy_before,
        "legacy_after": write.legacy_after,
        "position": write.position,
    }
    delta = None
    if write.before is not None and write.after is not None:
        delta = _delta(write.before, write.after)
    return EventDraft(
        domain=domain,
        category=write.category,
        model_name=write.name,
        operation=write.operation,
        logical_user_id=write.actor,
        payload=_known({"delta": delta, **states}),
        request_id=write.request_id,
    )


def order_draft(write: OrderWrite, *, domain: str) -> EventDraft:
    """The new places of all records that moved are one event."""
    return EventDraft(
        domain=domain,
        category=AuditEvent.ORDER,
        model_name=write.category,
        operation=Operation.UPDATE.value,
        logical_user_id=write.actor,
        payload={"positions": dict(write.positions)},
    )


def structure_draft(write: StructureWrite, *, domain: str) -> EventDraft:
    """Of aliases, families and naming schemas of text groups."""
    return EventDraft(
        domain=domain,
        category=AuditEvent.STRUCTURE,
        model_name=write.name,
        operation=write.operation,
        logical_user_id=write.actor,
        payload=_known({"kind": write.kind, "before": write.before, "after": write.after}),
    )


def _known(facts: dict[str, object]) -> dict[str, object]:
    return {name: fact for name, fact in facts.items() if fact is not None}


def _delta(before: dict, after: dict) -> dict:
    """The top-level keys that differ; an entry without `new` is a key that went."""
    delta = {}
    for key in {**before, **after}:
        entry = {"old": before.get(key)}
        if key in after:
            entry["new"] = after[key]
        if key not in after or key not in before or json_text(before[key]) != json_text(after[key]):
            delta[key] = entry
    return delta
