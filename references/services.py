"""The only writers of categories and model records.

Each takes the lock of the category's row first, then writes the records, then bumps the category: a reader that
sees the new revision sees all of the write, and one that does not sees none of it.
"""

import json
import time
from collections.abc import Iterable, Sequence

from django.db import transaction

from references.batches import batches
from references.categories import CATEGORIES
from references.filling import json_text, legacy_follow, record_fill
from references.import_runs import ImportCounts, ImportRun, next_position
from references.journal import SYSTEM, Operation, RecordWrite, writes_announce
from references.legacy import CategorySource, ImportedRecord
from references.models import Category, LegacySource, ModelRecord


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
        legacy = legacy_follow(category, legacy_before, before, record)
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


@transaction.atomic
def records_import(
    *,
    category: str,
    records: Iterable[ImportedRecord],
    source: str | None = None,
    prune: bool = False,
    at: int | None = None,
) -> ImportCounts:
    """Brings a category in step with `records`; what is equal already is not touched.

    The records, of which only some at a time are held in memory, come to stand in their order, and those stored
    ones that are not among them after them; with `prune` these go. `source` is the legacy file they were read
    from. Counters of single operations do not move; `last_updated` does when something changed.
    """
    row = category_lock(category)
    now = _now(at)
    if row.revision == 0:
        row.initialized_at = now
    revision = row.revision + 1
    run = ImportRun(row, revision=revision, at=now)
    for batch in batches(records):
        run.take(batch)
    run.settle(prune=prune)
    is_told = source is not None and not run.counts.kept
    source_moved = is_told and _source_store(row, source, revision=revision)
    if run.counts.changed or source_moved:
        if run.counts.changed:
            row.last_updated = max(now, row.last_updated + 1)
            row.last_successful_operation = now
        row.revision = revision
        row.save()
    return run.counts


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


def _source_store(row: Category, text: str, *, revision: int) -> bool:
    """Keeps the text, which says exactly what is stored; true when what version 1 serves moves with it."""
    held = LegacySource.objects.filter(category=row).first()
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


def _free_position(category: str, wanted: int | None) -> int:
    if wanted is None or ModelRecord.objects.in_category(category).filter(position=wanted).exists():
        return next_position(category)
    return wanted


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
