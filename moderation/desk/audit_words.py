"""What the log says, in words: one line for each event."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.urls import reverse

from moderation.models import AuditEvent, PendingChange
from moderation.pages.change_view import OPERATION_LABELS
from moderation.states import Action, Operation
from references.categories import CATEGORIES
from references.journal import SYSTEM

WRITES = {"create": "Added", "update": "Changed", "delete": "Removed"}
ACTS = {
    Action.ENQUEUE: "Proposed",
    Action.APPROVE: "Approved",
    Action.REJECT: "Rejected",
    Action.WITHDRAW: "Withdrawn",
    Action.REOPEN: "Reopened",
    Action.APPLY: "Applied",
    Action.PURGE: "Purged",
    Action.SPLIT: "Batch split",
}
TONES = {
    "create": "good",
    "update": "good",
    "delete": "critical",
    Action.ENQUEUE: "accent",
    Action.REJECT: "warning",
    Action.WITHDRAW: "warning",
    Action.REOPEN: "warning",
    Action.PURGE: "critical",
}
STRUCTURE_LABEL = "Text groups"
KEYS_TOLD = 5


@dataclass(frozen=True)
class EventView:
    """An event in words. `change` is the one that an act on the queue is about; `names` tells ids of users."""

    event: AuditEvent
    change: PendingChange | None = None
    names: Mapping[str, str] | None = None

    @cached_property
    def payload(self) -> dict[str, Any]:
        return self.event.payload_as_dict()

    @property
    def is_queue_act(self) -> bool:
        return self.event.category == AuditEvent.QUEUE

    @cached_property
    def facts(self) -> dict[str, Any]:
        """What an act on the queue was logged with."""
        return self.payload["after"] if self.is_queue_act else {}

    @property
    def act(self) -> str:
        return self.facts["action"] if self.is_queue_act else self.event.operation

    @property
    def label(self) -> str:
        return ACTS[Action(self.act)] if self.is_queue_act else WRITES[self.act]

    @property
    def tone(self) -> str:
        return TONES.get(self.act, "")

    @property
    def category(self) -> str:
        """The category of the model it is about; empty for splits of batches."""
        if not self.is_queue_act:
            return self.event.category
        return self.change.category if self.change else self.facts.get("category", "")

    @property
    def category_label(self) -> str:
        if self.event.category == AuditEvent.STRUCTURE:
            return STRUCTURE_LABEL
        return CATEGORIES[self.category].label if self.category in CATEGORIES else self.category

    @property
    def model_name(self) -> str:
        if not self.is_queue_act:
            return self.event.model_name
        return self.change.model_name if self.change else self.facts.get("model", "")

    @property
    def model_url(self) -> str:
        if self.category not in CATEGORIES or not self.model_name:
            return ""
        return reverse("admin:desk_model_history", args=[self.category, self.model_name])

    @property
    def change_id(self) -> int | None:
        return self.facts.get("change_id")

    @property
    def change_url(self) -> str:
        """The page of the change, which purged ones no longer have."""
        if self.change is None or self.change.purged_at is not None:
            return ""
        return reverse("admin:desk_change", args=[self.change.change_id])

    @property
    def batch_id(self) -> int | None:
        return self.facts.get("new_batch_id", self.facts.get("batch_id"))

    @property
    def user_id(self) -> str:
        return self.event.logical_user_id

    @property
    def username(self) -> str:
        known = self.facts.get("username") or self.facts.get("requested_username")
        return known or self.facts.get("purged_by_username") or (self.names or {}).get(self.user_id, "")

    @property
    def who(self) -> str:
        return "the service" if self.user_id == SYSTEM else self.username or self.user_id

    @property
    def detail(self) -> str:
        """What else there is to say, in one line."""
        if not self.is_queue_act:
            return self._written
        facts = self.facts
        match Action(self.act):
            case Action.ENQUEUE:
                return OPERATION_LABELS[Operation(facts["operation"])]
            case Action.APPROVE:
                return facts["batch_title"]
            case Action.REJECT | Action.WITHDRAW | Action.REOPEN:
                return facts.get("reason", "")
            case Action.APPLY:
                return ""
            case Action.PURGE:
                return f"proposed by {facts['requested_by']}"
            case Action.SPLIT:
                moved = len(facts["reassigned_change_ids"])
                plural = "" if moved == 1 else "s"
                return (
                    f"{moved} change{plural} of batch {facts['original_batch_id']} "
                    f"left behind, now in batch {facts['new_batch_id']}"
                )

    @property
    def _written(self) -> str:
        """The members that a write changed."""
        keys = [key for key in self.payload.get("delta", ()) if key != "metadata"]
        more = f" and {len(keys) - KEYS_TOLD} more" if len(keys) > KEYS_TOLD else ""
        return f"{', '.join(keys[:KEYS_TOLD])}{more}"


def event_views(events: Iterable[AuditEvent]) -> list[EventView]:
    """The events in words: one query more, for the changes they are about."""
    events = list(events)
    ids = [number for number in map(_change_id, events) if number is not None]
    found = PendingChange.recorded.with_ids(ids).without_states().defer("payload").in_bulk() if ids else {}
    names = user_names(found.values())
    return [EventView(event, found.get(_change_id(event)), names) for event in events]


def user_names(changes: Iterable[PendingChange]) -> dict[str, str]:
    """The names that changes remember, by user id."""
    names: dict[str, str] = {}
    for change in changes:
        for user_id, name in _people(change):
            if user_id and name:
                names[user_id] = name
    return names


def _people(change: PendingChange) -> Sequence[tuple[str | None, str | None]]:
    return (
        (change.requested_by, change.requested_username),
        (change.approved_by, change.approved_username),
        (change.rejected_by, change.rejected_username),
        (change.applied_by, change.applied_username),
    )


def _change_id(event: AuditEvent) -> int | None:
    is_about_one = event.category == AuditEvent.QUEUE and event.model_name != AuditEvent.WHOLE_QUEUE
    return int(event.model_name) if is_about_one else None
