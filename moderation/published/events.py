"""Reads the audit log of a store: numbered segments of one JSON object a line, in folders by category."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from moderation.models import AuditEvent
from moderation.published.parsing import (
    JsonObject,
    StoreError,
    file_object,
    file_text,
    limits,
    object_parsed,
)
from moderation.states import Operation
from references.vocabulary import CanonicalFormat

INDEX = "audit/index.json"
_SEGMENT = re.compile(r"audit-(\d+)\.jsonl")
_LIMITS = limits(AuditEvent)


@dataclass(frozen=True, slots=True)
class PublishedEvent:
    """One line of the log; `place` names file and line."""

    place: str
    event_id: int
    timestamp: int
    category: str
    model_name: str
    operation: Operation
    logical_user_id: str
    request_id: str | None
    payload: JsonObject

    @property
    def is_of_queue(self) -> bool:
        return self.category == AuditEvent.QUEUE

    @property
    def model(self) -> tuple[str, str]:
        return self.category, self.model_name


def events_read(folder: Path) -> list[PublishedEvent]:
    """All events in the order of their ids.

    Raises StoreError for a line that cannot be read, a segment or the end of the log that is missing, an id
    that is there twice, and for events about legacy objects.
    """
    events = [event for name in _segments(folder) for event in _segment_read(folder, name)]
    events.sort(key=lambda event: event.event_id)
    for first, second in pairwise(events):
        if first.event_id == second.event_id:
            raise StoreError(f"{second.place}: event {second.event_id} is also in {first.place}")
    _end_check(folder, events)
    return events


def events_missing(events: Iterable[PublishedEvent]) -> list[str]:
    """A line for each gap in the numbers of the log: what it held there is lost."""
    numbers = [0, *(event.event_id for event in events)]
    return [
        f"audit events {first + 1} to {second - 1}: they are not in the log"
        for first, second in pairwise(numbers)
        if second > first + 1
    ]


def _segments(folder: Path) -> Iterable[str]:
    for directory in sorted(path for path in (folder / "audit").glob("*/*") if path.is_dir()):
        numbers = sorted(
            int(match[1]) for path in directory.iterdir() if (match := _SEGMENT.fullmatch(path.name))
        )
        within = directory.relative_to(folder).as_posix()
        for number, expected in zip(numbers, range(1, len(numbers) + 1), strict=True):
            if number != expected:
                raise StoreError(f"{within}/audit-{expected:06}.jsonl is missing")
            yield f"{within}/audit-{number:06}.jsonl"


def _segment_read(folder: Path, name: str) -> Iterable[PublishedEvent]:
    for number, line in enumerate(file_text(folder / name, name).split("\n"), start=1):
        if line.strip():
            yield _event(object_parsed(line, name, line=number))


def _event(read: JsonObject) -> PublishedEvent:
    if read.word("domain", tuple(CanonicalFormat)) == CanonicalFormat.LEGACY:
        raise read.fault(
            "an event about legacy objects; only stores whose canonical format is v2 can be moved in"
        )
    return PublishedEvent(
        place=read.place,
        event_id=read.number("event_id"),
        timestamp=read.moment("timestamp"),
        category=read.text("category", limit=_LIMITS["category"]),
        model_name=read.text("model_name", limit=_LIMITS["model_name"]),
        operation=Operation(read.word("operation", tuple(Operation))),
        logical_user_id=read.text("logical_user_id", limit=_LIMITS["logical_user_id"]),
        request_id=read.text_or_none("request_id", limit=_LIMITS["request_id"]),
        payload=read.inner("payload"),
    )


def _end_check(folder: Path, events: list[PublishedEvent]) -> None:
    if not events and not (folder / INDEX).is_file():
        return
    noted = file_object(folder, INDEX).whole("last_event_id")
    last = events[-1].event_id if events else 0
    if noted != last:
        raise StoreError(f"{INDEX}: the last event is {noted}, but the log that is here ends with {last}")
