"""Text models: the legacy entries of a v2 record, and the v2 record of a legacy entry."""

import re
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from references.categories import CATEGORIES, TEXT_CATEGORY
from references.legacy.downloads import config_from_legacy
from references.legacy.fields import DEFAULT_STYLE, DEFAULT_VERSION
from references.legacy.issues import RecordError, Warn
from references.legacy.values import (
    JsonObject,
    read_flag,
    read_scalars,
    read_text,
    read_whole,
    read_words,
    require_storable,
)
from references.text import group_name, legacy_summaries, name_variants, split_backend
from references.vocabulary import RECORD_SCHEMA_VERSION, TEXT_SETTINGS_KEYS

BILLION = 1_000_000_000


def text_entries(record: Mapping[str, Any]) -> list[tuple[str, JsonObject]]:
    """The three legacy entries of a text model by key: its own, then one for each backend."""
    name = record["name"]
    entry = {
        "name": name,
        "model_name": model_name(name),
        "baseline": record.get("baseline") or "",
        "parameters": record["parameters"],
        "description": record.get("description") or "",
        "version": record.get("version") or DEFAULT_VERSION,
        "style": record.get("style") or DEFAULT_STYLE,
        "nsfw": record.get("nsfw") or False,
        "display_name": record.get("display_name") or automatic_display_name(name),
        "url": record.get("url") or None,
        "tags": sorted({*(record.get("tags") or ()), *automatic_tags(record)}),
        "instruct_format": record.get("instruct_format") or None,
        "settings": record.get("settings") or None,
    }
    entry = {field: value for field, value in entry.items() if value is not None}
    return [(key, {**entry, "name": key}) for key in name_variants(name)]


def group_view(entries: Mapping[str, JsonObject]) -> dict[str, JsonObject]:
    """The entries, each with its group's name and summary as the last two fields."""
    summaries = legacy_summaries(entries)
    view = {}
    for key, entry in entries.items():
        group = group_name(key)
        view[key] = {**entry, "text_model_group": group, "text_model_group_summary": summaries[group]}
    return view


def text_record_from_entry(key: str, entry: JsonObject, warn: Warn) -> JsonObject:
    """The v2 record of a base entry. What the entry would say by itself is not stored as if it were said."""
    parameters = read_whole(entry, "parameters") or 0
    style = read_text(entry, "style") or ""
    tags = read_words(entry, "tags") or []
    if style == DEFAULT_STYLE and style not in tags:
        style = ""
    automatic = automatic_tags({"parameters": parameters, "style": style})
    display_name = read_text(entry, "display_name") or ""
    fields = {
        "description": read_text(entry, "description"),
        "version": read_text(entry, "version"),
        "config": config_from_legacy(entry, warn),
        "baseline": read_text(entry, "baseline"),
        "parameters": parameters,
        "nsfw": read_flag(entry, "nsfw"),
        "style": style,
        "display_name": "" if display_name == automatic_display_name(key) else display_name,
        "url": read_text(entry, "url"),
        "tags": [tag for tag in tags if tag not in automatic],
        "instruct_format": read_text(entry, "instruct_format"),
        "settings": read_scalars(entry, "settings"),
    }
    return text_record(key, fields, warn)


def text_record(name: str, fields: Mapping[str, Any], warn: Warn) -> JsonObject:
    """A v2 text record without timestamps; free text that is absent is an empty string in it."""
    _require_base_name(name)
    settings = fields.get("settings") or None
    require_storable(settings)
    for unknown in sorted(set(settings or ()) - TEXT_SETTINGS_KEYS):
        warn("unknown_setting", f"setting {unknown!r} is not known")
    if fields["parameters"] <= 0:
        warn("no_parameters", "has no number of parameters")
    spec = CATEGORIES[TEXT_CATEGORY]
    record = {
        "record_type": TEXT_CATEGORY,
        "name": name,
        "description": fields.get("description") or "",
        "version": fields.get("version") or "",
        "metadata": {"schema_version": RECORD_SCHEMA_VERSION},
        "config": fields.get("config") or {"download": []},
        "model_classification": {"domain": str(spec.domain), "purpose": str(spec.purpose)},
        "baseline": fields.get("baseline") or "",
        "parameters": fields["parameters"],
        "nsfw": fields.get("nsfw") or False,
        "style": fields.get("style") or "",
        "display_name": fields.get("display_name") or "",
        "url": fields.get("url") or "",
        "tags": fields["tags"],
        "instruct_format": fields.get("instruct_format") or None,
        "settings": settings,
        "text_model_group": group_name(name),
    }
    return {field: value for field, value in record.items() if value is not None}


def _require_base_name(name: str) -> None:
    if "://" in name:
        raise RecordError("name_is_url", "the name is a URL")
    if split_backend(name)[0]:
        raise RecordError(
            "backend_prefix", "the name has a backend's prefix; such entries are made, not stored"
        )


def model_name(name: str) -> str:
    """The name without author: what follows the first slash, up to a second one."""
    return name.split("/")[1] if "/" in name else name


def automatic_display_name(name: str) -> str:
    return " ".join(re.sub(r"[-_]", " ", model_name(name)).split())


def automatic_tags(record: Mapping[str, Any]) -> set[str]:
    """The tags an entry has on top of the model's own: its style, and its size in whole billions."""
    size = f"{round(Fraction(record['parameters'], BILLION))}B"
    return {size, record["style"]} if record.get("style") else {size}
