"""Puts approved changes into the live reference."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from uuid import uuid4

from django.db import DatabaseError, connection, transaction
from django.db.models import F
from rest_framework.exceptions import NotFound

from moderation.actors import Actor
from moderation.event_drafts import apply_draft
from moderation.events import event_append
from moderation.live import Live, live_form, live_read, reverted_ids
from moderation.models import PendingChange, QueueState
from moderation.problems import (
    ApplyError,
    PendingChangeBackendError,
    PendingChangeConflictError,
    PendingChangeNotFoundError,
    PendingChangePayloadError,
    PendingChangeStateError,
)
from moderation.reverts import pasts_read
from moderation.services.batches import BatchSplit, batch_split, batches_touch
from moderation.services.transactions import (
    categories_lock,
    changes_lock,
    clock,
    in_one_transaction,
    is_transient,
    length_check,
    queue_lock,
)
from moderation.states import Action, OnConflict, Status
from moderation.verdicts import apply_verdict
from references.models import Category
from references.problems import BadRequest
from references.services import record_delete, record_put, source_reinstate

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ApplyResult:
    """What a request applied, in the order it asked for, and the change it stopped at, if any.

    `status` is that of the answer: of the failure, or 200.
    """

    applied: tuple[PendingChange, ...] = ()
    failed_change_id: int | None = None
    failure: ApplyError | None = None
    split: BatchSplit | None = None

    @property
    def status(self) -> int:
        return HTTPStatus.OK.value if self.failure is None else int(self.failure.status_code)

    @property
    def failed_error(self) -> str | None:
        return None if self.failure is None else str(self.failure.detail)

    @property
    def failed_error_type(self) -> str | None:
        return None if self.failure is None else type(self.failure).__name__


@dataclass(frozen=True, slots=True)
class _Request:
    """Who applies, when, for which job, and what becomes of changes that are stale."""

    actor: Actor
    at: int
    job_id: str | None
    on_conflict: OnConflict

    def holds(self, change: PendingChange) -> bool:
        """Whether this very job has applied the change before."""
        return (
            self.job_id is not None
            and change.status == Status.APPLIED
            and change.applied_job_id == self.job_id
        )


def change_apply(
    *,
    actor: Actor,
    change_id: int,
    job_id: str | None = None,
    on_conflict: OnConflict | str = OnConflict.FAIL,
    at: int | None = None,
) -> ApplyResult:
    """Applies one change, or raises what keeps it from being applied."""
    result = _single_apply(_request(actor, at, job_id, on_conflict), change_id)
    if result.failure is not None:
        raise result.failure
    return result


@in_one_transaction
def _single_apply(request: _Request, change_id: int) -> ApplyResult:
    state = queue_lock()
    changes = changes_lock([change_id])
    if change_id not in changes:
        raise PendingChangeNotFoundError(change_id)
    return _apply(request, state, [changes[change_id]])


@in_one_transaction
def changes_apply(
    *,
    actor: Actor,
    change_ids: Iterable[int],
    job_id: str | None = None,
    allow_mixed_batch: bool = False,
    on_conflict: OnConflict | str = OnConflict.FAIL,
    at: int | None = None,
) -> ApplyResult:
    """Applies changes in the order given, up to the first that fails; those before it stay applied.

    Raises NotFound for an id that is not there and BadRequest for changes of several batches, both before
    anything is applied.
    """
    request = _request(actor, at, job_id, on_conflict)
    ids = list(dict.fromkeys(change_ids))
    state = queue_lock()
    locked = changes_lock(ids)
    for change_id in ids:
        if change_id not in locked:
            raise PendingChangeNotFoundError(change_id)
    changes = [locked[change_id] for change_id in ids]
    if not allow_mixed_batch:
        _one_batch_check([change for change in changes if not request.holds(change)])
    return _apply(request, state, changes)


@in_one_transaction
def batch_apply(
    *,
    actor: Actor,
    batch_id: int,
    job_id: str | None = None,
    on_conflict: OnConflict | str = OnConflict.FAIL,
    at: int | None = None,
) -> ApplyResult:
    """Applies what is approved in the batch; nothing where all of it is applied already.

    Raises NotFound for a batch that is not there, or of which nothing was approved.
    """
    request = _request(actor, at, job_id, on_conflict)
    state = queue_lock()
    members = PendingChange.objects.in_batch(batch_id)
    statuses = set(members.order_by().values_list("status", flat=True).distinct())
    if not statuses:
        raise NotFound(f"No changes found for batch {batch_id}")
    if not statuses & {Status.APPROVED, Status.APPLIED}:
        raise NotFound(f"No approved changes found in batch {batch_id}")
    return _apply(request, state, list(members.approved().oldest_first().select_for_update()))


def _request(actor: Actor, at: int | None, job_id: str | None, on_conflict: OnConflict | str) -> _Request:
    """Raises Unprocessable for a job id that is too long."""
    job_id = (job_id or "").strip()
    length_check("job id", job_id, "applied_job_id")
    return _Request(actor, clock(at), job_id or None, OnConflict(on_conflict))


def _one_batch_check(changes: Sequence[PendingChange]) -> None:
    for change in changes:
        if change.batch_id is None:
            raise PendingChangeStateError(change.change_id, needed=Status.APPROVED, status=change.status)
    numbers = sorted({change.batch_id for change in changes})
    if len(numbers) > 1:
        raise BadRequest(f"All changes must belong to the same batch. Found batch IDs: {numbers}")


def _apply(request: _Request, state: QueueState, changes: Sequence[PendingChange]) -> ApplyResult:
    """Applies locked changes, and splits the batch of those that it put live."""
    categories_lock({change.category for change in changes})
    applied: list[PendingChange] = []
    batches: set[int] = set()
    brought_back: set[str] = set()
    failed = failure = split = None
    for change in changes:
        if not request.holds(change):
            if failure := _attempt(request, change):
                failed = change.change_id
                break
            batches.add(change.batch_id)
            if reverted_ids(change):
                brought_back.add(change.category)
        applied.append(change)
    for category in sorted(brought_back):
        source_reinstate(category=category)
    # All approved changes are in one batch, so that there can be only one to split.
    for number in batches:
        split = batch_split(
            state=state, number=number, by=request.actor, at=request.at, request_id=request.job_id
        )
    return ApplyResult(tuple(applied), failed, failure, split)


def _attempt(request: _Request, change: PendingChange) -> ApplyError | None:
    """Applies one change, or leaves nothing of the attempt but the category's count of errors."""
    try:
        with transaction.atomic():
            _apply_one(request, change)
    except PendingChangeStateError as error:
        return error
    except (PendingChangePayloadError, PendingChangeConflictError) as error:
        failure = error
    except DatabaseError as error:
        # A full disk ends all of the transaction, and what was applied before is not there either.
        if is_transient(error) or connection.needs_rollback:
            raise
        logger.exception("Change %d could not be applied", change.change_id)
        failure = PendingChangeBackendError(f"The store failed on change {change.change_id}.")
    else:
        return None
    Category.objects.filter(pk=change.category).update(error_count=F("error_count") + 1)
    return failure


