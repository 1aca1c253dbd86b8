"""Tells of the acts on the queue, and keeps the queue as it is at each of them."""

from collections.abc import Mapping

from moderation.actors import Actor, LoggedActor
from moderation.event_drafts import PARTIAL_APPLY
from moderation.live import Live, ModelKey
from moderation.models import PendingChange
from moderation.published.acts import Decision, Queue, base_of
from moderation.published.changes import LIMITS, PARTS, PublishedChange
from moderation.published.entries import History
from moderation.published.events import PublishedEvent
from moderation.published.facts import event_action, event_change_id, usernames
from moderation.published.parsing import JsonObject, StoreError
from moderation.published.reading import PublishedStore, record_renamed
from moderation.states import OPEN_STATUSES, Action, Operation, Status
from references.categories import CATEGORIES
from references.journal import SYSTEM

_SYSTEM = LoggedActor(SYSTEM, SYSTEM)
# The acts from where the log leaves a change to where the queue has it.
_MISSING: dict[tuple[Status, Status], tuple[Action, ...]] = {
    **{(status, status): () for status in Status},
    (Status.PENDING, Status.APPROVED): (Action.APPROVE,),
    (Status.PENDING, Status.APPLIED): (Action.APPROVE, Action.APPLY),
    (Status.PENDING, Status.REJECTED): (Action.REJECT,),
    (Status.APPROVED, Status.APPLIED): (Action.APPLY,),
}


