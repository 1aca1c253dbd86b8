"""Writes what was read of a store: its past into the log, and then the store as the log tells it."""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import groupby

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F

from moderation.events import events_append, head_lock
from moderation.models import AuditEvent, Batch, PendingChange
from moderation.published.changes import PublishedChange
from moderation.published.entries import History
from moderation.published.history import history_told
from moderation.published.lives import pasts
from moderation.published.parsing import StoreError
from moderation.published.reading import PublishedStore, record_renamed
from moderation.published.records import legacy_objects, live_records
from moderation.published.structure import structure_put
from moderation.rebuild import change_ids_continue_after, differences, store_restore
from moderation.replay import Replay, log_replay
from moderation.services.transactions import categories_lock, clock, in_one_transaction, queue_lock
from moderation.webhooks.services import deliveries_extend
from references.categories import CATEGORIES
from references.journal import SYSTEM
from references.models import Category
from references.services import records_import
from references.structure_services import structure_lock

NOT_EMPTY = (
    "This service has a past of its own: its log holds proposals, or writes that people made. A published store "
    "can only be moved into a service that nobody has worked with; give it a new database."
)
# What the log and the queue of a store must agree on; their times may be a second apart, and the log's are kept.
_AGREED = (
    "status", "requested_by", "requested_username", "batch_id", "batch_title",
    "approved_by", "rejected_by", "reject_reason", "applied_by", "applied_job_id",
)  # fmt: skip
_TIMES = ("requested_at", "approved_at", "rejected_at", "applied_at")


@dataclass(slots=True)
class MoveReport:
    """What was carried over. `removed` counts records that were here before, `apart` times that follow the log.

    A repeat found this very store moved in already, and did nothing.
    """

    is_repeat: bool = False
    records: Counter[str] = field(default_factory=Counter)
    removed: Counter[str] = field(default_factory=Counter)
    changes: Counter[str] = field(default_factory=Counter)
    structure: Counter[str] = field(default_factory=Counter)
    events: int = 0
    apart: int = 0
    left_out: list[str] = field(default_factory=list)
    added: list[str] = field(default_factory=list)


@in_one_transaction
def store_move_in(
    *,
    store: PublishedStore,
    dry_run: bool = False,
    at: int | None = None,
    progress: Callable[[str], None] = lambda words: None,
) -> MoveReport:
    """Moves a store in as a whole, or raises StoreError and changes nothing.

    Records that were imported here before and are not in the store go. With `dry_run`, all is undone in the end.
    """
    if not settings.AUDIT_ENABLED:
        raise StoreError("This deployment keeps no audit log, which the store is carried over by.")
    now = clock(at)
    _store_lock()
    if AuditEvent.objects.filter(payload__contains=f'"store":"{store.digest}"').exists():
        return MoveReport(is_repeat=True, left_out=store.left_out)
    _emptiness_check()
    records = live_records(store, at=now)
    history = _history(store, records, now)
    report = MoveReport(left_out=[*store.left_out, *history.left_out], added=list(history.added))
    progress("removing what was here before")
    for category in CATEGORIES:
        report.removed[category] = records_import(category=category, records=[], prune=True).removed
    progress(f"writing {len(history.entries)} events")
    replay = _log(history)
    _agreement_check(replay, store.changes, report)
    progress(f"writing {len(records)} records, {len(replay.changes)} changes and the text groups")
    _store_write(store, replay, report)
    report.records.update(category for category, _ in records)
    report.events = len(history.entries)
    if dry_run:
        transaction.set_rollback(True)
    return report


def _store_lock() -> None:
    """All that a store has, in the order in which everybody locks it."""
    queue_lock()
    categories_lock(CATEGORIES)
    structure_lock()
    head_lock()


def _history(store: PublishedStore, records: dict, now: int) -> History:
    past_of = pasts([event for event in store.events if not event.is_of_queue], records, record_renamed)
    history = history_told(store, past_of, legacy_of=legacy_objects(store), at=now)
    if not history.entries:
        raise StoreError("The store holds neither records nor changes: there is nothing to move in.")
    return history


def _store_write(store: PublishedStore, replay: Replay, report: MoveReport) -> None:
    """Brings in what the log tells, and then what it does not; raises StoreError where the two do not agree."""
    _change_ids_begin_anew()
    store_restore(replay)
    report.changes.update(change.status for change in store.changes.values())
    report.changes["purged"] = len(replay.changes) - len(store.changes)
    if last_change_id := max([store.last_change_id, *replay.changes]):
        change_ids_continue_after(last_change_id)
    report.structure = structure_put(store.structure, report.left_out)
    for name, times in store.times.items():
        Category.objects.filter(pk=name).update(revision=F("revision") + 1, **times.columns)
    if left := next(differences(replay), None):
        raise StoreError(f"The store would not be what its log says: {left}")


def _emptiness_check() -> None:
    has_past = (
        PendingChange.recorded.exists()
        or Batch.objects.exists()
        or AuditEvent.objects.exclude(logical_user_id=SYSTEM).exists()
        or AuditEvent.objects.filter(category__in=[AuditEvent.QUEUE, AuditEvent.STRUCTURE]).exists()
    )
    if has_past:
        raise StoreError(NOT_EMPTY)


def _log(history: History) -> Replay:
    """Writes the events and replays the log; raises StoreError where that shows a contradiction."""
    first = head_lock().last_event_id + 1
    for moment, entries in groupby(history.entries, key=lambda entry: entry.at):
        events_append((entry.draft for entry in entries), at=moment)
    # While they are the last ones: the text groups write events of their own.
    if any(entry.draft.category in CATEGORIES for entry in history.entries):
        deliveries_extend(appended=len(history.entries))
    replay = log_replay()
    for fault in replay.faults:
        number = re.search(r"event (\d+)", fault)
        index = int(number[1]) - first if number else -1
        place = history.entries[index].place if 0 <= index < len(history.entries) else "log of this service"
        raise StoreError(f"{place}: {fault}")
    return replay


def _agreement_check(replay: Replay, changes: dict[int, PublishedChange], report: MoveReport) -> None:
    for change_id, change in changes.items():
        row = replay.changes[change_id]
        for name in _AGREED:
            told, queued = getattr(row, name), getattr(change, name)
            if told != queued and queued is not None:
                raise StoreError(f"{change.place}: {name} is {queued!r}, by the log it is {told!r}")
        report.apart += sum(getattr(change, name) not in (None, getattr(row, name)) for name in _TIMES)


def _change_ids_begin_anew() -> None:
    """On PostgreSQL a rollback leaves a sequence where it was set to, unless the transaction began it anew."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE moderation_pendingchange ALTER COLUMN change_id RESTART")
