"""What is stored of a record: its texts, and the columns that repeat parts of it."""

import json

from references.categories import CATEGORIES
from references.legacy import legacy_from_record, legacy_overlay
from references.models import ModelRecord

FILLED_COLUMNS = (
    "record", "legacy", "revision", "baseline", "style", "nsfw", "size_on_disk_bytes", "updated_at"
)  # fmt: skip


def json_text(value: object) -> str:
    """Compact JSON with the key order of `value`; what is stored and, encoded, what is served."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def record_fill(target: ModelRecord, record: dict, legacy: dict | None, revision: int) -> None:
    target.record = json_text(record)
    target.legacy = None if legacy is None else json_text(legacy)
    target.revision = revision
    target.baseline = record.get("baseline") or ""
    target.style = record.get("style") or ""
    target.nsfw = record.get("nsfw")
    target.size_on_disk_bytes = record.get("size_on_disk_bytes")
    target.updated_at = (record.get("metadata") or {}).get("updated_at") or 0


def legacy_follow(
    category: str, legacy_before: dict | None, before: dict | None, record: dict
) -> dict | None:
    """The v1 object to store beside `record`: the one before with the same change, or one made of the record."""
    if not CATEGORIES[category].has_legacy_objects:
        return None
    if legacy_before is None or before is None:
        return legacy_from_record(category, record)
    return legacy_overlay(category, legacy_before, before, record)
