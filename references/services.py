"""The only writers of categories and model records.

Each takes the lock of the category's row first, then writes the records, then bumps the category: a reader that
sees the new revision sees all of the write, and one that does not sees none of it.
"""

import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.db import transaction

from references.categories import CATEGORIES
from references.journal import SYSTEM, Operation, RecordWrite, writes_announce
from references.legacy import CategorySource, ImportedRecord, legacy_from_record, legacy_overlay
from references.models import Category, LegacySource, ModelRecord

WRITE_BATCH = 500


def json_text(value: object) -> str:
    """Compact JSON with the key order of `value`; what is stored and, encoded, what is served."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def categories_sync(*, using: str = "default", at: int | None = None) -> None:
    """Gives every category of the registry its row."""
    now = _now(at)
    Category.objects.using(using).bulk_create(
        [
            Category(name=name, initialized_at=now, last_updated=now, last_successful_operation=now)
            for name in CATEGORIES
        ],
        ignore_conflicts=True,
    )


def category_lock(name: str) -> Category:
    """The category's row, locked until the end of the transaction."""
    return Category.objects.select_for_update().get(pk=name)


def categories_lock(names: Iterable[str]) -> None:
    """Locks several categories in the one order that all writers keep to, so that none waits for another's lock."""
    list(Category.objects.select_for_update().filter(pk__in=names).order_by("pk"))


@transaction.atomic
def record_put(
    *,
    category: str,
    name: str,
    record: dict,
    legacy: dict | None = None,
    position: int | None = None,
    actor: str = SYSTEM,
    request_id: str | None = None,
    at: int | None = None,
) -> RecordWrite:
    """Creates the record or replaces it whole.

    `legacy` is the v1 object to store; without it, the stored one follows the change of the v2 record. A new
    record takes the place `position` in its category if that is free, else the one after the last.
    """
    row = category_lock(category)
    stored = ModelRecord.objects.filter(category=row, name=name).first()
    before = stored.as_dict() if stored else None
    legacy_before = stored.legacy_as_dict() if stored else None
    if legacy is None:
        legacy = _legacy_follow(category, legacy_before, before, record)
    revision = row.revision + 1
    target = stored or ModelRecord(category=row, name=name, position=_free_position(category, position))
    record_fill(target, record, legacy, revision)
    target.save()
    operation: Operation = "update" if stored else "create"
    write = RecordWrite(
        category,
        name,
        operation,
        before,
        record,
        legacy_before,
        legacy,
        actor=actor,
        request_id=request_id,
        position=target.position,
    )
    _category_bump(row, revision=revision, at=_now(at), operation=write.operation, name=name)
    writes_announce([write])
    return write


@transaction.atomic
def record_delete(
    *, category: str, name: str, actor: str = SYSTEM, request_id: str | None = None, at: int | None = None
) -> RecordWrite:
    """Removes the record; raises ModelRecord.DoesNotExist."""
    row = category_lock(category)
    stored = ModelRecord.objects.get(category=row, name=name)
    write = RecordWrite(
        category,
        name,
        "delete",
        stored.as_dict(),
        None,
        stored.legacy_as_dict(),
        None,
        actor=actor,
        request_id=request_id,
        position=stored.position,
    )
    stored.delete()
    _category_bump(row, revision=row.revision + 1, at=_now(at), operation="delete", name=name)
    writes_announce([write])
    return write


