"""The log: one row for every act on a record or on the queue, written in the transaction of the act.

Each row's hash covers its fields and the hash of the row before it, so that a row changed behind the back of
the application breaks the chain.
"""

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

from django.conf import settings

from moderation.event_drafts import EventDraft, order_draft, structure_draft, write_draft
from moderation.live import canonical_domain
from moderation.locks import row_lock
from moderation.models import AuditEvent, AuditHead
from references.batches import batches
from references.journal import OrderWrite, RecordWrite, StructureWrite
from references.services import json_text


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
    return row_lock(AuditHead)


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
    _log(write_draft, writes)


def order_log(write: OrderWrite) -> None:
    """For the journal of the reference: records that changed places."""
    _log(order_draft, [write])


def structure_log(write: StructureWrite) -> None:
    """For the journal of the reference: an alias entry, a family, or a naming schema of text groups."""
    _log(structure_draft, [write])


def _log(
    draft: Callable[..., EventDraft], writes: Iterable[RecordWrite | OrderWrite | StructureWrite]
) -> None:
    if is_logging():
        domain = canonical_domain().value
        events_append((draft(write, domain=domain) for write in writes), at=int(time.time()))


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
