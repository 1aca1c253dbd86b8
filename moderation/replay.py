"""Plays the log from an empty store: what live records and the queue must be, if the log is true."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from moderation.actors import LoggedActor
from moderation.events import event_hash
from moderation.live import Live, ModelKey, live_form
from moderation.models import AuditEvent, AuditHead, Batch, PendingChange, json_text_or_null
from moderation.problems import PendingChangeStateError
from moderation.states import Action, Operation
from references.services import json_text

PROGRESS_EVERY = 10_000


@dataclass(frozen=True, slots=True)
class ReplayedRecord:
    """A live record as it must be stored: its place in its category and both texts."""

    position: int
    record: str
    legacy: str | None


@dataclass(frozen=True, slots=True)
class _Step:
    """The latest write of a live record: what it was before and after, and which event and job say so."""

    event_id: int
    request_id: str | None
    before: Live | None
    after: Live | None


@dataclass(slots=True)
class Replay:
    """The store as the log tells it. `faults` are the places where the log contradicts itself."""

    records: dict[str, dict[str, ReplayedRecord]] = field(default_factory=lambda: defaultdict(dict))
    changes: dict[int, PendingChange] = field(default_factory=dict)
    batches: dict[int, Batch] = field(default_factory=dict)
    last_batch_id: int = 0
    last_event_id: int = 0
    last_hash: str = ""
    faults: list[str] = field(default_factory=list)
    _steps: dict[ModelKey, _Step] = field(default_factory=dict)

    def play(self, event: AuditEvent) -> None:
        self._link(event)
        try:
            if event.category == AuditEvent.QUEUE:
                after = event.payload_as_dict()["after"]
                _ACTS[Action(after["action"])](self, event, after)
            elif event.category == AuditEvent.ORDER:
                self._order(event)
            elif event.category != AuditEvent.STRUCTURE:
                self._write(event)
        except (AttributeError, KeyError, TypeError, ValueError, PendingChangeStateError) as error:
            self.faults.append(f"log: event {event.event_id} cannot be replayed: {error!r}")

    def _link(self, event: AuditEvent) -> None:
        """Checks that the event follows the one before it, unchanged."""
        if event.event_id != self.last_event_id + 1:
            self.faults.append(f"log: event {self.last_event_id + 1} is missing")
        elif event.previous_hash != self.last_hash:
            self.faults.append(f"log: event {event.event_id} does not follow the one before it")
        if event.hash != event_hash(event):
            self.faults.append(f"log: event {event.event_id} was changed")
        # From the stored hash on, so that each fault is told once.
        self.last_event_id, self.last_hash = event.event_id, event.hash

    def _write(self, event: AuditEvent) -> None:
        payload = event.payload_as_dict()
        category, name = event.category, event.model_name
        records = self.records[category]
        before = Live(payload["before"], payload.get("legacy_before")) if "before" in payload else None
        if event.operation == Operation.DELETE:
            after = None
            del records[name]
        else:
            after = Live(payload["after"], payload.get("legacy_after"))
            records[name] = ReplayedRecord(
                payload["position"], json_text(after.record), json_text_or_null(after.legacy)
            )
        self._steps[category, name] = _Step(event.event_id, event.request_id, before, after)

    def _order(self, event: AuditEvent) -> None:
        records = self.records[event.model_name]
        for name, position in event.payload_as_dict()["positions"].items():
            records[name] = replace(records[name], position=position)

    def _enqueue(self, event: AuditEvent, after: dict) -> None:
        self.changes[after["change_id"]] = PendingChange(
            change_id=after["change_id"],
            category=after["category"],
            model_name=after["model"],
            operation=after["operation"],
            domain=event.domain,
            payload=json_text_or_null(after.get("payload")),
            requested_by=event.logical_user_id,
            requested_username=after["requested_username"],
            requested_at=event.timestamp,
            updated_at=event.timestamp,
            notes=after.get("notes"),
            request_metadata=json_text_or_null(after.get("request_metadata")),
            related_models=json_text_or_null(after.get("related_models")),
            base_record=json_text_or_null(after.get("base_record")),
            base_digest=after.get("base_digest"),
        )

    def _approve(self, event: AuditEvent, after: dict) -> None:
        batch = self._joined(event, after)
        self._change(after).mark_approved(
            by=_actor(event, after), at=event.timestamp, batch_id=batch.number, batch_title=batch.title
        )
        self._touch(event, batch.number)

    def _reject(self, event: AuditEvent, after: dict) -> None:
        # A rejection with a batch is of a review that approves too, but may come before its approvals.
        number = self._joined(event, after).number if "batch_id" in after else None
        self._change(after).mark_rejected(
            by=_actor(event, after),
            at=event.timestamp,
            reason=after["reason"],
            batch_id=number,
            batch_title=after["batch_title"],
        )
        self._touch(event, number)

    def _withdraw(self, event: AuditEvent, after: dict) -> None:
        self._change(after).mark_withdrawn(
            by=_actor(event, after), at=event.timestamp, reason=after["reason"]
        )

    def _reopen(self, event: AuditEvent, after: dict) -> None:
        self._change(after).mark_reopened(at=event.timestamp)
        self._touch(event, after["batch_id"])

    def _apply(self, event: AuditEvent, after: dict) -> None:
        change = self._change(after)
        before, now = self._applied_states(change, event)
        change.mark_applied(
            by=_actor(event, after),
            at=event.timestamp,
            job_id=after["job_id"],
            event_id=event.event_id,
            before=live_form(change.domain, change.category, before),
            after=live_form(change.domain, change.category, now),
        )
        self._touch(event, after["batch_id"])

    def _applied_states(self, change: PendingChange, event: AuditEvent) -> tuple[Live | None, Live | None]:
        """The record on both sides of the apply; if it wrote one, the event right before it says so."""
        step = self._steps.get((change.category, change.model_name))
        if step is None:
            return None, None
        has_written = (step.event_id, step.request_id) == (event.event_id - 1, event.request_id)
        return (step.before if has_written else step.after), step.after

    def _purge(self, event: AuditEvent, after: dict) -> None:
        change = self._change(after)
        change.purged_at = change.updated_at = event.timestamp
        self._touch(event, change.batch_id)

    def _split(self, event: AuditEvent, after: dict) -> None:
        original = self.batches[after["original_batch_id"]]
        new = self._new_batch(
            after["new_batch_id"], original.title, original.approved_by, original.approved_at
        )
        for change_id in after["reassigned_change_ids"]:
            change = self.changes[change_id]
            change.batch_id, change.updated_at = new.number, event.timestamp
        original.retitle(change for change in self.changes.values() if change.batch_id == original.number)
        self._touch(event, original.number)
        self._touch(event, new.number)

    def _change(self, after: dict) -> PendingChange:
        return self.changes[after["change_id"]]

    def _joined(self, event: AuditEvent, after: dict) -> Batch:
        """The batch of a review, under the title that the review gave it."""
        number, title = after["batch_id"], after["batch_title"]
        batch = self.batches.get(number)
        if batch is None:
            batch = self._new_batch(number, title, event.logical_user_id, event.timestamp)
        batch.title = title
        return batch

    def _new_batch(self, number: int, title: str, approved_by: str, approved_at: int) -> Batch:
        batch = Batch(number=number, title=title, approved_by=approved_by, approved_at=approved_at)
        self.batches[number] = batch
        self.last_batch_id = max(self.last_batch_id, number)
        return batch

    def _touch(self, event: AuditEvent, number: int | None) -> None:
        if number is not None:
            self.batches[number].last_event_id = event.event_id


_ACTS: dict[Action, Callable[[Replay, AuditEvent, dict], None]] = {
    Action.ENQUEUE: Replay._enqueue,
    Action.APPROVE: Replay._approve,
    Action.REJECT: Replay._reject,
    Action.WITHDRAW: Replay._withdraw,
    Action.REOPEN: Replay._reopen,
    Action.APPLY: Replay._apply,
    Action.PURGE: Replay._purge,
    Action.SPLIT: Replay._split,
}


def _actor(event: AuditEvent, after: dict) -> LoggedActor:
    return LoggedActor(event.logical_user_id, after["username"])


def log_replay(*, progress: Callable[[int], None] | None = None) -> Replay:
    """The whole log, from the first event to the head. Call this with the head locked."""
    replay = Replay()
    for count, event in enumerate(AuditEvent.objects.in_order().iterator(chunk_size=1000), start=1):
        replay.play(event)
        if progress and count % PROGRESS_EVERY == 0:
            progress(count)
    head = AuditHead.objects.filter(pk=AuditHead.ROW).first() or AuditHead()
    if (head.last_event_id, head.last_hash) != (replay.last_event_id, replay.last_hash):
        replay.faults.append(
            f"log: ends with event {replay.last_event_id}, not with event {head.last_event_id} as noted"
        )
    return replay
