"""Reads the folder of a store: what is in it, checked one by one, and what of it cannot be carried over.

Records of categories are read like any folder of v2 files. Everything else is read here; nothing is written.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from moderation.published.changes import PublishedChange, queue_read
from moderation.published.events import PublishedEvent, events_missing, events_read
from moderation.published.parsing import JsonObject, StoreError, file_object, limits
from references.categories import CATEGORIES, CategorySpec
from references.legacy import CategorySource, ImportedRecord, Severity, SourceError, source_read
from references.models import Category
from references.serializers import record_type
from references.sources import v2_folder_read

_LIMITS = limits(Category)
STRUCTURE_FILES = {kind: f"text_generation_group_{kind}.json" for kind in ("aliases", "families", "schemas")}


@dataclass(frozen=True, slots=True)
class CategoryTimes:
    """The counters and times of a category, named as the columns they go to."""

    columns: dict[str, Any]

    @property
    def initialized_at(self) -> int:
        return self.columns["initialized_at"]


@dataclass(slots=True)
class PublishedStore:
    """All that was read. `left_out` has one line, name and reason, for each thing that is not carried over.

    `digest` tells this state of the folder from any other.
    """

    digest: str
    sources: list[CategorySource]
    legacy: dict[str, dict[str, ImportedRecord]]
    times: dict[str, CategoryTimes]
    changes: dict[int, PublishedChange]
    last_change_id: int
    last_batch_id: int
    events: list[PublishedEvent]
    structure: dict[str, dict[str, JsonObject]]
    left_out: list[str] = field(default_factory=list)


def store_read(folder: Path) -> PublishedStore:
    """Raises StoreError where a file is broken or missing."""
    if not folder.is_dir():
        raise StoreError(f"{folder} is no folder")
    left_out: list[str] = []
    sources, legacy = _records_read(folder, left_out)
    times = _times_read(folder, left_out)
    logged = events_read(folder)
    left_out += events_missing(logged)
    events = list(_known(logged, left_out))
    changes, last_change_id, last_batch_id = queue_read(folder, events, left_out)
    structure = {kind: _structure_read(folder, name) for kind, name in STRUCTURE_FILES.items()}
    left_out += _foreign_files(folder) + _legacy_counters(folder)
    store = PublishedStore(
        digest=_digest(folder),
        sources=sources,
        legacy=legacy,
        times=times,
        changes=changes,
        last_change_id=last_change_id,
        last_batch_id=last_batch_id,
        events=events,
        structure=structure,
        left_out=left_out,
    )
    _completeness_check(store)
    return store


def _records_read(
    folder: Path, left_out: list[str]
) -> tuple[list[CategorySource], dict[str, dict[str, ImportedRecord]]]:
    try:
        sources = [replace(source, records=list(source.records)) for source in v2_folder_read(folder)]
        legacy = _legacy_read(folder)
    except SourceError as error:
        raise StoreError(str(error)) from error
    left_out += [
        f"{source.category} {issue.name}: {issue.reason}"
        for source in sources
        for issue in source.issues
        if issue.severity is Severity.SKIPPED
    ]
    present = {(source.category, record.name) for source in sources for record in source.records}
    left_out += [
        f"legacy record {category} {name}: version 2 has no such record, and both versions show the same here"
        for category, records in legacy.items()
        for name in records
        if (category, name) not in present
    ]
    return sources, legacy


def record_renamed(category: str, record: dict | None) -> dict | None:
    """The record with its members under the names that this service stores them by."""
    if record is None:
        return None
    first_names = {second: first for first, second in record_type(category).second_names.items()}
    return {first_names.get(key, key): value for key, value in record.items()}


def _known(events: Iterable[PublishedEvent], left_out: list[str]) -> Iterable[PublishedEvent]:
    foreign: dict[str, int] = {}
    for event in events:
        if event.is_of_queue or event.category in CATEGORIES:
            yield event
        else:
            foreign[event.category] = foreign.get(event.category, 0) + 1
    left_out += [
        f"{count} audit events of {name}: there is no such category" for name, count in foreign.items()
    ]


def _times_read(folder: Path, left_out: list[str]) -> dict[str, CategoryTimes]:
    times = {}
    for path in sorted((folder / "meta" / "v2").glob("*_metadata.json")):
        name = path.name.removesuffix("_metadata.json")
        place = f"meta/v2/{path.name}"
        read = file_object(folder, place)
        if name not in CATEGORIES:
            left_out.append(f"{place}: there is no such category")
            continue
        last_done = {
            column: read.text_or_none(column, limit=_LIMITS[column])
            for column in ("last_operation_type", "last_operation_model")
        }
        times[name] = CategoryTimes(
            {
                "initialized_at": read.moment("initialization_time"),
                "last_updated": read.moment("last_updated"),
                "last_successful_operation": read.moment("last_successful_operation"),
                **last_done,
                "total_creates": read.whole("total_creates"),
                "total_updates": read.whole("total_updates"),
                "total_deletes": read.whole("total_deletes"),
                "error_count": read.whole("error_count"),
            }
        )
    return times


def _legacy_read(folder: Path) -> dict[str, dict[str, ImportedRecord]]:
    """The legacy objects of the store by category and name, where it keeps legacy files."""
    found = {}
    for spec in CATEGORIES.values():
        if not spec.has_legacy_objects:
            continue
        for path in (folder / "legacy" / spec.source, folder / "legacy" / "image" / spec.source):
            if path.is_file():
                source = source_read(spec.name, path.read_bytes())
                found[spec.name] = {record.name: record for record in source.records}
                break
    return found


def _structure_read(folder: Path, name: str) -> dict[str, JsonObject]:
    if not (folder / name).is_file():
        return {}
    entries = file_object(folder, name)
    return {key: JsonObject(f"{name}, {key}", entries.inner(key).members) for key in entries.members}


def _foreign_files(folder: Path) -> list[str]:
    known = {f"{name}.json" for name in CATEGORIES} | {
        spec.source for spec in CATEGORIES.values() if spec.source
    }
    return [
        f"{path.name}: there is no such category"
        for path in sorted(folder.glob("*.json"))
        if path.name not in known and path.name not in STRUCTURE_FILES.values()
    ]


def _legacy_counters(folder: Path) -> list[str]:
    return [
        f"meta/legacy/{path.name}: a category has one set of counters and times here, that of meta/v2"
        for path in sorted((folder / "meta" / "legacy").glob("*.json"))
    ]


def _completeness_check(store: PublishedStore) -> None:
    """Raises StoreError for a category that has a past and no file: the folder is not the whole store."""
    present = {source.category for source in store.sources}
    with_a_past = {event.category for event in store.events if not event.is_of_queue} | set(store.times)
    for name in sorted(with_a_past - present):
        raise StoreError(f"{_file_name(CATEGORIES[name])} is missing, though the store has {name}")


def _file_name(spec: CategorySpec) -> str:
    return spec.source if spec.has_legacy_objects else f"{spec.name}.json"


def _digest(folder: Path) -> str:
    """A hash over the names and contents of all JSON files of the store."""
    files = sorted(
        (path.relative_to(folder).as_posix(), hashlib.sha256(path.read_bytes()).hexdigest())
        for pattern in ("*.json", "*.jsonl")
        for path in folder.rglob(pattern)
    )
    return hashlib.sha256(repr(files).encode()).hexdigest()
