"""Groups of text models: the models that share a stored `text_model_group`, described in wire shape.

Records are v2 records, in stored order.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .backends import split_backend
from .formats import infer_format
from .health import group_health_issues
from .members import Record, canonical_records, group_members, is_text, members_by_group
from .names import group_name, parse
from .sizes import sizes_sorted

COMMON_FIELDS = ("baseline", "description", "url", "nsfw", "tags", "style", "instruct_format")
MEMBER_FIELDS = (
    "parameters",
    "baseline",
    "nsfw",
    "description",
    "url",
    "style",
    "tags",
    "display_name",
    "instruct_format",
)


def groups_list(records: Iterable[Record]) -> dict[str, list[str]]:
    return {"groups": list(members_by_group(records))}


def distinct_baselines(records: Iterable[Record]) -> dict[str, list[str]]:
    baselines = (record.get("baseline") for record in records)
    trimmed = {baseline.strip() for baseline in baselines if is_text(baseline)}
    return {"baselines": sorted(trimmed - {""})}


def group_detail(
    group: str,
    records: Iterable[Record],
    *,
    schema: Mapping[str, Any] | None = None,
    family: tuple[str, Sequence[str]] | None = None,
) -> dict[str, Any] | None:
    """One group among all records, or None when no record stores it.

    `schema` is the naming schema kept for the group, `family` the name and members of the family it is in.
    """
    members = group_members(group, records)
    if not members:
        return None
    canonical = canonical_records(members)
    parsed = [parse(record["name"]) for record in canonical]
    return {
        "group_name": group,
        "members": [_member(record) for record in members],
        "common_fields": _common_fields(canonical),
        "available_sizes": sizes_sorted(name.size for name in parsed if name.size),
        "available_variants": _sorted_nulls_first(name.variant for name in parsed),
        "available_quants": _sorted_nulls_first(name.quant for name in parsed),
        "available_versions": _sorted_nulls_first(name.version for name in parsed),
        "size_usage": _usage(name.size for name in parsed),
        "variant_usage": _usage(name.variant for name in parsed),
        "quant_usage": _usage(name.quant for name in parsed),
        "name_format": _name_format(canonical, schema),
        "canonical_count": len(canonical),
        "backend_duplicate_count": len(members) - len(canonical),
        "name_schema_is_custom": schema is not None,
        "exception_members": [
            {"name": record["name"], "reason": record["name_schema_exception"]}
            for record in canonical
            if record.get("name_schema_exception")
        ],
        "related_family": family and {"family_name": family[0], "members": list(family[1])},
    }


def group_inferred_schema(group: str, records: Iterable[Record]) -> dict[str, Any] | None:
    """The naming schema the canonical members follow, or None without any. Extras are never part of it."""
    canonical = canonical_records(group_members(group, records))
    if not canonical:
        return None
    return {**_name_format(canonical), "extra_parts": []}


def groups_summary(
    records: Iterable[Record],
    *,
    aliases: Mapping[str, Sequence[str]],
    families: Mapping[str, Sequence[str]],
    schemas: Mapping[str, Any],
) -> dict[str, Any]:
    """All groups in short; `aliases` by canonical name, `families` by family name, `schemas` by group."""
    canonical_names = {alias: canonical for canonical, listed in aliases.items() for alias in listed}
    family_names = {group: family for family, listed in families.items() for group in listed}
    groups = []
    for group, members in members_by_group(records).items():
        canonical = canonical_records(members)
        alias_of = canonical_names.get(group)
        groups.append(
            {
                "group_name": group,
                "canonical_count": len(canonical),
                "backend_duplicate_count": len(members) - len(canonical),
                "has_custom_schema": group in schemas or alias_of in schemas,
                "family_name": family_names.get(group),
                "alias_canonical": alias_of,
                "aliases": list(aliases.get(group, ())) if alias_of is None else [],
                "available_sizes": sorted({s for record in canonical if (s := parse(record["name"]).size)}),
                "health_issues": group_health_issues(group, members),
            }
        )
    return {
        "groups": groups,
        "total_groups": len(groups),
        "total_models": sum(g["canonical_count"] + g["backend_duplicate_count"] for g in groups),
        "groups_with_families": sum(g["family_name"] is not None for g in groups),
        "groups_with_aliases": sum(g["alias_canonical"] is not None or bool(g["aliases"]) for g in groups),
        "groups_with_issues": sum(bool(g["health_issues"]) for g in groups),
    }


def legacy_summaries(entries: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """The summary of each group of legacy entries, by computed group name.

    Prefixed entries are members like any other, so a backend counts as an author in `name_format`.
    """
    groups: dict[str, list[str]] = {}
    for name in entries:
        groups.setdefault(group_name(name), []).append(name)
    return {
        group: _legacy_summary(names, [entries[name] for name in names]) for group, names in groups.items()
    }


def _legacy_summary(names: Sequence[str], entries: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    parsed = [parse(name) for name in names]
    baselines = {entry["baseline"] for entry in entries if entry.get("baseline")}
    name_format = infer_format(names).as_dict()
    del name_format["extra_parts"]
    return {
        "member_count": len(names),
        "available_sizes": sorted({name.size for name in parsed if name.size}),
        "available_quants": sorted({name.quant for name in parsed if name.quant}),
        "common_baseline": baselines.pop() if len(baselines) == 1 else None,
        "any_nsfw": any(entry.get("nsfw") for entry in entries),
        "any_has_description": any(entry.get("description") for entry in entries),
        "merged_tags": sorted({tag for entry in entries for tag in entry.get("tags") or ()}),
        "name_format": name_format,
    }


def _member(record: Record) -> dict[str, Any]:
    backend, name = split_backend(record["name"])
    return {
        "name": record["name"],
        "parsed": parse(name).as_dict(),
        **{field: record.get(field) for field in MEMBER_FIELDS},
        "is_backend_duplicate": backend is not None,
        "backend_prefix": backend,
    }


def _common_fields(canonical: Sequence[Record]) -> dict[str, Any]:
    if not canonical:
        return {}
    first = canonical[0]
    return {
        field: first[field]
        for field in COMMON_FIELDS
        if first.get(field) is not None and all(record.get(field) == first[field] for record in canonical)
    }


def _name_format(canonical: Sequence[Record], schema: Mapping[str, Any] | None = None) -> dict[str, Any]:
    if schema is not None:
        return {**schema, "template": schema["template"] or ""}
    return infer_format(record["name"] for record in canonical).as_dict()


def _usage(values: Iterable[str | None]) -> dict[str, int]:
    return dict(Counter(value for value in values if value is not None))


def _sorted_nulls_first(values: Iterable[str | None]) -> list[str | None]:
    return sorted(set(values), key=lambda value: value or "")
