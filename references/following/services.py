"""The writers of a follower: the copies themselves, and what was had of the PRIMARY when.

A copy is stored in one transaction, which first makes sure that this process still is the one that follows: one
that was held up, and whose place another has taken, writes nothing.
"""

import time
from collections.abc import Mapping
from itertools import count

from django.db import transaction

from references.batches import WRITE_BATCH
from references.filling import FILLED_COLUMNS, record_fill
from references.following.client import PrimaryError
from references.following.copies import CategoryCopy, Marks, StructureCopy
from references.following.place import Place, pause_after
from references.following_models import FollowedPart
from references.journal import Operation, RecordWrite, writes_announce
from references.legacy import CategorySource
from references.models import Category, LegacySource, ModelRecord
from references.problems import Conflict
from references.services import ImportCounts, category_lock, records_import
from references.structure_models import GroupAliasEntry, GroupFamily, GroupNameSchema
from references.structure_services import (
    aliases_delete,
    aliases_put,
    family_delete,
    family_put,
    name_schema_delete,
    name_schema_put,
    structure_lock,
)

STRUCTURE = "text_structure"
REVISION_CEILING = 2**53


# What is known of each part -----------------------------------------------------------------------


def part_confirm(*, place: Place, part: FollowedPart, marks: Marks, retry_at: float = 0) -> None:
    """Notes that what is held is what the PRIMARY has, and by which marks."""
    part.revision, part.last_updated = marks.revision, marks.last_updated
    part.v2_tag, part.v1_tag = marks.v2_tag, marks.v1_tag
    part.confirmed_at = time.time()
    part.failures, part.last_error, part.retry_at = 0, "", retry_at
    with transaction.atomic():
        place.lock()
        part.save()


def part_fail(*, place: Place, part: FollowedPart, error: str, waits: bool) -> None:
    """Notes that a part could not be had; what is held of it stays. It `waits` longer with each failure."""
    now = time.time()
    part.failures += 1
    part.last_error, part.failed_at = error, now
    part.retry_at = now + pause_after(part.failures) if waits else 0
    with transaction.atomic():
        place.lock()
        part.save()


# Copies -------------------------------------------------------------------------------------------


@transaction.atomic
def category_mirror(*, place: Place, part: FollowedPart, copy: CategoryCopy) -> ImportCounts:
    """Makes a category what the copy says, byte for byte and in its order, and notes its marks.

    Only what differs is written and announced. A model that comes at another place is removed and created anew,
    so that a log of writes tells the order too. Counters of single operations do not move.
    """
    place.lock()
    now = time.time()
    row = category_lock(copy.category)
    # A copy that is at the revision of the PRIMARY bears its number, unless a local one went past it.
    revision = row.revision + 1
    if copy.marks.revision is not None and copy.marks.revision < REVISION_CEILING:
        revision = max(revision, copy.marks.revision)
    counts = _records_mirror(copy, revision=revision)
    last_updated = copy.marks.last_updated
    if last_updated is None:
        last_updated = max(int(now), row.last_updated + 1) if counts.changed else row.last_updated
    is_moved = counts.changed or _has_text_moved(copy, row) or last_updated != row.last_updated
    if is_moved or row.revision == 0:
        row.revision, row.last_updated = revision, last_updated
        row.last_successful_operation = int(now)
        row.save()
        if copy.v1_text is not None:
            kept = {"text": copy.v1_text, "revision": revision}
            LegacySource.objects.update_or_create(category=row, defaults=kept)
    part.source, part.fetched_at = FollowedPart.Source.PRIMARY, now
    part.local_revision = row.revision
    part_confirm(place=place, part=part, marks=copy.marks)
    return counts


