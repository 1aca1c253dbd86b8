"""Legacy objects: of new records, of changed ones, and as a v1 write leaves them."""

from collections.abc import Iterable
from typing import Any

from references.categories import IMAGE_CATEGORY, TEXT_CATEGORY
from references.json_equality import json_equal
from references.legacy.downloads import config_normalised, config_overlay
from references.legacy.fields import default_type, field_order
from references.legacy.from_legacy import image_baseline
from references.legacy.text import text_entries
from references.legacy.values import JsonObject
from references.vocabulary import baseline_to_legacy

# Clients of version 1 cannot read a record without these, so they outlive their v2 counterparts.
_NEVER_REMOVED = frozenset({"name", "baseline", "type"})
_SAME_IN_BOTH = (
    "description",
    "version",
    "style",
    "optimization",
    "homepage",
    "requirements",
    "size_on_disk_bytes",
    "min_bridge_version",
)
_ABSENT_WHEN_EMPTY = ("tags", "showcases", "trigger")
_ABSENT_IS_FALSE = ("inpainting", "nsfw")


def legacy_from_record(category: str, record: JsonObject) -> JsonObject:
    """The legacy object of a record that has none yet; of a text model, the entry under its own name."""
    if category == TEXT_CATEGORY:
        return text_entries(record)[0][1]
    constants = {"type": default_type(category), "available": False}
    if category == IMAGE_CATEGORY:
        constants["download_all"] = False
    config = config_overlay({"files": [], "download": []}, {}, record.get("config") or {})
    legacy = _without_nulls({**constants, **_without_nulls(_expressed(category, record)), "config": config})
    return _ordered(legacy, field_order(category))


def legacy_overlay(category: str, shadow: JsonObject, before: JsonObject, after: JsonObject) -> JsonObject:
    """The legacy object `shadow`, with what differs between the v2 records `before` and `after` put in.

    What v2 cannot say stays as it is. So does `type` when a ControlNet model loses its style.
    """
    order = field_order(category)
    legacy = shadow
    was = _expressed(category, before)
    for field, value in _expressed(category, after).items():
        if json_equal(value, was[field]):
            continue
        if value is not None:
            legacy = _placed(legacy, field, value, order)
        elif field not in _NEVER_REMOVED:
            legacy = {key: kept for key, kept in legacy.items() if key != field}
    config = legacy.get("config") or {}
    overlaid = config_overlay(config, before.get("config") or {}, after.get("config") or {})
    if overlaid != config:
        legacy = _placed(legacy, "config", overlaid, order)
    return dict(legacy)


def legacy_normalised(category: str, body: JsonObject) -> JsonObject:
    """A legacy object as a v1 write sends it, in the form it is stored in."""
    legacy = _without_nulls(body)
    if category != TEXT_CATEGORY:
        legacy.setdefault("type", default_type(category))
        legacy["config"] = config_normalised(legacy.get("config"))
    if category == IMAGE_CATEGORY:
        legacy.setdefault("inpainting", False)
        legacy["baseline"] = baseline_to_legacy(image_baseline(legacy))
    return _ordered(_without_nulls(legacy), field_order(category))


def _expressed(category: str, record: JsonObject) -> dict[str, Any]:
    """What a v2 record says in legacy fields, `config` apart; None where the legacy object lacks one."""
    if category != IMAGE_CATEGORY:
        fields = {field: record.get(field) for field in ("name", "description", "version")}
        if category == "controlnet":
            fields["type"] = record.get("controlnet_style")
        if category == "clip":
            fields["pretrained_name"] = record.get("pretrained_name")
        return fields
    return {
        "name": record.get("name"),
        "baseline": baseline_to_legacy(record["baseline"]),
        **{field: record.get(field) for field in _SAME_IN_BOTH},
        **{field: record.get(field) or None for field in _ABSENT_WHEN_EMPTY},
        **{field: record.get(field) or False for field in _ABSENT_IS_FALSE},
    }


def _placed(legacy: JsonObject, field: str, value: Any, order: tuple[str, ...]) -> JsonObject:
    """The object with the field set: in its place, or else behind those that precede it in `order`."""
    if field in legacy:
        return {**legacy, field: value}
    earlier = order[: order.index(field)]
    place = max((index for index, key in enumerate(legacy, start=1) if key in earlier), default=0)
    items = list(legacy.items())
    return dict([*items[:place], (field, value), *items[place:]])


def _ordered(legacy: JsonObject, order: Iterable[str]) -> JsonObject:
    return {**{field: legacy[field] for field in order if field in legacy}, **legacy}


def _without_nulls(source: JsonObject) -> JsonObject:
    return {key: value for key, value in source.items() if value is not None}