@dataclass(slots=True)
class ImportCounts:
    """What an import did to one category; `kept` are stored records that the source does not have."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    kept: int = 0
    removed: int = 0

    @property
    def changed(self) -> int:
        return self.created + self.updated + self.removed


@dataclass(slots=True)
class _ImportPlan:
    new: list[ModelRecord] = field(default_factory=list)
    changed: list[ModelRecord] = field(default_factory=list)
    writes: list[RecordWrite] = field(default_factory=list)
    counts: ImportCounts = field(default_factory=ImportCounts)


@transaction.atomic
def records_import(
    *,
    category: str,
    records: Sequence[ImportedRecord],
    source: str | None = None,
    prune: bool = False,
    at: int | None = None,
) -> ImportCounts:
    """Brings a category in step with `records`, in their order; what is equal already is not touched.

    `source` is the legacy file they were read from. With `prune`, stored records that are not among them go.
    Counters of single operations do not move; `last_updated` does when something changed.
    """
    row = category_lock(category)
    now = _now(at)
    if row.revision == 0:
        row.initialized_at = now
    revision = row.revision + 1
    stored = {record.name: record for record in ModelRecord.objects.in_category(category)}
    plan = _import_plan(row, records, stored, revision=revision, at=now)
    names = {item.name for item in records}
    gone = [record for name, record in stored.items() if name not in names]
    if prune:
        plan.counts.removed = len(gone)
        plan.writes += [
            RecordWrite(
                category,
                record.name,
                "delete",
                record.as_dict(),
                None,
                record.legacy_as_dict(),
                position=record.position,
            )
            for record in gone
        ]
        ModelRecord.objects.filter(pk__in=[record.pk for record in gone]).delete()
    else:
        plan.counts.kept = len(gone)
    ModelRecord.objects.bulk_create(plan.new, batch_size=WRITE_BATCH)
    ModelRecord.objects.bulk_update(plan.changed, FILLED_COLUMNS, batch_size=WRITE_BATCH)
    source_moved = source is not None and _source_store(row, records, source, revision=revision)
    if plan.counts.changed or source_moved:
        if plan.counts.changed:
            row.last_updated = max(now, row.last_updated + 1)
            row.last_successful_operation = now
        row.revision = revision
        row.save()
    writes_announce(plan.writes)
    return plan.counts


@transaction.atomic
def sources_import(sources: Sequence[CategorySource], *, at: int | None = None) -> dict[str, ImportCounts]:
    """Imports several categories, all or none of them; returns what was done to each."""
    categories_lock(source.category for source in sources)
    return {
        source.category: records_import(
            category=source.category,
            records=source.records,
            source=source.text if source.is_complete and source.text else None,
            at=at,
        )
        for source in sources
    }


def _import_plan(
    row: Category,
    records: Iterable[ImportedRecord],
    stored: dict[str, ModelRecord],
    *,
    revision: int,
    at: int,
) -> _ImportPlan:
    plan = _ImportPlan()
    position = _next_position(row.name)
    for item in records:
        target = stored.get(item.name)
        before = target.as_dict() if target else None
        legacy_before = target.legacy_as_dict() if target else None
        record = _timestamped(item.record, before, initialized_at=row.initialized_at, at=at)
        legacy = item.legacy
        if legacy is None:
            legacy = _legacy_follow(row.name, legacy_before, before, record)
        if target and record == before and json_text(legacy) == json_text(legacy_before):
            plan.counts.unchanged += 1
            continue
        if target is None:
            target = ModelRecord(category=row, name=item.name, position=position)
            position += 1
            plan.new.append(target)
            plan.counts.created += 1
        else:
            plan.changed.append(target)
            plan.counts.updated += 1
        record_fill(target, record, legacy, revision)
        operation: Operation = "create" if before is None else "update"
        plan.writes.append(
            RecordWrite(
                row.name,
                item.name,
                operation,
                before,
                record,
                legacy_before,
                legacy,
                position=target.position,
            )
        )
    return plan


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


def _source_store(row: Category, records: Sequence[ImportedRecord], text: str, *, revision: int) -> bool:
    """Keeps the text while it says exactly what is stored; true when what version 1 serves moves with it."""
    names = list(ModelRecord.objects.in_category(row.name).in_stored_order().names())
    held = LegacySource.objects.filter(category=row).first()
    if names != [item.name for item in records]:
        return False
    if held and held.text == text and held.revision == row.revision:
        return False
    LegacySource.objects.update_or_create(category=row, defaults={"text": text, "revision": revision})
    return True


@transaction.atomic
def source_reinstate(*, category: str) -> bool:
    """Lets version 1 serve the imported text again, if the records have come back to what it says.

    Returns whether it does; raises Category.DoesNotExist.
    """
    row = category_lock(category)
    held = LegacySource.objects.filter(category=row).first()
    if held is None or not row.spec.has_legacy_objects or not _source_holds(held):
        return False
    held.revision = row.revision
    held.save(update_fields=["revision"])
    return True


def _source_holds(held: LegacySource) -> bool:
    stored = ModelRecord.objects.in_category(held.category_id).in_stored_order()
    told = json.loads(held.text)
    return len(told) == stored.count() and all(
        name == known and legacy == json_text(entry)
        for (name, legacy), (known, entry) in zip(
            stored.values_list("name", "legacy"), told.items(), strict=True
        )
    )


FILLED_COLUMNS = (
    "record", "legacy", "revision", "baseline", "style", "nsfw", "size_on_disk_bytes", "updated_at"
)  # fmt: skip


def record_fill(target: ModelRecord, record: dict, legacy: dict | None, revision: int) -> None:
    target.record = json_text(record)
    target.legacy = None if legacy is None else json_text(legacy)
    target.revision = revision
    target.baseline = record.get("baseline") or ""
    target.style = record.get("style") or ""
    target.nsfw = record.get("nsfw")
    target.size_on_disk_bytes = record.get("size_on_disk_bytes")
    target.updated_at = (record.get("metadata") or {}).get("updated_at") or 0


def _legacy_follow(
    category: str, legacy_before: dict | None, before: dict | None, record: dict
) -> dict | None:
    if not CATEGORIES[category].has_legacy_objects:
        return None
    if legacy_before is None or before is None:
        return legacy_from_record(category, record)
    return legacy_overlay(category, legacy_before, before, record)


def _free_position(category: str, wanted: int | None) -> int:
    if wanted is None or ModelRecord.objects.in_category(category).filter(position=wanted).exists():
        return _next_position(category)
    return wanted


def _next_position(category: str) -> int:
    last = ModelRecord.objects.in_category(category).order_by("-position").values_list("position", flat=True)
    return (last.first() or 0) + 1


def _category_bump(row: Category, *, revision: int, at: int, operation: Operation, name: str) -> None:
    """Counts one operation. `last_updated` always grows, so that clients may compare it for equality."""
    row.revision = revision
    row.last_updated = max(at, row.last_updated + 1)
    row.last_successful_operation = at
    row.last_operation_type = operation
    row.last_operation_model = name
    counter = f"total_{operation}s"
    setattr(row, counter, getattr(row, counter) + 1)
    row.save()


def _now(at: int | None) -> int:
    return int(time.time()) if at is None else at
