"""Reads the queue of a store: one file with all changes, and one with the highest numbers that were given."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from moderation.models import PendingChange
from moderation.published.events import PublishedEvent
from moderation.published.parsing import JsonObject, StoreError, file_object, file_text, json_parsed, limits
from moderation.states import Action, Operation, Status
from references.categories import CATEGORIES

CHANGES = "pending_queue/changes.json"
QUEUE_INDEX = "pending_queue/index.json"
LIMITS = limits(PendingChange)
# What the members are called that tell who decided, and when.
PARTS = {Action.APPROVE: "approved", Action.REJECT: "rejected", Action.APPLY: "applied"}


@dataclass(frozen=True, slots=True)
class PublishedChange:
    """A change as the queue file holds it. Times are UNIX seconds; `place` says where it stands."""

    place: str
    change_id: int
    category: str
    model_name: str
    operation: Operation
    status: Status
    payload: dict | None
    requested_by: str
    requested_username: str | None
    requested_at: int
    notes: str | None
    request_metadata: dict | None
    related_models: list[str] | None
    batch_id: int | None
    batch_title: str | None
    approved_by: str | None
    approved_username: str | None
    approved_at: int | None
    rejected_by: str | None
    rejected_username: str | None
    rejected_at: int | None
    reject_reason: str | None
    applied_by: str | None
    applied_username: str | None
    applied_at: int | None
    applied_job_id: str | None

    @classmethod
    def purged(
        cls, place: str, change_id: int, category: str, model_name: str, operation: Operation
    ) -> "PublishedChange":
        """A change that has left the queue, of which only the log tells."""
        told = {
            "place": place,
            "change_id": change_id,
            "category": category,
            "model_name": model_name,
            "operation": operation,
            "status": Status.PENDING,
        }
        return cls(**{field.name: told.get(field.name) for field in fields(cls)})

    def decided_by(self, action: Action) -> str | None:
        """The id of who approved, rejected or applied it."""
        return getattr(self, f"{PARTS[action]}_by")

    def decided_as(self, action: Action) -> str | None:
        """The name that they went by."""
        return getattr(self, f"{PARTS[action]}_username")

    def decided_at(self, action: Action) -> int | None:
        return getattr(self, f"{PARTS[action]}_at")


def queue_read(
    folder: Path, events: list[PublishedEvent], left_out: list[str]
) -> tuple[dict[int, PublishedChange], int, int]:
    """The changes by id, and the highest numbers that changes and batches were given."""
    path = folder / CHANGES
    if not path.is_file():
        if (folder / QUEUE_INDEX).is_file() or any(event.is_of_queue for event in events):
            raise StoreError(f"{CHANGES} is missing, though the store has a queue")
        return {}, 0, 0
    changes = _changes_read(path, left_out)
    index = file_object(folder, QUEUE_INDEX)
    highest = max([*changes, index.whole("last_change_id")])
    known = {number: change for number, change in changes.items() if change.category in CATEGORIES}
    left_out += [
        f"change {number} ({change.category} {change.model_name}): there is no such category"
        for number, change in changes.items()
        if number not in known
    ]
    return dict(sorted(known.items())), highest, index.whole("last_batch_id")


def _changes_read(path: Path, left_out: list[str]) -> dict[int, PublishedChange]:
    entries = json_parsed(file_text(path, CHANGES), CHANGES)
    if not isinstance(entries, list):
        raise StoreError(f"{CHANGES}: not a list")
    changes: dict[int, PublishedChange] = {}
    for number, entry in enumerate(entries, start=1):
        change = _change(entry, number, left_out)
        if change.change_id in changes:
            raise StoreError(f"{change.place}: there is another change with this id")
        changes[change.change_id] = change
    return changes


def _change(entry: Any, number: int, left_out: list[str]) -> PublishedChange:
    if not isinstance(entry, dict):
        raise StoreError(f"{CHANGES}, entry {number}: not an object")
    change_id = JsonObject(f"{CHANGES}, entry {number}", entry).number("change_id")
    read = JsonObject(f"{CHANGES}, change {change_id}", entry)
    change = PublishedChange(
        place=read.place,
        change_id=change_id,
        category=read.text("category", limit=LIMITS["category"]),
        model_name=read.text("model_name", limit=LIMITS["model_name"]),
        operation=Operation(read.word("operation", tuple(Operation))),
        status=_status(read, change_id, left_out),
        payload=read.object_or_none("payload"),
        requested_by=read.text("requested_by", limit=LIMITS["requested_by"]),
        requested_username=read.text("requested_username", limit=LIMITS["requested_username"]),
        requested_at=read.moment("requested_at"),
        notes=read.text_or_none("notes"),
        request_metadata=read.object_or_none("request_metadata"),
        related_models=read.texts_or_none("related_models"),
        **_decisions(read),
    )
    if not change.model_name:
        raise read.fault("model_name is empty")
    _decision_check(change)
    return change


def _status(read: JsonObject, change_id: int, left_out: list[str]) -> Status:
    status = Status(read.word("status", tuple(Status)))
    if status is not Status.APPLYING:
        return status
    left_out.append(f"change {change_id}: that it was being applied, which never ended; it is approved again")
    return Status.APPROVED


def _decisions(read: JsonObject) -> dict[str, Any]:
    """What became of a change, and by whom; None for what never did."""
    texts = [f"{part}_{who}" for part in PARTS.values() for who in ("by", "username")]
    texts += ["batch_title", "reject_reason", "applied_job_id"]
    times = [f"{part}_at" for part in PARTS.values()]
    return {
        "batch_id": read.number_or_none("batch_id"),
        **{name: read.text_or_none(name, limit=LIMITS[name]) for name in texts},
        **{name: read.moment_or_none(name) for name in times},
    }


_NEEDED = {
    Status.PENDING: (),
    Status.APPROVED: ("batch_id", "batch_title", "approved_by", "approved_at"),
    Status.APPLIED: ("batch_id", "batch_title", "approved_by", "approved_at", "applied_by", "applied_at"),
    Status.REJECTED: ("rejected_by", "rejected_at", "reject_reason"),
}


def _decision_check(change: PublishedChange) -> None:
    missing = [name for name in _NEEDED[change.status] if getattr(change, name) in (None, "")]
    if missing:
        raise StoreError(f"{change.place}: is {change.status} without {', '.join(missing)}")
