"""What reviewers and requestors decide about changes that are not yet applied."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from django.conf import settings

from moderation.actors import Actor
from moderation.event_drafts import change_draft, decision_draft, purge_draft
from moderation.events import event_append, events_append
from moderation.models import PendingChange
from moderation.problems import PendingChangeNotFoundError
from moderation.services.batches import batch_join, batches_touch
from moderation.services.transactions import (
    changes_lock,
    clock,
    in_one_transaction,
    length_check,
    queue_lock,
)
from moderation.states import WITHDRAWN_REASON, Action
from references.batches import WRITE_BATCH
from references.problems import BadRequest, Unprocessable


@dataclass(frozen=True, slots=True)
class BatchDecision:
    """What one review decided; `batch_id` is None where it only rejected."""

    batch_id: int | None
    batch_title: str
    approved: tuple[PendingChange, ...]
    rejected: tuple[PendingChange, ...]


@in_one_transaction
def batch_decide(
    *,
    actor: Actor,
    title: str,
    approved_ids: Iterable[int] = (),
    rejected_ids: Iterable[int] = (),
    reject_reason: str | None = None,
    at: int | None = None,
) -> BatchDecision:
    """Approves changes into the open batch, or a new one, and rejects others: all of it or nothing.

    Raises Unprocessable for a request that makes no sense, BadRequest for a change that is not there or not
    pending.
    """
    now = clock(at)
    title, reason = title.strip(), (reject_reason or "").strip()
    to_approve, to_reject = _effective(approved_ids), _effective(rejected_ids)
    _decision_check(title, reason, to_approve, to_reject)
    state = queue_lock()
    changes = changes_lock(to_approve | to_reject)
    for change_id in sorted(to_approve | to_reject):
        _decidable_check(change_id, changes.get(change_id), actor=actor, approving=change_id in to_approve)
    batch = batch_join(state=state, title=title, by=actor, at=now) if to_approve else None
    batch_id = batch.number if batch else None
    approved = tuple(change for change_id, change in changes.items() if change_id in to_approve)
    rejected = tuple(change for change_id, change in changes.items() if change_id in to_reject)
    for change in approved:
        change.mark_approved(by=actor, at=now, batch_id=batch_id, batch_title=title)
    for change in rejected:
        change.mark_rejected(by=actor, at=now, reason=reason, batch_id=batch_id, batch_title=title)
    drafts = []
    for change_id, change in changes.items():
        change.save()
        action = Action.APPROVE if change_id in to_approve else Action.REJECT
        drafts.append(decision_draft(action, change, by=actor))
    batches_touch([batch_id], events_append(drafts, at=now))
    return BatchDecision(batch_id, title, approved, rejected)


@in_one_transaction
def change_withdraw(
    *,
    actor: Actor,
    change_id: int,
    reason: str | None = None,
    as_approver: bool = False,
    at: int | None = None,
) -> PendingChange:
    """Takes a pending change back. To anyone but its owner and approvers, there is no such change.

    Raises Unprocessable for a reason that is too long.
    """
    now = clock(at)
    reason = (reason or "").strip() or WITHDRAWN_REASON
    length_check("reason", reason, "reject_reason")
    queue_lock()
    change = _locked(change_id)
    if change.requested_by != actor.user_id and not as_approver:
        raise PendingChangeNotFoundError(change_id)
    change.mark_withdrawn(by=actor, at=now, reason=reason)
    change.save()
    event_append(
        change_draft(Action.WITHDRAW, change, by=actor, reason=reason, username=actor.username), at=now
    )
    return change


@in_one_transaction
def change_reopen(
    *, actor: Actor, change_id: int, reason: str | None = None, at: int | None = None
) -> PendingChange:
    """Takes an approval back: the change is pending again."""
    now = clock(at)
    queue_lock()
    change = _locked(change_id)
    batch_id = change.batch_id
    change.mark_reopened(at=now)
    change.save()
    draft = change_draft(
        Action.REOPEN, change, by=actor, reason=(reason or "").strip() or None, batch_id=batch_id
    )
    batches_touch([batch_id], event_append(draft, at=now))
    return change


@dataclass(frozen=True, slots=True)
class PurgeResult:
    """The changes that left the queue, or would."""

    removed_change_ids: tuple[int, ...]
    dry_run: bool


@in_one_transaction
def queue_purge(
    *,
    actor: Actor,
    statuses: Collection[str] = (),
    categories: Collection[str] = (),
    requested_by: Collection[str] = (),
    model_name: str = "",
    batch_id: int | None = None,
    change_ids: Collection[int] | None = None,
    purge_all: bool = False,
    dry_run: bool = False,
    at: int | None = None,
) -> PurgeResult:
    """Removes the changes that every given filter lets through.

    Raises Unprocessable where nothing narrows the request and it does not say that everything should go.
    """
    now = clock(at)
    is_narrowed = (
        any((statuses, categories, requested_by, model_name.strip(), change_ids)) or batch_id is not None
    )
    if not is_narrowed and not purge_all:
        raise Unprocessable("Give a filter, or say that everything is to be purged.")
    matching = PendingChange.objects.matching(
        statuses=statuses,
        categories=categories,
        requested_by=requested_by,
        model_name=model_name,
        batch_id=batch_id,
        change_ids=change_ids,
    ).oldest_first()
    if dry_run:
        return PurgeResult(tuple(matching.values_list("change_id", flat=True)), dry_run=True)
    queue_lock()
    changes = list(matching.without_states().defer("payload").select_for_update())
    _purge(changes, by=actor, at=now)
    return PurgeResult(tuple(change.change_id for change in changes), dry_run=False)


def _purge(changes: Sequence[PendingChange], *, by: Actor, at: int) -> None:
    for change in changes:
        change.purged_at = change.updated_at = at
    PendingChange.objects.bulk_update(changes, ["purged_at", "updated_at"], batch_size=WRITE_BATCH)
    last = events_append((purge_draft(change, by=by) for change in changes), at=at)
    if last is not None:
        first = last - len(changes) + 1
        latest = {change.batch_id: event_id for event_id, change in enumerate(changes, start=first)}
        for number, event_id in latest.items():
            batches_touch([number], event_id)


def _effective(ids: Iterable[int]) -> set[int]:
    return {number for number in ids if number > 0}


def _decision_check(title: str, reason: str, to_approve: set[int], to_reject: set[int]) -> None:
    if not title:
        raise Unprocessable("The batch needs a title.")
    length_check("title", title, "batch_title")
    length_check("reason", reason, "reject_reason")
    if not to_approve and not to_reject:
        raise Unprocessable("There is nothing to approve or reject.")
    if both := sorted(to_approve & to_reject):
        raise Unprocessable(f"Changes cannot be both approved and rejected: {both}")
    if to_reject and not reason:
        raise Unprocessable("Rejecting needs a reason.")


def _decidable_check(change_id: int, change: PendingChange | None, *, actor: Actor, approving: bool) -> None:
    if change is None:
        raise BadRequest(f"Change {change_id} does not exist.")
    change.require(Action.APPROVE if approving else Action.REJECT)
    if approving and settings.QUEUE_FORBID_SELF_APPROVAL and change.requested_by == actor.user_id:
        raise BadRequest(f"Change {change_id} is your own; someone else has to approve it.")


def _locked(change_id: int) -> PendingChange:
    change = changes_lock([change_id]).get(change_id)
    if change is None:
        raise PendingChangeNotFoundError(change_id)
    return change
