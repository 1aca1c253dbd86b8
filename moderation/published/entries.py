"""The past of a store in the words of this service's log, in the order in which it happened."""

from dataclasses import dataclass, field, replace

from moderation.event_drafts import EventDraft
from moderation.published.events import PublishedEvent

ORIGIN = "origin"
ADDED = "added by the import"


@dataclass(frozen=True, slots=True)
class Entry:
    """An event to be, its time in UNIX seconds, and where it was read."""

    draft: EventDraft
    at: int
    place: str


@dataclass(slots=True)
class History:
    """`left_out` is what is not carried over of the log, `added` what it does not tell of.

    `digest` is that of the store, which the first entry names.
    """

    digest: str
    entries: list[Entry] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    added: list[str] = field(default_factory=list)

    def add(self, draft: EventDraft, at: int, event: PublishedEvent | None) -> None:
        """Tells what one event of the published log says, or without one what it leaves out."""
        origin: dict[str, object] = {"event_id": event.event_id if event else None}
        if not self.entries:
            origin["store"] = self.digest
        known = replace(draft, payload={**draft.payload, ORIGIN: origin})
        self.entries.append(Entry(known, at, event.place if event else ADDED))

    def leave_out(self, event: PublishedEvent, reason: str) -> None:
        self.left_out.append(f"event {event.event_id} ({event.place}): {reason}")
