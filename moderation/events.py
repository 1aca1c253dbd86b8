"""The log: one row for every act on a record or on the queue, written in the transaction of the act.

Each row's hash covers its fields and the hash of the row before it, so that a row changed behind the back of
the application breaks the chain.
"""

import hashlib
import json
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from django.conf import settings

from moderation.actors import Actor
from moderation.models import AuditEvent, AuditHead, PendingChange
from moderation.states import Action, Operation
from references.batches import batches
from references.journal import OrderWrite, RecordWrite, StructureWrite
from references.services import json_text
from references.vocabulary import CanonicalFormat


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


def events_append(drafts: Iterable[EventDraft], *, at: int) -> int | None:
    """Writes the events at the end of the log and returns the id of the last one.

    None where there is nothing to write, or the deployment keeps no log. Locks the end of the log until the
    transaction ends, so this comes after every other lock.
    """
    if not settings.AUDIT_ENABLED:
        return None
    head = None
    for batch in batches(drafts):
        head = head or head_lock()
        AuditEvent.objects.bulk_create([_chained(draft, head, at) for draft in batch])
    if head is None:
        return None
    head.save()
    return head.last_event_id


def event_append(draft: EventDraft, *, at: int) -> int | None:
    return events_append([draft], at=at)


def head_lock() -> AuditHead:
    """Where the log ends, locked until the end of the transaction."""
    heads = AuditHead.objects.select_for_update().filter(pk=AuditHead.ROW)
    if (head := heads.first()) is None:
        AuditHead.objects.bulk_create([AuditHead(pk=AuditHead.ROW)], ignore_conflicts=True)
        head = heads.get()
    return head


def event_hash(event: AuditEvent) -> str:
    """The hash the event must have, from its fields and `previous_hash`."""
    covered = [
        event.previous_hash,
        event.event_id,
        event.timestamp,
        event.domain,
        event.category,
        event.model_name,
        event.operation,
        event.logical_user_id,
        event.request_id,
        event.payload,
    ]
    return hashlib.sha256(json.dumps(covered).encode()).hexdigest()


def queue_draft(
    action: Action, *, by: Actor, domain: str, model_name: str, request_id: str | None = None, **after: object
) -> EventDraft:
    """An act on the queue; facts that are None are left out."""
    known = {key: value for key, value in after.items() if value is not None}
    return EventDraft(
        domain=domain,
        category=AuditEvent.QUEUE,
        model_name=model_name,
        operation=Operation.UPDATE.value,
        logical_user_id=by.user_id,
        payload={"after": {"action": action.value, **known}},
        request_id=request_id,
    )


def change_draft(
    action: Action, change: PendingChange, *, by: Actor, request_id: str | None = None, **after: object
) -> EventDraft:
    """An act on one change."""
    return queue_draft(
        action,
        by=by,
        domain=change.domain,
        model_name=str(change.change_id),
        request_id=request_id,
        change_id=change.change_id,
        **after,
    )


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


_is_unlogged = ContextVar("is_unlogged", default=False)


@contextmanager
def unlogged() -> Iterator[None]:
    """For writes that bring live records in step with the log: they are in it already."""
    token = _is_unlogged.set(True)
    try:
        yield
    finally:
        _is_unlogged.reset(token)


def is_logging() -> bool:
    """Whether writes of live records become events."""
    return settings.AUDIT_ENABLED and not _is_unlogged.get()


def writes_log(writes: Sequence[RecordWrite]) -> None:
    """For the journal of the reference: turns writes of live records into events."""
    if is_logging():
        events_append(map(_write_draft, writes), at=int(time.time()))


def order_log(write: OrderWrite) -> None:
    """For the journal of the reference: the new places of all records that moved are one event."""
    if not is_logging():
        return
    draft = EventDraft(
        domain=CanonicalFormat(settings.CANONICAL_FORMAT).value,
        category=AuditEvent.ORDER,
        model_name=write.category,
        operation=Operation.UPDATE.value,
        logical_user_id=write.actor,
        payload={"positions": dict(write.positions)},
    )
    event_append(draft, at=int(time.time()))


def structure_log(write: StructureWrite) -> None:
    """For the journal of the reference: the same for aliases, families and naming schemas of text groups."""
    states = {"kind": write.kind, "before": write.before, "after": write.after}
    draft = EventDraft(
        domain=CanonicalFormat(settings.CANONICAL_FORMAT).value,
        category=AuditEvent.STRUCTURE,
        model_name=write.name,
        operation=write.operation,
        logical_user_id=write.actor,
        payload={key: state for key, state in states.items() if state is not None},
    )
    event_append(draft, at=int(time.time()))


def _write_draft(write: RecordWrite) -> EventDraft:
    return EventDraft(
        domain=CanonicalFormat(settings.CANONICAL_FORMAT).value,
        category=write.category,
        model_name=write.name,
        operation=write.operation,
        logical_user_id=write.actor,
        payload=write_payload(write),
        request_id=write.request_id,
    )


def write_payload(write: RecordWrite) -> dict:
    """`before` and `after` are v2 records; legacy objects stored beside them follow, and the record's place."""
    states = {
        "before": write.before,
        "after": write.after,
        "legacy_before": write.legacy_before,
        "legacy_after": write.legacy_after,
        "position": write.position,
    }
    payload = {key: state for key, state in states.items() if state is not None}
    if write.before is not None and write.after is not None:
        return {"delta": _delta(write.before, write.after), **payload}
    return payload


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


def _chained(draft: EventDraft, head: AuditHead, at: int) -> AuditEvent:
    """The draft as the next row of the log; moves the head."""
    event = AuditEvent(
        event_id=head.last_event_id + 1,
        timestamp=at,
        domain=draft.domain,
        category=draft.category,
        model_name=draft.model_name,
        operation=draft.operation,
        logical_user_id=draft.logical_user_id,
        request_id=draft.request_id,
        payload=json_text(draft.payload),
        previous_hash=head.last_hash,
    )
    event.hash = event_hash(event)
    head.last_event_id, head.last_hash = event.event_id, event.hash
    return event
