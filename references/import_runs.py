"""One import into one category, some records at a time: compares them with what is stored and writes what differs.

Whoever runs it holds the lock of the category, and sees to its revision in the end.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

from django.db.models import F

from references.batches import batches
from references.filling import FILLED_COLUMNS, json_text, legacy_follow, record_fill
from references.journal import Operation, OrderWrite, RecordWrite, order_announce, writes_announce
from references.json_equality import json_equal
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


class _Shift(NamedTuple):
    """All records of a category from one position to another, which move together."""

    first: int
    last: int
    distance: int


class ImportRun:
    """`take` the records of the source batch by batch, then `settle` what the source says as a whole."""

    def __init__(self, row: Category, *, revision: int, at: int) -> None:
        self.counts = ImportCounts()
        self._row = row
        self._revision = revision
        self._at = at
        self._next = next_position(row.name)
        self._keys = self._stored().keys()
        self._created: set[int] = set()
        self._names: dict[str, None] = {}

    def take(self, batch: Sequence[ImportedRecord]) -> None:
        """Writes what differs of one batch; new records come last for now."""
        self._names.update(dict.fromkeys(item.name for item in batch))
        items = self._unsettled(batch)
        self.counts.unchanged += len(batch) - len(items)
        stored = {record.name: record for record in self._rows(items)}
        new, changed, writes = [], [], []
        for item in items:
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
        created = {record.name: record.pk for record in ModelRecord.objects.bulk_create(new)}
        self._keys |= created
        self._created.update(created.values())
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

    def _unsettled(self, batch: Sequence[ImportedRecord]) -> list[ImportedRecord]:
        """The records that have to be compared with what is stored of them, or have nothing stored."""
        settled = [item for item in batch if item.is_stored and _is_timestamped(item.record)]
        names = {item.name for item in settled}
        if names and self._row.spec.has_legacy_objects:
            names.difference_update(self._rows(settled).filter(legacy=None).values_list("name", flat=True))
        return [item for item in batch if item.name not in names]

    def _written(self, item: ImportedRecord, target: ModelRecord | None) -> RecordWrite | None:
        """What is to be written of a record; None where it is stored like that already."""
        category = self._row.name
        before = target.as_dict() if target else None
        record = _timestamped(item.record, before, initialized_at=self._row.initialized_at, at=self._at)
        is_same = target is not None and json_equal(record, before)
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
        before = [place.position for place in wanted]
        after = places(before)
        moved = [(place, new) for place, new in zip(wanted, after, strict=True) if new != place.position]
        if not moved:
            return
        self.counts.moved = sum(place.pk not in self._created for place, _ in moved)
        shifts = list(_shifts(before, after))
        _shifts_write(self._row.name, shifts, highest=max(*before, *after), revision=self._revision)
        order_announce(OrderWrite(self._row.name, {place.name: new for place, new in moved}))

    def _rows(self, items: Sequence[ImportedRecord]) -> ModelRecordQuerySet:
        """What is stored of these records."""
        keys = [self._keys[item.name] for item in items if item.name in self._keys]
        return ModelRecord.objects.filter(pk__in=keys)

    def _stored(self) -> ModelRecordQuerySet:
        return ModelRecord.objects.in_category(self._row.name)


def next_position(category: str) -> int:
    """The place after the last record of the category."""
    last = ModelRecord.objects.in_category(category).order_by("-position").values_list("position", flat=True)
    return (last.first() or 0) + 1


def _shifts(before: Sequence[int], after: Sequence[int]) -> Iterator[_Shift]:
    """What has to move: neighbours by the same distance, as all do behind a new record, move together."""
    distances = sorted((old, new - old) for old, new in zip(before, after, strict=True))
    for distance, run in groupby(distances, key=lambda each: each[1]):
        if distance:
            positions = [position for position, _ in run]
            yield _Shift(positions[0], positions[-1], distance)


def _shifts_write(category: str, shifts: Sequence[_Shift], *, highest: int, revision: int) -> None:
    """Positions are unique in a category at every moment, so all that moves steps aside first, behind `highest`."""
    records = ModelRecord.objects.in_category(category)
    for first, last, _ in shifts:
        records.filter(position__range=(first, last)).update(position=F("position") + highest)
    for first, last, distance in shifts:
        aside = records.filter(position__range=(first + highest, last + highest))
        aside.update(position=F("position") - highest + distance, revision=revision)


def _is_timestamped(record: dict) -> bool:
    metadata = record.get("metadata") or {}
    return metadata.get("created_at") is not None and metadata.get("updated_at") is not None


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
    if before is not None and own_update is None and not json_equal(timestamped, before):
        timestamped["metadata"]["updated_at"] = at
    return timestamped
