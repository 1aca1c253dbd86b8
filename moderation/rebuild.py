"""Compares the store with what the log says it must be, and brings it there."""

import json
from collections.abc import Iterator, Mapping

from django.db import connection
from django.db.models import Model, QuerySet

from moderation.events import unlogged
from moderation.models import Batch, PendingChange, QueueState
from moderation.replay import Replay, ReplayedRecord
from references.models import ModelRecord
from references.services import record_delete, record_put, source_reinstate

READ_BATCH = 1000
_SEQUENCE_SET = """
SELECT setval(id_sequence, greatest(%(last)s, pg_sequence_last_value(id_sequence)))
FROM CAST(pg_get_serial_sequence(%(table)s, %(column)s) AS regclass) AS id_sequence
"""


def differences(replay: Replay) -> Iterator[str]:
    """Everything in which the store is not what the log says, one line each."""
    for category in _categories(replay):
        yield from _record_differences(category, replay.records.get(category, {}))
    yield from _row_differences("change", PendingChange.recorded.all(), replay.changes)
    yield from _row_differences("batch", Batch.objects.all(), replay.batches)
    last_batch_id = (
        QueueState.objects.filter(pk=QueueState.ROW).values_list("last_batch_id", flat=True).first()
    )
    if (last_batch_id or 0) != replay.last_batch_id:
        yield f"queue: the last batch is {last_batch_id}, by the log it is {replay.last_batch_id}"


def store_restore(replay: Replay) -> None:
    """Makes the store what the log says. Call this in a transaction that holds every lock.

    Categories whose records change get a new revision; nothing of it is logged.
    """
    with unlogged():
        for category in _categories(replay):
            _records_restore(category, replay.records.get(category, {}))
    has_new_ids = _rows_restore(PendingChange.recorded.all(), replay.changes)
    _rows_restore(Batch.objects.all(), replay.batches)
    QueueState.objects.update_or_create(pk=QueueState.ROW, defaults={"last_batch_id": replay.last_batch_id})
    if has_new_ids:
        change_ids_continue_after(max(replay.changes))


def change_ids_continue_after(last: int) -> None:
    """Gives new changes higher ids than this one: rows with ids of their own do not move the sequence everywhere.

    It never goes back, since proposals under way may have taken ids ahead of it.
    """
    table, column = PendingChange._meta.db_table, PendingChange._meta.pk.column
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(_SEQUENCE_SET, {"table": table, "column": column, "last": last})
            return
        cursor.execute("UPDATE sqlite_sequence SET seq = max(seq, %s) WHERE name = %s", [last, table])
        if not cursor.rowcount:
            cursor.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (%s, %s)", [table, last])


def _categories(replay: Replay) -> list[str]:
    stored = ModelRecord.objects.order_by().values_list("category_id", flat=True).distinct()
    return sorted({*stored, *replay.records})


def _record_differences(category: str, expected: Mapping[str, ReplayedRecord]) -> Iterator[str]:
    seen = set()
    for row in _stored(category).iterator(chunk_size=READ_BATCH):
        seen.add(row.name)
        place = f"record {category}/{row.name}"
        if row.name not in expected:
            yield f"{place}: is not in the log"
        elif wrong := _unequal(row, expected[row.name]):
            yield f"{place}: {', '.join(wrong)} not as in the log"
    for name in expected.keys() - seen:
        yield f"record {category}/{name}: is missing"


def _unequal(row: ModelRecord, expected: ReplayedRecord) -> list[str]:
    return [name for name in ReplayedRecord.__slots__ if getattr(row, name) != getattr(expected, name)]


def _row_differences(kind: str, rows: QuerySet, expected: Mapping[int, Model]) -> Iterator[str]:
    seen = set()
    for row in rows.iterator(chunk_size=READ_BATCH):
        seen.add(row.pk)
        if row.pk not in expected:
            yield f"{kind} {row.pk}: is not in the log"
        elif wrong := [
            name for name in _columns(row) if getattr(row, name) != getattr(expected[row.pk], name)
        ]:
            yield f"{kind} {row.pk}: {', '.join(wrong)} not as in the log"
    for number in expected.keys() - seen:
        yield f"{kind} {number}: is missing"


def _columns(row: Model) -> list[str]:
    return [field.attname for field in row._meta.concrete_fields]


def _records_restore(category: str, expected: Mapping[str, ReplayedRecord]) -> None:
    stored = {row.name: row for row in _stored(category)}
    for name in stored.keys() - expected.keys():
        record_delete(category=category, name=name)
    wrong = {
        name: target
        for name, target in expected.items()
        if name not in stored or _unequal(stored[name], target)
    }
    for name, target in wrong.items():
        legacy = None if target.legacy is None else json.loads(target.legacy)
        record_put(category=category, name=name, record=json.loads(target.record), legacy=legacy)
    # Places are unique in a category: all that move step aside first.
    aside = 1 + max(
        [row.position for row in _stored(category)] + [target.position for target in expected.values()],
        default=0,
    )
    for offset, name in enumerate(wrong):
        _stored(category).filter(name=name).update(position=aside + offset)
    for name, target in wrong.items():
        _stored(category).filter(name=name).update(
            position=target.position, record=target.record, legacy=target.legacy
        )
    if wrong or stored.keys() - expected.keys():
        source_reinstate(category=category)


def _rows_restore(rows: QuerySet, expected: Mapping[int, Model]) -> bool:
    """Whether rows that were missing are there again."""
    stored = {row.pk: row for row in rows}
    rows.filter(pk__in=stored.keys() - expected.keys()).delete()
    for number, target in expected.items():
        current = stored.get(number)
        if current is None or any(
            getattr(current, name) != getattr(target, name) for name in _columns(target)
        ):
            target.save()
    return bool(expected.keys() - stored.keys())


def _stored(category: str) -> QuerySet[ModelRecord]:
    return ModelRecord.objects.in_category(category).in_stored_order()
