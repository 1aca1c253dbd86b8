"""Tells the past of a store in the words of this service's log, in the order in which it happened.

Each entry becomes one event. What the published log leaves out is added: records that were there before it began,
writes it does not tell of, and acts that only the queue knows of. `origin` in an event's payload says which event
of the published log it was, null where it is such an addition.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from moderation.actors import Actor, LoggedActor
from moderation.events import EventDraft, write_payload
from moderation.live import Live, ModelKey
from moderation.models import PendingChange
from moderation.published.acts import DOMAIN, Queue, base_of
from moderation.published.changes import PublishedChange
from moderation.published.events import PublishedEvent
from moderation.published.facts import event_action, event_change_id, usernames, writes_of_applies
from moderation.published.lives import ModelPast, Step, by_event
from moderation.published.parsing import JsonObject, StoreError
from moderation.published.reading import PublishedStore, record_renamed
from moderation.states import OPEN_STATUSES, Action, Operation, Status
from references.categories import CATEGORIES
from references.journal import SYSTEM, RecordWrite

ORIGIN = "origin"
ADDED = "added by the import"
_SYSTEM = LoggedActor(SYSTEM, SYSTEM)
_PARTS = {Action.APPROVE: "approved", Action.REJECT: "rejected", Action.APPLY: "applied"}
# The acts from where the log leaves a change to where the queue has it.
_MISSING: dict[tuple[Status, Status], tuple[Action, ...]] = {
    **{(status, status): () for status in Status},
    (Status.PENDING, Status.APPROVED): (Action.APPROVE,),
    (Status.PENDING, Status.APPLIED): (Action.APPROVE, Action.APPLY),
    (Status.PENDING, Status.REJECTED): (Action.REJECT,),
    (Status.APPROVED, Status.APPLIED): (Action.APPLY,),
}

LegacyOf = Callable[[ModelKey, dict | None], dict | None]


@dataclass(frozen=True, slots=True)
class Entry:
    """An event to be, its time in UNIX seconds, and where it was read."""

    draft: EventDraft
    at: int
    place: str


@dataclass(slots=True)
class History:
    """`left_out` is what is not carried over of the log, `added` what it does not tell of."""

    entries: list[Entry] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    added: list[str] = field(default_factory=list)


def history_told(
    store: PublishedStore, past_of: Mapping[ModelKey, ModelPast], *, legacy_of: LegacyOf, at: int
) -> History:
    """The whole past; `at` is the time of what no file gives a time to.

    Raises StoreError where the log contradicts itself or the queue.
    """
    teller = _Teller(store, past_of, legacy_of, at)
    teller.tell_beginnings()
    teller.tell_log()
    teller.tell_the_rest()
    return teller.told


class _Teller:
    """Goes through the log once and keeps what the store is like at each line."""

    def __init__(
        self, store: PublishedStore, past_of: Mapping[ModelKey, ModelPast], legacy_of: LegacyOf, at: int
    ) -> None:
        self.store, self.past_of, self.legacy_of = store, past_of, legacy_of
        self.began_at = store.events[0].timestamp if store.events else at
        self.ended_at = store.events[-1].timestamp if store.events else at
        self.steps = by_event(past_of)
        self.live: dict[ModelKey, Live] = {}
        self.positions = _positions(past_of)
        self.queue = Queue()
        self.names = usernames(store.changes.values())
        self.told = History()

    def tell_beginnings(self) -> None:
        """The records from before the log, and the changes whose proposals it does not tell of."""
        for key, past in self.past_of.items():
            if past.initial is not None:
                times = self.store.times.get(key[0])
                at = times.initialized_at if times else self.began_at
                self._write(key, Step(None, past.initial), at=at)
        logged = {
            event_change_id(event) for event in self.store.events if event_action(event) is Action.ENQUEUE
        }
        for change in self.store.changes.values():
            if change.change_id not in logged:
                self.told.added.append(f"change {change.change_id}: enqueue")
                by = LoggedActor(change.requested_by, change.requested_username)
                self._enqueue(change, by, change.requested_at, None)

    def tell_log(self) -> None:
        writes = writes_of_applies(self.store.events)
        claimed = set(writes.values())
        for event in self.store.events:
            if event.is_of_queue:
                self._take_steps(writes.get(event.event_id, 0))
                self._tell_act(event)
            elif event.event_id not in claimed:
                self._take_steps(event.event_id)
        self._take_steps(None)
        for past in self.past_of.values():
            for event in past.lost:
                self._leave_out(event, "what it changed cannot be made out")

    def tell_the_rest(self) -> None:
        """What only the queue knows of."""
        for change in self.store.changes.values():
            self._complete(self.queue.rows[change.change_id], change)
        for row in [row for number, row in self.queue.rows.items() if number not in self.store.changes]:
            self.told.added.append(f"change {row.change_id}: purge, since it is no longer in the queue")
            self._add(self.queue.purge(row, by=_SYSTEM), self.ended_at, None)
        self._reserve_batch_numbers()

    # Records

    def _take_steps(self, event_id: int | None) -> None:
        steps = self.steps.get(event_id, [])
        at = next((step.event.timestamp for _, step in steps if step.event), self.ended_at)
        for key, step in steps:
            if step.event is None:
                self.told.added.append(f"{' '.join(key)}: a write")
            self._write(key, step, at=at)

    def _write(self, key: ModelKey, step: Step, *, at: int) -> None:
        event, before = step.event, self.live.pop(key, None)
        after = None if step.after is None else Live(step.after, self.legacy_of(key, step.after))
        if after is not None:
            self.live[key] = after
        operation = event.operation if event else _operation(before, after)
        write = RecordWrite(
            *key,
            operation.value,
            before and before.record,
            after and after.record,
            before and before.legacy,
            after and after.legacy,
            position=self.positions[key],
        )
        draft = EventDraft(
            DOMAIN,
            *key,
            operation.value,
            event.logical_user_id if event else SYSTEM,
            write_payload(write),
            event.request_id if event else None,
        )
        self._add(draft, at, event)

    # The queue

    def _tell_act(self, event: PublishedEvent) -> None:
        after, action = event.payload.inner("after"), event_action(event)
        if action is None:
            self._leave_out(event, f"there is no act {after.members.get('action')!r}")
        elif action is Action.SPLIT:
            self._tell_split(event, after)
        elif action is Action.ENQUEUE:
            self._tell_proposal(event, after)
        elif (row := self.queue.rows.get(after.whole("change_id"))) is not None:
            self._tell_act_on(row, action, event, after)
        else:
            self._leave_out(event, f"change {event_change_id(event)} is not carried over")

    def _tell_proposal(self, event: PublishedEvent, after: JsonObject) -> None:
        change_id = after.whole("change_id")
        target = after.text("category", limit=64), after.text("model", limit=255)
        operation = Operation(after.word("operation", tuple(Operation)))
        if target[0] not in CATEGORIES:
            self._leave_out(event, f"there is no category {target[0]}")
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
        self._add(self.queue.enqueue(change, payload=payload, base=base, by=by), at, event)

    def _tell_act_on(
        self, row: PendingChange, action: Action, event: PublishedEvent, after: JsonObject
    ) -> None:
        by = LoggedActor(event.logical_user_id, self._username(row, action, event.logical_user_id))
        batch_id, place = after.whole_or_none("batch_id"), event.place
        title = after.text_or_none("batch_title", limit=120) or ""
        if action is Action.REJECT:
            reason = after.text_or_none("reason", limit=500)
            draft = self.queue.reject(row, by=by, batch_id=batch_id, title=title, reason=reason, place=place)
        elif action is Action.APPROVE:
            batch_id, title = after.whole("batch_id"), after.text("batch_title")
            draft = self.queue.approve(row, by=by, batch_id=batch_id, title=title, place=place)
        elif action is Action.APPLY:
            job_id = after.text_or_none("job_id", limit=120)
            draft = self.queue.apply(row, by=by, batch_id=after.whole("batch_id"), job_id=job_id, place=place)
        else:
            if known := self.store.changes.get(row.change_id):
                raise StoreError(f"{known.place}: was removed from the queue by {place}")
            name = after.text_or_none("purged_by_username", limit=255) or by.username
            draft = self.queue.purge(row, by=LoggedActor(by.user_id, name))
        self._add(draft, event.timestamp, event)

    def _tell_split(self, event: PublishedEvent, after: JsonObject) -> None:
        original, new = after.whole("original_batch_id"), after.whole("new_batch_id")
        moved = [number for number in after.wholes("reassigned_change_ids") if number in self.queue.rows]
        if original not in self.queue.batches or not moved:
            self._leave_out(event, "the changes that it moved are not carried over")
            return
        by = LoggedActor(event.logical_user_id, self.names.get(event.logical_user_id, ""))
        reason = after.text_or_none("reason") or "partial_apply"
        self._add(
            self.queue.split(by=by, original=original, new=new, moved=moved, reason=reason),
            event.timestamp,
            event,
        )

    def _complete(self, row: PendingChange, change: PublishedChange) -> None:
        """Takes a change on to where the queue has it."""
        missing = _MISSING.get((Status(row.status), change.status))
        if missing is None:
            raise StoreError(f"{change.place}: is {change.status}, but {row.status} by the log")
        for action in missing:
            self.told.added.append(f"change {change.change_id}: {action}")
            part = _PARTS[action]
            user_id, at = getattr(change, f"{part}_by"), getattr(change, f"{part}_at")
            by = LoggedActor(user_id, self._username(row, action, user_id))
            batch_id, title, place = change.batch_id, change.batch_title or "", change.place
            if action is Action.APPROVE:
                draft = self.queue.approve(row, by=by, batch_id=batch_id, title=title, place=place)
            elif action is Action.APPLY:
                job_id = change.applied_job_id
                draft = self.queue.apply(row, by=by, batch_id=batch_id, job_id=job_id, place=place)
            else:
                reason = change.reject_reason
                draft = self.queue.reject(
                    row, by=by, batch_id=batch_id, title=title, reason=reason, place=place
                )
            self._add(draft, at, None)

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
        self._add(draft, self.ended_at, None)

    def _username(self, row: PendingChange, action: Action, user_id: str) -> str:
        change, part = self.store.changes.get(row.change_id), _PARTS.get(action)
        if change is not None and part and getattr(change, f"{part}_by") == user_id:
            return getattr(change, f"{part}_username") or self.names.get(user_id, user_id)
        return self.names.get(user_id, user_id)

    def _leave_out(self, event: PublishedEvent, reason: str) -> None:
        self.told.left_out.append(f"event {event.event_id} ({event.place}): {reason}")

    def _add(self, draft: EventDraft, at: int, event: PublishedEvent | None) -> None:
        origin: dict[str, object] = {"event_id": event.event_id if event else None}
        if not self.told.entries:
            origin["store"] = self.store.digest
        known = replace(draft, payload={**draft.payload, ORIGIN: origin})
        self.told.entries.append(Entry(known, at, event.place if event else ADDED))


def _positions(models: Iterable[ModelKey]) -> dict[ModelKey, int]:
    """The place of each model in its category: live ones as in their file, then those that are gone."""
    counts: Counter[str] = Counter()
    places = {}
    for category, name in models:
        counts[category] += 1
        places[category, name] = counts[category]
    return places


def _operation(before: Live | None, after: Live | None) -> Operation:
    if after is None:
        return Operation.DELETE
    return Operation.CREATE if before is None else Operation.UPDATE