def _records_mirror(copy: CategoryCopy, *, revision: int) -> ImportCounts:
    stored = {record.name: record for record in ModelRecord.objects.in_category(copy.category)}
    staying, positions = _places(copy, stored)
    gone = [record for name, record in stored.items() if name not in staying]
    writes = [_write("delete", before=record) for record in gone]
    counts = ImportCounts(removed=len(gone))
    for start in range(0, len(gone), WRITE_BATCH):
        keys = [record.pk for record in gone[start : start + WRITE_BATCH]]
        ModelRecord.objects.filter(pk__in=keys).delete()
    new, changed = [], []
    for item in copy.records:
        target = ModelRecord(category_id=copy.category, name=item.name)
        record_fill(target, item.record, item.legacy, revision)
        if item.name not in staying:
            target.position = positions[item.name]
            new.append(target)
            writes.append(_write("create", after=target))
            continue
        held = stored[item.name]
        if (target.record, target.legacy) == (held.record, held.legacy):
            counts.unchanged += 1
            continue
        target.pk, target.position = held.pk, held.position
        changed.append(target)
        writes.append(_write("update", before=held, after=target))
    counts.created, counts.updated = len(new), len(changed)
    ModelRecord.objects.bulk_create(new, batch_size=WRITE_BATCH)
    ModelRecord.objects.bulk_update(changed, FILLED_COLUMNS, batch_size=WRITE_BATCH)
    writes_announce(writes)
    return counts


def _places(copy: CategoryCopy, stored: Mapping[str, ModelRecord]) -> tuple[set[str], dict[str, int]]:
    """The stored models that can stay where they are, and the positions that the others take between them."""
    staying: set[str] = set()
    positions: dict[str, int] = {}
    waiting: list[str] = []
    last = 0
    for item in copy.records:
        held = stored.get(item.name)
        if held is None or held.position <= last + len(waiting):
            waiting.append(item.name)
            continue
        positions.update(zip(waiting, count(last + 1), strict=False))
        waiting.clear()
        staying.add(item.name)
        last = held.position
    positions.update(zip(waiting, count(last + 1), strict=False))
    return staying, positions


def _write(
    operation: Operation, *, before: ModelRecord | None = None, after: ModelRecord | None = None
) -> RecordWrite:
    target = after or before
    return RecordWrite(
        target.category_id,
        target.name,
        operation,
        before.as_dict() if before else None,
        after.as_dict() if after else None,
        before.legacy_as_dict() if before else None,
        after.legacy_as_dict() if after else None,
        position=target.position,
    )


def _has_text_moved(copy: CategoryCopy, row: Category) -> bool:
    """Whether version 1 serves another text than the copy's."""
    if copy.v1_text is None:
        return False
    served = LegacySource.objects.filter(category=row, revision=row.revision, text=copy.v1_text)
    return not served.exists()


@transaction.atomic
def category_refill(*, place: Place, part: FollowedPart, source: CategorySource) -> ImportCounts:
    """Makes a category what its legacy file says, where the PRIMARY cannot be had."""
    place.lock()
    counts = records_import(
        category=source.category,
        records=source.records,
        source=source.text if source.is_complete else None,
        prune=True,
    )
    part.source, part.fetched_at = FollowedPart.Source.GITHUB, time.time()
    part.local_revision = Category.objects.get(pk=source.category).revision
    part.revision = part.last_updated = None
    part.v2_tag = part.v1_tag = ""
    part.save()
    return counts


@transaction.atomic
def structure_mirror(*, place: Place, part: FollowedPart, copy: StructureCopy, retry_at: float) -> None:
    """Makes aliases, families and naming schemas what the copy says; raises PrimaryError if they contradict."""
    place.lock()
    structure_lock()
    try:
        _aliases_mirror(copy.aliases)
        _families_mirror(copy.families)
    except Conflict as error:
        raise PrimaryError(f"text structure: {error.detail}") from None
    schemas = {row.group: row.as_dict() for row in GroupNameSchema.objects.all()}
    for group in schemas.keys() - copy.schemas.keys():
        name_schema_delete(group=group)
    for group, schema in copy.schemas.items():
        name_schema_put(group=group, schema=schema)
    part.source, part.fetched_at = FollowedPart.Source.PRIMARY, time.time()
    part_confirm(place=place, part=part, marks=Marks(), retry_at=retry_at)


def _aliases_mirror(wanted: Mapping[str, list[str]]) -> None:
    # What differs goes first: an alias may have moved from one group to another.
    for entry in GroupAliasEntry.objects.all():
        if wanted.get(entry.canonical) != entry.listed():
            aliases_delete(canonical=entry.canonical)
    for canonical, aliases in wanted.items():
        aliases_put(canonical=canonical, aliases=aliases)


def _families_mirror(wanted: Mapping[str, list[str]]) -> None:
    for family in GroupFamily.objects.all():
        if sorted(wanted.get(family.name, ())) != family.listed():
            family_delete(name=family.name)
    for name, members in wanted.items():
        family_put(name=name, members=members)
