"""The live records of a store as they are to be stored here."""

from collections.abc import Callable

from moderation.live import ModelKey
from moderation.published.reading import PublishedStore
from references.categories import CATEGORIES
from references.legacy import legacy_from_record, legacy_overlay
from references.problems import RequestInvalid
from references.serializers import record_validate


def live_records(store: PublishedStore, *, at: int) -> dict[ModelKey, dict]:
    """The records in the order of their files. One without times has those of its category's beginning, else `at`."""
    records = {}
    for source in store.sources:
        times = store.times.get(source.category)
        began_at = times.initialized_at if times else at
        for item in source.records:
            records[source.category, item.name] = _stamped(item.record, began_at)
    return records


def legacy_objects(store: PublishedStore) -> Callable[[ModelKey, dict | None], dict | None]:
    """What is kept beside a record: the legacy object of the store, brought in step with it, or one made of it."""

    def legacy_of(key: ModelKey, record: dict | None) -> dict | None:
        category, name = key
        if record is None or not CATEGORIES[category].has_legacy_objects or not _is_valid(category, record):
            return None
        if (known := store.legacy.get(category, {}).get(name)) is not None:
            return legacy_overlay(category, known.legacy, known.record, record)
        return legacy_from_record(category, record)

    return legacy_of


def _is_valid(category: str, record: dict) -> bool:
    """Records of the past need not be valid by the rules of today."""
    try:
        record_validate(category, record)
    except RequestInvalid:
        return False
    return True


def _stamped(record: dict, at: int) -> dict:
    metadata = record.get("metadata") or {}
    missing = [name for name in ("created_at", "updated_at") if metadata.get(name) is None]
    if not missing:
        return record
    return {**record, "metadata": {**metadata, **dict.fromkeys(missing, at)}}
