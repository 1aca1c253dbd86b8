"""Tells the past of a store in the words of this service's log, in the order in which it happened.

Each entry becomes one event. What the published log leaves out is added: records that were there before it began,
writes it does not tell of, and acts that only the queue knows of. `origin` in an event's payload says which event
of the published log it was, null where it is such an addition.
"""

from collections.abc import Mapping

from moderation.live import ModelKey
from moderation.published.entries import History
from moderation.published.facts import writes_of_applies
from moderation.published.lives import ModelPast, Step
from moderation.published.queue_telling import QueueTelling
from moderation.published.reading import PublishedStore
from moderation.published.record_telling import LegacyOf, RecordTelling


def history_told(
    store: PublishedStore, past_of: Mapping[ModelKey, ModelPast], *, legacy_of: LegacyOf, at: int
) -> History:
    """The whole past; `at` is the time of what no file gives a time to.

    Raises StoreError where the log contradicts itself or the queue.
    """
    told = History(store.digest)
    ended_at = store.events[-1].timestamp if store.events else at
    records = RecordTelling(told, past_of, legacy_of=legacy_of, ended_at=ended_at)
    queue = QueueTelling(told, store, live=records.live, ended_at=ended_at)
    _tell_initial(records, store, past_of, at)
    queue.tell_unlogged()
    _tell_log(records, queue, store)
    for past in past_of.values():
        for event in past.lost:
            told.leave_out(event, "what it changed cannot be made out")
    queue.tell_the_rest()
    return told


def _tell_initial(
    records: RecordTelling, store: PublishedStore, past_of: Mapping[ModelKey, ModelPast], at: int
) -> None:
    """The records from before the log."""
    began_at = store.events[0].timestamp if store.events else at
    for key, past in past_of.items():
        if past.initial is not None:
            times = store.times.get(key[0])
            records.write(key, Step(None, past.initial), at=times.initialized_at if times else began_at)


def _tell_log(records: RecordTelling, queue: QueueTelling, store: PublishedStore) -> None:
    writes = writes_of_applies(store.events)
    claimed = set(writes.values())
    for event in store.events:
        if event.is_of_queue:
            records.take_steps(writes.get(event.event_id, 0))
            queue.tell_act(event)
        elif event.event_id not in claimed:
            records.take_steps(event.event_id)
    records.take_steps(None)
