"""Legacy records of the image repository's categories, turned into v2 records."""

import unicodedata

from references.categories import CATEGORIES, IMAGE_CATEGORY, TEXT_CATEGORY
from references.legacy.advice import advise
from references.legacy.downloads import config_from_legacy
from references.legacy.issues import Issue, RecordError, Warn, warnings_into
from references.legacy.text import text_record_from_entry
from references.legacy.values import (
    JsonObject,
    read_flag,
    read_scalars,
    read_text,
    read_whole,
    read_words,
    require_storable,
)
from references.vocabulary import (
    NAME_LENGTH,
    RECORD_SCHEMA_VERSION,
    ImageStyle,
    baseline_from_legacy,
    baseline_id,
)


def record_from_legacy(category: str, key: str, legacy: JsonObject) -> tuple[JsonObject, list[Issue]]:
    """The v2 record of one legacy record, without timestamps, and what is worth a warning about it.

    Raises RecordError when the record cannot be used.
    """
    issues: list[Issue] = []
    warn = warnings_into(issues, key)
    require_name(key)
    if not isinstance(legacy, dict):
        raise RecordError("not_an_object", "is not an object")
    require_storable(legacy)
    if category == TEXT_CATEGORY:
        return text_record_from_entry(key, legacy, warn), issues
    if read_text(legacy, "name") is None:
        raise RecordError("no_name", "has no name")
    is_image = category == IMAGE_CATEGORY
    record = _image_record(legacy, warn) if is_image else _small_record(category, legacy, warn)
    advise(category, key, legacy, warn)
    return record, issues


def require_name(key: str) -> None:
    if not key.strip():
        raise RecordError("no_name", "has no name")
    if len(key) > NAME_LENGTH:
        raise RecordError("name_too_long", f"the name is longer than {NAME_LENGTH} characters")
    if any(unicodedata.category(character) == "Cc" for character in key):
        raise RecordError("name_has_control", "the name holds control characters")
    require_storable(key)


def image_baseline(legacy: JsonObject) -> str:
    """The v2 id of the record's baseline, from any spelling known; raises RecordError."""
    spelling = read_text(legacy, "baseline")
    if spelling is None:
        raise RecordError("no_baseline", "has no baseline")
    known = baseline_id(baseline_from_legacy(spelling))
    if known is None:
        raise RecordError("unknown_baseline", f"baseline {spelling!r} is not known")
    return known


def _image_record(legacy: JsonObject, warn: Warn) -> JsonObject:
    record = {
        "name": legacy["name"],
        "description": read_text(legacy, "description"),
        "version": read_text(legacy, "version"),
        "config": config_from_legacy(legacy, warn),
        "size_on_disk_bytes": read_whole(legacy, "size_on_disk_bytes"),
        "inpainting": read_flag(legacy, "inpainting") or None,
        "baseline": image_baseline(legacy),
        "optimization": read_text(legacy, "optimization"),
        "tags": [tag.strip() for tag in read_words(legacy, "tags") or []],
        "showcases": read_words(legacy, "showcases") or [],
        "min_bridge_version": read_whole(legacy, "min_bridge_version"),
        "trigger": read_words(legacy, "trigger") or [],
        "homepage": read_text(legacy, "homepage"),
        "nsfw": read_flag(legacy, "nsfw") or False,
        "style": _image_style(legacy),
        "requirements": read_scalars(legacy, "requirements"),
        "metadata": {},
    }
    return {field: value for field, value in record.items() if value is not None}


def _image_style(legacy: JsonObject) -> str | None:
    style = read_text(legacy, "style")
    if style is None:
        return None
    if style.strip() not in set(ImageStyle):
        raise RecordError("unknown_style", f"style {style!r} is not known")
    return style.strip()


def _small_record(category: str, legacy: JsonObject, warn: Warn) -> JsonObject:
    spec = CATEGORIES[category]
    record = {
        "record_type": category,
        "name": legacy["name"],
        "description": read_text(legacy, "description"),
        "version": read_text(legacy, "version"),
        "metadata": {"schema_version": RECORD_SCHEMA_VERSION},
        "config": config_from_legacy(legacy, warn),
        "model_classification": {"domain": str(spec.domain), "purpose": str(spec.purpose)},
    }
    kind, style = read_text(legacy, "type"), read_text(legacy, "style")
    if category == "controlnet":
        record["controlnet_style"] = kind if kind is not None else style
    if category == "clip":
        record["pretrained_name"] = read_text(legacy, "pretrained_name")
    return {field: value for field, value in record.items() if value is not None}
