"""What may be wrong with a group of text models."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from .members import Record, canonical_records, group_members, is_text, members_by_group

SEVERITIES = {
    "singleton_group": "warning",
    "inconsistent_baseline": "warning",
    "inconsistent_nsfw": "warning",
    "missing_baseline": "warning",
    "missing_description": "info",
}


def group_health_issues(group: str, records: Iterable[Record]) -> list[dict[str, str]]:
    """The issues of one group, found among all records; backend duplicates are not looked at."""
    found = _found(canonical_records(group_members(group, records)))
    return [
        {"group_name": group, "issue_type": kind, "message": found[kind], "severity": severity}
        for kind, severity in SEVERITIES.items()
        if kind in found
    ]


def groups_health(records: Iterable[Record]) -> dict[str, Any]:
    groups = members_by_group(records)
    issues = [issue for group, members in groups.items() for issue in group_health_issues(group, members)]
    return {
        "issues": issues,
        "total_groups_checked": len(groups),
        "groups_with_issues": len({issue["group_name"] for issue in issues}),
        "issue_counts_by_type": dict(Counter(issue["issue_type"] for issue in issues)),
    }


def _found(canonical: Sequence[Record]) -> dict[str, str]:
    """Message by issue type."""
    baselines = [record["baseline"] for record in canonical if is_text(record.get("baseline"))]
    described = [record for record in canonical if record.get("description")]
    nsfw_flags = [record.get("nsfw") for record in canonical]

    found = {}
    if len(canonical) == 1:
        found["singleton_group"] = "Group has only 1 canonical model - may not need a group"
    if len(set(baselines)) > 1:
        listed = ", ".join(sorted(set(baselines)))
        found["inconsistent_baseline"] = f"Members have different baselines: {listed}"
    if True in nsfw_flags and False in nsfw_flags:
        found["inconsistent_nsfw"] = "Members have different NSFW flags"
    if missing := len(canonical) - len(baselines):
        found["missing_baseline"] = f"{missing} member(s) missing baseline"
    if missing := len(canonical) - len(described):
        found["missing_description"] = f"{missing} member(s) missing description"
    return found
