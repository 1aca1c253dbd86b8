"""What a text model's name tells: its parts, its group, its siblings. Pure functions over plain data."""

from .backends import BACKENDS, name_variants, related_models, split_backend
from .composing import DEFAULT_PART_ORDER, DEFAULT_SEPARATOR, compose
from .families import families_detect
from .formats import NameFormat, infer_format
from .groups import (
    COMMON_FIELDS,
    distinct_baselines,
    group_detail,
    group_inferred_schema,
    groups_list,
    groups_summary,
    legacy_summaries,
)
from .health import group_health_issues, groups_health
from .members import canonical_records, group_members
from .names import QUANT_SHAPES, Extra, ParsedName, group_name, is_quantized, parse

__all__ = [
    "BACKENDS",
    "COMMON_FIELDS",
    "DEFAULT_PART_ORDER",
    "DEFAULT_SEPARATOR",
    "QUANT_SHAPES",
    "Extra",
    "NameFormat",
    "ParsedName",
    "canonical_records",
    "compose",
    "distinct_baselines",
    "families_detect",
    "group_detail",
    "group_health_issues",
    "group_inferred_schema",
    "group_members",
    "group_name",
    "groups_health",
    "groups_list",
    "groups_summary",
    "infer_format",
    "is_quantized",
    "legacy_summaries",
    "name_variants",
    "parse",
    "related_models",
    "split_backend",
]
