"""The numbers of batches and what they remember. Call these with the queue locked."""

from collections.abc import Iterable
from dataclasses import dataclass

from moderation.actors import Actor
from moderation.event_drafts import split_draft
from moderation.events import event_append
from moderation.live import canonical_domain
from moderation.models import Batch, PendingChange, QueueState


@dataclass(frozen=True, slots=True)
class BatchSplit:
    """The approved changes that an apply left behind, moved to a batch of their own."""

    original_batch_id: int
    new_batch_id: int
    reassigned_change_ids: tuple[int, ...]


def open_batch_id() -> int | None:
    """The batch that holds the approved changes; there is never more than one."""
    return PendingChange.objects.approved().order_by().values_list("batch_id", flat=True).first()


def batch_join(*, state: QueueState, title: str, by: Actor, at: int) -> Batch:
    """The open batch under its new title, or a new one."""
    number = open_batch_id()
    if number is None:
        return batch_create(state=state, title=title, approved_by=by.user_id, approved_at=at)
    batch = Batch.objects.get(pk=number)
    batch.title = title
    batch.save(update_fields=["title"])
    return batch


def batch_create(*, state: QueueState, title: str, approved_by: str, approved_at: int) -> Batch:
    state.last_batch_id += 1
    state.save(update_fields=["last_batch_id"])
    return Batch.objects.create(
        number=state.last_batch_id, title=title, approved_by=approved_by, approved_at=approved_at
    )


def batch_split(
    *, state: QueueState, number: int, by: Actor, at: int, request_id: str | None
) -> BatchSplit | None:
    """Moves what is still approved in the batch to a new one, if anything is."""
    left_behind = PendingChange.objects.approved().in_batch(number)
    ids = tuple(left_behind.oldest_first().values_list("change_id", flat=True))
    if not ids:
        return None
    original = Batch.objects.get(pk=number)
    new = batch_create(
        state=state, title=original.title, approved_by=original.approved_by, approved_at=original.approved_at
    )
    left_behind.update(batch_id=new.number, updated_at=at)
    original.retitle(PendingChange.recorded.in_batch(number).only("approved_at", "batch_title"))
    original.save(update_fields=["title"])
    draft = split_draft(
        by=by,
        domain=canonical_domain().value,
        original=number,
        new=new.number,
        moved=ids,
        request_id=request_id,
    )
    batches_touch([number, new.number], event_append(draft, at=at))
    return BatchSplit(number, new.number, ids)


def batches_touch(numbers: Iterable[int | None], event_id: int | None) -> None:
    """Remembers the latest event that the batches had a part in."""
    if event_id is not None:
        Batch.objects.filter(pk__in={number for number in numbers if number is not None}).update(
            last_event_id=event_id
        )