class QueueTelling:
    """`live` are the records at the point that the telling has come to; `ended_at` is when the log ends."""

    def __init__(
        self, told: History, store: PublishedStore, *, live: Mapping[ModelKey, Live], ended_at: int
    ) -> None:
        self.told, self.store, self.live, self.ended_at = told, store, live, ended_at
        self.queue = Queue()
        self.names = usernames(store.changes.values())

    def tell_unlogged(self) -> None:
        """The proposals that the log does not tell of."""
        logged = {
            event_change_id(event) for event in self.store.events if event_action(event) is Action.ENQUEUE
        }
        for change in self.store.changes.values():
            if change.change_id not in logged:
                self.told.added.append(f"change {change.change_id}: enqueue")
                by = LoggedActor(change.requested_by, change.requested_username)
                self._enqueue(change, by, change.requested_at, None)

    def tell_act(self, event: PublishedEvent) -> None:
        after, action = event.payload.inner("after"), event_action(event)
        if action is None:
            self.told.leave_out(event, f"there is no act {after.members.get('action')!r}")
        elif action is Action.SPLIT:
            self._tell_split(event, after)
        elif action is Action.ENQUEUE:
            self._tell_proposal(event, after)
        elif (row := self.queue.rows.get(after.number("change_id"))) is None:
            self.told.leave_out(event, f"change {event_change_id(event)} is not carried over")
        elif action is Action.PURGE:
            self._tell_purge(row, event, after)
        else:
            draft = self.queue.decide(row, action, self._decision(row, action, event, after))
            self.told.add(draft, event.timestamp, event)

    def tell_the_rest(self) -> None:
        """What only the queue knows of."""
        for change in self.store.changes.values():
            self._complete(self.queue.rows[change.change_id], change)
        for row in [row for number, row in self.queue.rows.items() if number not in self.store.changes]:
            self.told.added.append(f"change {row.change_id}: purge, since it is no longer in the queue")
            self.told.add(self.queue.purge(row, by=_SYSTEM), self.ended_at, None)
        self._reserve_batch_numbers()

    def _tell_proposal(self, event: PublishedEvent, after: JsonObject) -> None:
        change_id = after.number("change_id")
        target = (
            after.text("category", limit=LIMITS["category"]),
            after.text("model", limit=LIMITS["model_name"]),
        )
        operation = Operation(after.word("operation", tuple(Operation)))
        if target[0] not in CATEGORIES:
            self.told.leave_out(event, f"there is no category {target[0]}")
            return
        if change_id in self.queue.rows or change_id in self.queue.gone:
            raise StoreError(f"{event.place}: change {change_id} is proposed a second time")
        change = self.store.changes.get(change_id)
        if change is None:
            change = PublishedChange.purged(event.place, change_id, *target, operation)
        elif (change.category, change.model_name, change.operation) != (*target, operation):
            raise StoreError(f"{change.place}: by {event.place} it is {operation} {' '.join(target)}")
        user_id = event.logical_user_id
        username = change.requested_username or self.names.get(user_id, user_id)
        self._enqueue(change, LoggedActor(user_id, username), event.timestamp, event)

    def _enqueue(self, change: PublishedChange, by: Actor, at: int, event: PublishedEvent | None) -> None:
        live = self.live.get((change.category, change.model_name))
        payload = record_renamed(change.category, change.payload)
        base = base_of(change, payload, live and live.record)
        if base == {} and change.status in OPEN_STATUSES and change.change_id in self.store.changes:
            self.told.left_out.append(
                f"change {change.change_id}: the record it was made from, which the store does not tell"
            )
        self.told.add(self.queue.enqueue(change, payload=payload, base=base, by=by), at, event)

    def _decision(
        self, row: PendingChange, action: Action, event: PublishedEvent, after: JsonObject
    ) -> Decision:
        """What the log tells of an approval, a rejection or an apply."""
        batch_id = after.number_or_none("batch_id") if action is Action.REJECT else after.number("batch_id")
        title = after.text_or_none("batch_title", limit=LIMITS["batch_title"])
        reason = job_id = None
        if action is Action.REJECT:
            reason = after.text_or_none("reason", limit=LIMITS["reject_reason"])
        elif action is Action.APPROVE:
            title = after.text("batch_title")
        else:
            job_id = after.text_or_none("job_id", limit=LIMITS["applied_job_id"])
        by = self._actor(row, action, event.logical_user_id)
        return Decision(by, event.place, batch_id, title or "", reason, job_id)

    def _tell_purge(self, row: PendingChange, event: PublishedEvent, after: JsonObject) -> None:
        if known := self.store.changes.get(row.change_id):
            raise StoreError(f"{known.place}: was removed from the queue by {event.place}")
        by = self._actor(row, Action.PURGE, event.logical_user_id)
        name = after.text_or_none("purged_by_username", limit=LIMITS["requested_username"]) or by.username
        draft = self.queue.purge(row, by=LoggedActor(by.user_id, name))
        self.told.add(draft, event.timestamp, event)

    def _tell_split(self, event: PublishedEvent, after: JsonObject) -> None:
        original, new = after.number("original_batch_id"), after.number("new_batch_id")
        moved = [number for number in after.wholes("reassigned_change_ids") if number in self.queue.rows]
        if original not in self.queue.batches or not moved:
            self.told.leave_out(event, "the changes that it moved are not carried over")
            return
        by = LoggedActor(event.logical_user_id, self.names.get(event.logical_user_id, ""))
        reason = after.text_or_none("reason") or PARTIAL_APPLY
        draft = self.queue.split(by=by, original=original, new=new, moved=moved, reason=reason)
        self.told.add(draft, event.timestamp, event)

    def _complete(self, row: PendingChange, change: PublishedChange) -> None:
        """Takes a change on to where the queue has it."""
        missing = _MISSING.get((Status(row.status), change.status))
        if missing is None:
            raise StoreError(f"{change.place}: is {change.status}, but {row.status} by the log")
        for action in missing:
            self.told.added.append(f"change {change.change_id}: {action}")
            decision = Decision(
                self._actor(row, action, change.decided_by(action)),
                change.place,
                change.batch_id,
                change.batch_title or "",
                change.reject_reason,
                change.applied_job_id,
            )
            self.told.add(self.queue.decide(row, action, decision), change.decided_at(action), None)

    def _reserve_batch_numbers(self) -> None:
        """Lets the log tell that higher numbers were given, so that none is given again."""
        highest, last = max(self.queue.batches, default=0), self.store.last_batch_id
        if last <= highest:
            return
        if not highest:
            self.told.left_out.append(f"batch numbers up to {last}: no batch is left, they are given again")
            return
        draft = self.queue.split(
            by=_SYSTEM, original=highest, new=last, moved=[], reason="number_given_before"
        )
        self.told.add(draft, self.ended_at, None)

    def _actor(self, row: PendingChange, action: Action, user_id: str) -> Actor:
        """Who acted, by the name that the queue has for this act, or else for any other."""
        change, name = self.store.changes.get(row.change_id), None
        if change is not None and action in PARTS and change.decided_by(action) == user_id:
            name = change.decided_as(action)
        return LoggedActor(user_id, name or self.names.get(user_id, user_id))