def _apply_one(request: _Request, change: PendingChange) -> None:
    change.require(Action.APPLY)
    live = live_read(change.category, change.model_name)
    past = pasts_read([change]).get(change.change_id)
    outcome = apply_verdict(change, live, at=request.at, past=past)
    if outcome.staleness and request.on_conflict is OnConflict.FAIL:
        raise PendingChangeConflictError(
            outcome.staleness.sentence(change.model_name, with_reason=True),
            reason=outcome.staleness.reason,
            fields=outcome.staleness.fields,
        )
    job_id = request.job_id or f"apply-{change.change_id}-{uuid4().hex}"
    after = live if outcome.is_fulfilled else _live_write(request, change, live, outcome.target, job_id)
    draft = apply_draft(change, by=request.actor, job_id=job_id)
    event_id = event_append(draft, at=request.at)
    change.mark_applied(
        by=request.actor,
        at=request.at,
        job_id=job_id,
        event_id=event_id,
        before=live_form(change.domain, change.category, live),
        after=live_form(change.domain, change.category, after),
    )
    change.save()
    batches_touch([change.batch_id], event_id)


def _live_write(
    request: _Request, change: PendingChange, live: Live | None, target: Live | None, job_id: str
) -> Live | None:
    """Writes the record and returns it as it is stored; deleting what is gone already writes nothing."""
    written_by = {"actor": request.actor.user_id, "request_id": job_id, "at": request.at}
    if target is None:
        if live is not None:
            record_delete(category=change.category, name=change.model_name, **written_by)
        return None
    write = record_put(
        category=change.category,
        name=change.model_name,
        record=target.record,
        legacy=target.legacy,
        position=target.position,
        **written_by,
    )
    return Live(write.after, write.legacy_after)
