"""Proposes families: groups whose names begin alike."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .names import group_name


def families_detect(
    names: Iterable[str],
    *,
    aliases: Mapping[str, str],
    min_prefix_length: int = 3,
    min_family_size: int = 2,
) -> dict[str, Any]:
    """Families among the groups of all model names, longest shared prefix first; a group joins at most one.

    `aliases` maps an alias to its canonical group name.
    """
    groups = sorted({aliases.get(group, group) for group in map(group_name, names)})
    groups_by_prefix: dict[str, list[str]] = {}
    for group in groups:
        for prefix in _prefixes(group):
            if len(prefix) >= min_prefix_length:
                groups_by_prefix.setdefault(prefix, []).append(group)

    claimed: set[str] = set()
    families: dict[str, list[str]] = {}
    for prefix in sorted(groups_by_prefix, key=len, reverse=True):
        free = [group for group in groups_by_prefix[prefix] if group not in claimed]
        if len(free) >= min_family_size:
            families[prefix] = free
            claimed.update(free)
    return {
        "suggestions": [{"family_name": prefix, "members": families[prefix]} for prefix in sorted(families)],
        "total_groups_analyzed": len(groups),
        "groups_in_families": len(claimed),
        "standalone_groups": len(groups) - len(claimed),
    }


def _prefixes(group: str) -> Iterator[str]:
    """What stands before each `-`, longest first."""
    end = group.rfind("-")
    while end >= 0:
        yield group[:end]
        end = group.rfind("-", 0, end)
