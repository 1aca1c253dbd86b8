"""What each line of the log did to its model: the record before and after it.

The published log tells an update by the members that differ, and knows nothing of records that were there before
it began. The records as they are now, and what deletes tell of those that went, fill this in from the end.
Where two lines that follow each other do not meet, something was written that the log does not tell of.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from moderation.live import ModelKey
from moderation.published.events import PublishedEvent
from moderation.states import Operation


class _Unknown(Enum):
    STATE = "unknown"


UNKNOWN: Final = _Unknown.STATE
State = dict | None | _Unknown
"""A record; None where there is none."""


@dataclass(slots=True)
class Step:
    """A write of one model. Without an event, the log does not tell of it."""

    before: dict | None
    after: dict | None
    event: PublishedEvent | None = None


@dataclass(slots=True)
class ModelPast:
    """`initial` is the record as the log began; `lost` are the lines from which nothing can be made out."""

    initial: dict | None
    steps: list[Step] = field(default_factory=list)
    lost: list[PublishedEvent] = field(default_factory=list)


def pasts(
    events: Iterable[PublishedEvent],
    records: Mapping[ModelKey, dict],
    renamed: Callable[[str, dict | None], dict | None],
) -> dict[ModelKey, ModelPast]:
    """The past of each model that is live or that the log names: live ones first, in their order.

    `records` are the live records, `renamed` brings records of the log in their form.
    """
    by_model: dict[ModelKey, list[PublishedEvent]] = {key: [] for key in records}
    for event in events:
        by_model.setdefault(event.model, []).append(event)
    return {key: _past(key[0], told, records.get(key), renamed) for key, told in by_model.items()}


def _past(
    category: str,
    events: list[PublishedEvent],
    now: dict | None,
    renamed: Callable[[str, dict | None], dict | None],
) -> ModelPast:
    if not events:
        return ModelPast(now)
    told = [_Told.read(event, lambda record: renamed(category, record)) for event in events]
    _fill_from_end(told, now)
    past = ModelPast(None)
    _fill_from_start(told, past)
    known = [line for line in told if line.after is not UNKNOWN]
    if not known:
        past.initial = now
        return past
    state = past.initial = _known(known[0].before)
    for line in known:
        if line.event.operation is Operation.CREATE:
            line.before = state
        if line.before != state:
            past.steps.append(Step(state, line.before))
        past.steps.append(Step(line.before, line.after, line.event))
        state = line.after
    if state != now:
        past.steps.append(Step(state, now))
    else:
        # The same record, perhaps with its members in another order: what is served is that of the file.
        past.steps[-1].after = now
    return past


@dataclass(slots=True)
class _Told:
    """One line of the log as far as it is known what was before and after it."""

    event: PublishedEvent
    before: State
    after: State
    delta: dict[str, dict]

    @classmethod
    def read(cls, event: PublishedEvent, renamed: Callable[[dict | None], dict | None]) -> "_Told":
        """Raises StoreError for a line without the record it has to tell of."""
        payload = event.payload
        if event.operation is Operation.CREATE:
            return cls(event, None, renamed(payload.inner("after").members), {})
        if event.operation is Operation.DELETE:
            return cls(event, renamed(payload.inner("before").members), None, {})
        delta = payload.inner("delta")
        members = {name: delta.inner(name).members for name in delta.members}
        return cls(event, UNKNOWN, UNKNOWN, renamed(members) or {})

    @property
    def is_open(self) -> bool:
        return self.event.operation is Operation.UPDATE and self.after is UNKNOWN

    def put_on(self, state: dict) -> dict:
        return _with(state, self.delta, "new")

    def taken_off(self, state: dict) -> dict:
        return _with(state, self.delta, "old")


def _fill_from_end(told: list[_Told], now: dict | None) -> None:
    later: State = now
    for line in reversed(told):
        if line.is_open and isinstance(later, dict):
            line.after = line.put_on(later)
            line.before = line.taken_off(line.after)
        later = line.before


def _fill_from_start(told: list[_Told], past: ModelPast) -> None:
    earlier: State = UNKNOWN
    for line in told:
        if line.is_open:
            if isinstance(earlier, dict):
                line.before, line.after = earlier, line.put_on(earlier)
            else:
                past.lost.append(line.event)
                continue
        earlier = line.after


def _with(state: dict, delta: dict[str, dict], side: str) -> dict:
    """The record with one side of the differences put in; a member without that side goes."""
    kept = {
        name: delta[name][side] if name in delta else value
        for name, value in state.items()
        if name not in delta or side in delta[name]
    }
    added = {name: entry[side] for name, entry in delta.items() if side in entry and name not in state}
    return {**kept, **added}


def _known(state: State) -> dict | None:
    return state if isinstance(state, dict) else None


def by_event(past_of: Mapping[ModelKey, ModelPast]) -> dict[int | None, list[tuple[ModelKey, Step]]]:
    """The steps to take at each event, under None those to take at the end.

    What the log does not tell of comes right before the next line of the same model.
    """
    steps: dict[int | None, list[tuple[ModelKey, Step]]] = defaultdict(list)
    for key, past in past_of.items():
        untold: list[tuple[ModelKey, Step]] = []
        for step in past.steps:
            untold.append((key, step))
            if step.event is not None:
                steps[step.event.event_id] = untold
                untold = []
        steps[None] += untold
    return steps
