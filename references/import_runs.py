"""One import into one category, some records at a time: compares them with what is stored and writes what differs.

Whoever runs it holds the lock of the category, and sees to its revision in the end.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from django.db.models import F

from references.batches import batches
from references.filling import FILLED_COLUMNS, json_text, legacy_follow, record_fill
from references.journal import Operation, OrderWrite, RecordWrite, order_announce, writes_announce
from references.legacy import ImportedRecord
from references.models import Category, ModelRecord
from references.placing import places
from references.querysets import ModelRecordQuerySet


@dataclass(slots=True)
class ImportCounts:
    """What an import did to one category; `kept` are stored records that the source does not have.

    `moved` are those that were stored and got another place, whatever else became of them.
    """

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    kept: int = 0
    removed: int = 0
    moved: int = 0

    @property
    def changed(self) -> int:
        return self.created + self.updated + self.removed + self.moved


class _Place(NamedTuple):
    pk: int
    name: str
    position: int


class _Move(NamedTuple):
    pk: int
    name: str
    before: int
    after: int


class ImportRun:
    """`take` the records of the source batch by batch, then `settle` what the source says as a whole."""

    def __init__(self, row: Category, *, revision: int, at: int) -> None:
        self.counts = ImportCounts()
        self._row = row
        self._revision = revision
        self._at = at
        self._next = next_position(row.name)
        self._created: set[int] = set()
        self._names: dict[str, None] = {}

    def take(self, batch: Sequence[ImportedRecord]) -> None:
        """Writes what differs of one batch; new records come last for now."""
        names = [item.name for item in batch]
        self._names.update(dict.fromkeys(names))
        stored = {record.name: record for record in self._stored().filter(name__in=names)}
        new, changed, writes = [], [], []
        for item in batch:
            target = stored.get(item.name)
            write = self._written(item, target)
            if write is None:
                self.counts.unchanged += 1
                continue
            if target is None:
                target = ModelRecord(category=self._row, name=item.name, position=self._next)
                self._next += 1
                new.append(target)
            else:
                changed.append(target)
            record_fill(target, write.after, write.legacy_after, self._revision)
            writes.append(write)
        self.counts.created += len(new)
        self.counts.updated += len(changed)
        self._created.update(record.pk for record in ModelRecord.objects.bulk_create(new))
        ModelRecord.objects.bulk_update(changed, FILLED_COLUMNS)
        if writes:
            writes_announce(writes)

    def settle(self, *, prune: bool) -> None:
        """Removes or keeps what the source does not have, and brings all in order: the kept ones come last."""
        held = [_Place(*values) for values in self._stored().in_stored_order().values_list(*_Place._fields)]
        kept = [place for place in held if place.name not in self._names]
        if prune:
            self._remove(kept)
            self.counts.removed = len(kept)
            held, kept = [place for place in held if place.name in self._names], []
        self.counts.kept = len(kept)
        by_name = {place.name: place for place in held}
        self._order([*(by_name[name] for name in self._names), *kept])

    def _written(self, item: ImportedRecord, target: ModelRecord | None) -> RecordWrite | None:
        """What is to be written of a record; None where it is stored like that already."""
        category = self._row.name
        before = target.as_dict() if target else None
        record = _timestamped(item.record, before, initialized_at=self._row.initialized_at, at=self._at)
        is_same = target is not None and record == before
        if is_same and item.legacy is None and (target.legacy or not self._row.spec.has_legacy_objects):
            return None
        legacy_before = target.legacy_as_dict() if target else None
        legacy = item.legacy
        if legacy is None:
            legacy = legacy_follow(category, legacy_before, before, record)
        if is_same and json_text(legacy) == json_text(legacy_before):
            return None
        operation: Operation = "create" if target is None else "update"
        return RecordWrite(
            category,
            item.name,
            operation,
            before,
            record,
            legacy_before,
            legacy,
            position=target.position if target else self._next,
        )

    def _remove(self, gone: Sequence[_Place]) -> None:
        for batch in batches(gone):
            rows = self._stored().filter(pk__in=[place.pk for place in batch])
            writes = [
                RecordWrite(
                    record.category_id,
                    record.name,
                    "delete",
                    record.as_dict(),
                    None,
                    record.legacy_as_dict(),
                    position=record.position,
                )
                for record in rows.in_stored_order()
            ]
            rows.delete()
            writes_announce(writes)

    def _order(self, wanted: Sequence[_Place]) -> None:
        placed = zip(wanted, places([place.position for place in wanted]), strict=True)
        moves = [
            _Move(place.pk, place.name, place.position, after)
            for place, after in placed
            if after != place.position
        ]
        if not moves:
            return
        self.counts.moved = sum(move.pk not in self._created for move in moves)
        _moves_write(self._row.name, moves, revision=self._revision)
        order_announce(OrderWrite(self._row.name, {move.name: move.after for move in moves}))

    def _stored(self) -> ModelRecordQuerySet:
        return ModelRecord.objects.in_category(self._row.name)


def next_position(category: str) -> int:
    """The place after the last record of the category."""
    last = ModelRecord.objects.in_category(category).order_by("-position").values_list("position", flat=True)
    return (last.first() or 0) + 1


def _moves_write(category: str, moves: Sequence[_Move], *, revision: int) -> None:
    """Puts records at their new positions.

    Positions are unique in a category at every moment, so all that move step aside first. Those that move by the
    same distance, as all do behind a new record, move together.
    """
    records = ModelRecord.objects.in_category(category)
    aside = max(next_position(category), *(move.after for move in moves))
    shifts: dict[int, list[int]] = defaultdict(list)
    for move in moves:
        shifts[move.after - move.before].append(move.pk)
    for batch in batches(moves):
        records.filter(pk__in=[move.pk for move in batch]).update(position=F("position") + aside)
    for distance, moved in shifts.items():
        for keys in batches(moved):
            records.filter(pk__in=keys).update(position=F("position") - aside + distance, revision=revision)


def _timestamped(record: dict, before: dict | None, *, initialized_at: int, at: int) -> dict:
    """The record with both timestamps: its own, else those of the stored record, else the category's beginning.

    A stored record that differs in nothing else keeps its `updated_at`.
    """
    metadata = dict(record.get("metadata") or {})
    stored = (before or {}).get("metadata") or {}
    own_update = metadata.get("updated_at")
    created_at = metadata.pop("created_at", None)
    metadata.pop("updated_at", None)
    created_at = created_at if created_at is not None else stored.get("created_at", initialized_at)
    updated_at = own_update if own_update is not None else stored.get("updated_at", initialized_at)
    timestamped = {**record, "metadata": {**metadata, "created_at": created_at, "updated_at": updated_at}}
    if before is not None and own_update is None and timestamped != before:
        timestamped["metadata"]["updated_at"] = at
    return timestamped
