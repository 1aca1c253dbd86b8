"""The deletion risk of a category's models as a list: its order, its groups, the parts of it, its sums.

Entries are ordered by the usage of the last month, the greatest first; stored order decides ties.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from references.deletion_risk import RiskEntry, RiskFlag, RiskRules, risk_entry
from references.downloads import Record
from references.text import group_name
from references.usage_matching import NO_USAGE, HordeFigures

# A share of the category's usage in percent, below which a model is proposed for deletion.
CANDIDATE_SHARE = 0.01

PRESETS: dict[str, Callable[[RiskEntry], bool]] = {
    "deletion_candidates": lambda entry: (
        entry.at_risk or entry.share < CANDIDATE_SHARE or entry.worker_count == 0
    ),
    "zero_usage": lambda entry: entry.usage.month == 0,
    "no_workers": lambda entry: entry.worker_count == 0,
    "missing_data": lambda entry: (
        RiskFlag.MISSING_DESCRIPTION in entry.flags or RiskFlag.MISSING_BASELINE in entry.flags
    ),
    "host_issues": lambda entry: entry.has_warning,
    "critical": lambda entry: entry.is_critical,
    "low_usage": lambda entry: RiskFlag.LOW_USAGE in entry.flags,
}


@dataclass(frozen=True)
class RiskReport:
    """All entries of a category. `record_count` and `month_usage` are of its records, even when grouped."""

    category: str
    entries: tuple[RiskEntry, ...]
    record_count: int
    month_usage: int
    is_grouped: bool = False

    def page(self, *, preset: str | None = None, limit: int | None = None, offset: int = 0) -> "RiskPage":
        """The entries a preset keeps, or a part of them; raises KeyError for an unknown preset."""
        entries = self.entries if preset is None else tuple(filter(PRESETS[preset], self.entries))
        is_paged = limit is not None or offset > 0
        return RiskPage(
            category=self.category,
            category_total_month_usage=self.month_usage,
            total_count=len(entries) if is_paged else self.record_count,
            offset=offset,
            limit=limit,
            entries=entries[offset:][:limit],
            summary=self.summary if preset is None else risk_summary(entries),
        )

    @cached_property
    def summary(self) -> dict[str, Any]:
        """The summary of all entries."""
        summary = risk_summary(self.entries)
        if self.is_grouped and self.entries:
            # Clients compare these two with what they always were: not rounded, and counted by record.
            summary["average_risk_score"] = _average_score(self.entries)
            summary["category_total_month_usage"] = self.month_usage
        return summary


@dataclass(frozen=True, slots=True)
class RiskPage:
    """A part of a report; `summary` is of the entries on all pages."""

    category: str
    category_total_month_usage: int
    total_count: int
    offset: int
    limit: int | None
    entries: tuple[RiskEntry, ...]
    summary: dict[str, Any]

    def envelope(self) -> dict[str, Any]:
        """The page without its entries and their summary."""
        return {
            "category": self.category,
            "category_total_month_usage": self.category_total_month_usage,
            "total_count": self.total_count,
            "returned_count": len(self.entries),
            "offset": self.offset,
            "limit": self.limit,
        }

    def as_dict(self) -> dict[str, Any]:
        models = [entry.as_dict() for entry in self.entries]
        return {**self.envelope(), "models": models, "summary": self.summary}


def risk_report(
    names: Sequence[str],
    records: Iterable[Record],
    figures: HordeFigures,
    rules: RiskRules,
    *,
    with_variations: bool = False,
) -> RiskReport:
    """One entry per record of the category that the rules are for; `names` are those that records are found by.

    `with_variations` counts each model's own usage, so that it can be split by backend; else a model gets the
    usage of its whole group.
    """
    usage_of = figures.model_usage_of if with_variations else figures.group_usage_of
    usages = [usage_of(name) for name in names]
    category_usage = sum(usage.month for usage in usages)
    entries = [
        risk_entry(
            name,
            record,
            figures,
            rules,
            usage=usage,
            category_usage=category_usage,
            with_variations=with_variations,
        )
        for name, record, usage in zip(names, records, usages, strict=True)
    ]
    entries.sort(key=lambda entry: entry.usage.month, reverse=True)
    return RiskReport(rules.category, tuple(entries), len(entries), category_usage)


def report_grouped(report: RiskReport, rules: RiskRules, *, aliases: Mapping[str, str]) -> RiskReport:
    """The report with one entry per group of text models, each in the place of its first member.

    `aliases` maps group names to the ones they stand for.
    """
    groups: dict[str, list[RiskEntry]] = {}
    for entry in report.entries:
        group = group_name(entry.name)
        groups.setdefault(aliases.get(group, group), []).append(entry)
    entries = tuple(_group_entry(name, members, rules) for name, members in groups.items())
    return replace(report, entries=entries, is_grouped=True)


def risk_summary(entries: Sequence[RiskEntry]) -> dict[str, Any]:
    flagged = Counter(flag for entry in entries for flag in entry.flags)
    return {
        "total_models": len(entries),
        "models_at_risk": sum(entry.at_risk for entry in entries),
        "models_critical": sum(entry.is_critical for entry in entries),
        "models_with_warnings": sum(entry.has_warning for entry in entries),
        "models_with_zero_day_usage": flagged[RiskFlag.ZERO_USAGE_DAY],
        "models_with_zero_month_usage": flagged[RiskFlag.ZERO_USAGE_MONTH],
        "models_with_zero_total_usage": flagged[RiskFlag.ZERO_USAGE_TOTAL],
        "models_with_no_active_workers": flagged[RiskFlag.NO_ACTIVE_WORKERS],
        "models_with_no_downloads": flagged[RiskFlag.NO_DOWNLOAD_URLS],
        "models_with_non_preferred_hosts": flagged[RiskFlag.HAS_NON_PREFERRED_HOST],
        "models_with_multiple_hosts": flagged[RiskFlag.HAS_MULTIPLE_HOSTS],
        "models_with_low_usage": flagged[RiskFlag.LOW_USAGE],
        "average_risk_score": round(_average_score(entries), 2) if entries else 0.0,
        "category_total_month_usage": sum(entry.usage.month for entry in entries),
    }


def _average_score(entries: Sequence[RiskEntry]) -> float:
    return sum(entry.risk_score for entry in entries) / len(entries)


def _group_entry(name: str, members: Sequence[RiskEntry], rules: RiskRules) -> RiskEntry:
    first = members[0]
    if len(members) == 1:
        return replace(first, name=name, backend_variations=())
    flags = frozenset[RiskFlag]().union(*(member.flags for member in members))
    usage = sum((member.usage for member in members), NO_USAGE)
    workers = max(member.worker_count for member in members)
    sizes = [member.size for member in members if member.size is not None]
    size = sum(sizes) / len(sizes) if sizes else None
    return RiskEntry(
        name=name,
        category=first.category,
        flags=flags,
        is_critical=rules.is_critical(flags, usage, workers),
        worker_count=workers,
        usage=usage,
        # Each member's share is rounded, so that together they can exceed the whole.
        share=min(round(sum(member.share for member in members), 4), 100.0),
        day_to_month=_weighted((member.day_to_month, member.usage.month) for member in members),
        month_to_total=_weighted((member.month_to_total, member.usage.month) for member in members),
        size=None if size is None else round(size, 2),
        cost_benefit=round(usage.month / size, 2) if size else None,
        baseline=first.baseline,
        nsfw=first.nsfw,
        has_description=all(member.has_description for member in members),
        download_count=sum(member.download_count for member in members),
        download_hosts=tuple(sorted({host for member in members for host in member.download_hosts})),
    )


def _weighted(ratios: Iterable[tuple[float | None, int]]) -> float | None:
    """The mean of ratios by their weights; None when nothing has weight or no ratio is above zero."""
    weighted = [(ratio or 0.0, weight) for ratio, weight in ratios]
    weights = sum(weight for _, weight in weighted)
    if not weights or all(ratio == 0 for ratio, _ in weighted):
        return None
    return sum(ratio * weight for ratio, weight in weighted) / weights
