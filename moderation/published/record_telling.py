"""Tells of the writes of records, and keeps what is live at each of them."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from moderation.event_drafts import write_draft
from moderation.live import Live, ModelKey
from moderation.published.acts import DOMAIN
from moderation.published.entries import History
from moderation.published.lives import ModelPast, Step, by_event
from moderation.states import Operation
from references.journal import SYSTEM, RecordWrite

LegacyOf = Callable[[ModelKey, dict | None], dict | None]


class RecordTelling:
    """`live` has the records at the point that the telling has come to; `ended_at` is when the log ends."""

    def __init__(
        self, told: History, past_of: Mapping[ModelKey, ModelPast], *, legacy_of: LegacyOf, ended_at: int
    ) -> None:
        self.told, self.legacy_of, self.ended_at = told, legacy_of, ended_at
        self.steps = by_event(past_of)
        self.live: dict[ModelKey, Live] = {}
        self.positions = _positions(past_of)

    def take_steps(self, event_id: int | None) -> None:
        """What was written by this event, and before it unseen; with None, what is left in the end."""
        steps = self.steps.get(event_id, [])
        at = next((step.event.timestamp for _, step in steps if step.event), self.ended_at)
        for key, step in steps:
            if step.event is None:
                self.told.added.append(f"{' '.join(key)}: a write")
            self.write(key, step, at=at)

    def write(self, key: ModelKey, step: Step, *, at: int) -> None:
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
            actor=event.logical_user_id if event else SYSTEM,
            request_id=event.request_id if event else None,
            position=self.positions[key],
        )
        self.told.add(write_draft(write, domain=DOMAIN), at, event)


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
