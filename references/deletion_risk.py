"""How much a model would be missed: its use, its workers and its files, weighed against thresholds.

Entries are ordered by the usage of the last month, the greatest first; stored order decides ties.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from references.categories import TEXT_CATEGORY
from references.downloads import Record, download_entries, download_urls, size_on_disk, url_split
from references.text import group_name
from references.usage_matching import NO_USAGE, BackendVariation, HordeFigures, Usage

GIBIBYTE = 2**30
# A share, in percent of the category, below which a model is proposed for deletion.
CANDIDATE_SHARE = 0.01


class RiskFlag(StrEnum):
    """What can speak against keeping a model, in wire order."""

    ZERO_USAGE_DAY = "zero_usage_day"
    ZERO_USAGE_MONTH = "zero_usage_month"
    ZERO_USAGE_TOTAL = "zero_usage_total"
    NO_ACTIVE_WORKERS = "no_active_workers"
    HAS_MULTIPLE_HOSTS = "has_multiple_hosts"
    HAS_NON_PREFERRED_HOST = "has_non_preferred_host"
    HAS_UNKNOWN_HOST = "has_unknown_host"
    NO_DOWNLOAD_URLS = "no_download_urls"
    MISSING_DESCRIPTION = "missing_description"
    MISSING_BASELINE = "missing_baseline"
    LOW_USAGE = "low_usage"


DOWNLOAD_FLAGS = frozenset(
    {
        RiskFlag.HAS_MULTIPLE_HOSTS,
        RiskFlag.HAS_NON_PREFERRED_HOST,
        RiskFlag.HAS_UNKNOWN_HOST,
        RiskFlag.NO_DOWNLOAD_URLS,
    }
)


@dataclass(frozen=True, slots=True)
class RiskRules:
    """The thresholds for one category.

    `low_usage_percentage` is a share of the category's usage. The two critical numbers are for text models.
    """

    low_usage_percentage: float
    preferred_hosts: tuple[str, ...] = ()
    ignores_downloads: bool = False
    critical_usage: int = 0
    critical_workers: int = 0

    def is_critical(self, category: str, flags: frozenset[RiskFlag], usage: Usage, workers: int) -> bool:
        if category == TEXT_CATEGORY:
            return usage.month < self.critical_usage and workers < self.critical_workers
        return {RiskFlag.ZERO_USAGE_MONTH, RiskFlag.NO_ACTIVE_WORKERS} <= flags


@dataclass(frozen=True, slots=True)
class RiskEntry:
    """One model, or one group of text models.

    `share` is the part of the category's usage of the last month in percent, `size` is in GiB; `baseline` and
    `nsfw` are what the record holds.
    """

    name: str
    category: str
    flags: frozenset[RiskFlag]
    is_critical: bool
    worker_count: int
    usage: Usage
    share: float
    day_to_month: float | None
    month_to_total: float | None
    size: float | None
    cost_benefit: float | None
    baseline: Any
    nsfw: Any
    has_description: bool
    download_count: int
    download_hosts: tuple[str, ...]
    backend_variations: tuple[BackendVariation, ...] = ()

    @property
    def risk_score(self) -> int:
        return len(self.flags)

    @property
    def at_risk(self) -> bool:
        return bool(self.flags)

    @property
    def has_warning(self) -> bool:
        return not DOWNLOAD_FLAGS.isdisjoint(self.flags)

    def as_dict(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "category": self.category,
            "deletion_risk_flags": {flag.value: flag in self.flags for flag in RiskFlag},
            "at_risk": self.at_risk,
            "risk_score": self.risk_score,
            "worker_count": self.worker_count,
            "usage_day": self.usage.day,
            "usage_month": self.usage.month,
            "usage_total": self.usage.total,
            "usage_hour": None,
            "usage_minute": None,
            "usage_percentage_of_category": self.share,
            "usage_trend": {
                "day_to_month_ratio": self.day_to_month,
                "month_to_total_ratio": self.month_to_total,
            },
            "cost_benefit_score": self.cost_benefit,
            "size_gb": self.size,
            "baseline": self.baseline,
            "nsfw": self.nsfw,
            "has_description": self.has_description,
            "download_count": self.download_count,
            "download_hosts": list(self.download_hosts),
            "backend_variations": [each.as_dict() for each in self.backend_variations] or None,
            "is_critical": self.is_critical,
            "has_warning": self.has_warning,
        }


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


@dataclass(frozen=True, slots=True)
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
            summary=self._whole_summary() if preset is None else risk_summary(entries),
        )

    def _whole_summary(self) -> dict[str, Any]:
        summary = risk_summary(self.entries)
        if self.is_grouped and self.entries:
            # Clients compare these two with what they always were: not rounded, and counted by record.
            summary["average_risk_score"] = _average_score(self.entries)
            summary["category_total_month_usage"] = self.month_usage
        return summary


@dataclass(frozen=True, slots=True)
class RiskPage:
    category: str
    category_total_month_usage: int
    total_count: int
    offset: int
    limit: int | None
    entries: tuple[RiskEntry, ...]
    summary: dict[str, Any]

    def as_dict(self) -> dict[str, Any]:
        return {
            "category": self.category,
            "category_total_month_usage": self.category_total_month_usage,
            "total_count": self.total_count,
            "returned_count": len(self.entries),
            "offset": self.offset,
            "limit": self.limit,
            "models": [entry.as_dict() for entry in self.entries],
            "summary": self.summary,
        }


def risk_report(
    category: str,
    records: Sequence[Record],
    figures: HordeFigures,
    rules: RiskRules,
    *,
    with_variations: bool = False,
) -> RiskReport:
    """One entry per record.

    `with_variations` counts each model's own usage, so that it can be split by backend; else a model gets the
    usage of its whole group.
    """
    usage_of = figures.model_usage_of if with_variations else figures.group_usage_of
    used = [(record, usage_of(record["name"])) for record in records]
    month_usage = sum(usage.month for _, usage in used)
    used.sort(key=lambda pair: pair[1].month, reverse=True)
    entries = (
        _entry(category, record, usage, month_usage, figures, rules, with_variations)
        for record, usage in used
    )
    return RiskReport(category, tuple(entries), len(records), month_usage)


def report_grouped(report: RiskReport, rules: RiskRules, *, aliases: Mapping[str, str]) -> RiskReport:
    """The report with one entry per group of text models, each in the place of its first member.

    `aliases` maps group names to the ones they stand for.
    """
    groups: dict[str, list[RiskEntry]] = {}
    for entry in report.entries:
        group = group_name(entry.name)
        groups.setdefault(aliases.get(group, group), []).append(entry)
    entries = (_group_entry(name, members, rules) for name, members in groups.items())
    return RiskReport(
        report.category, tuple(entries), report.record_count, report.month_usage, is_grouped=True
    )


def risk_summary(entries: Sequence[RiskEntry]) -> dict[str, Any]:
    def flagged(flag: RiskFlag) -> int:
        return sum(flag in entry.flags for entry in entries)

    return {
        "total_models": len(entries),
        "models_at_risk": sum(entry.at_risk for entry in entries),
        "models_critical": sum(entry.is_critical for entry in entries),
        "models_with_warnings": sum(entry.has_warning for entry in entries),
        "models_with_zero_day_usage": flagged(RiskFlag.ZERO_USAGE_DAY),
        "models_with_zero_month_usage": flagged(RiskFlag.ZERO_USAGE_MONTH),
        "models_with_zero_total_usage": flagged(RiskFlag.ZERO_USAGE_TOTAL),
        "models_with_no_active_workers": flagged(RiskFlag.NO_ACTIVE_WORKERS),
        "models_with_no_downloads": flagged(RiskFlag.NO_DOWNLOAD_URLS),
        "models_with_non_preferred_hosts": flagged(RiskFlag.HAS_NON_PREFERRED_HOST),
        "models_with_multiple_hosts": flagged(RiskFlag.HAS_MULTIPLE_HOSTS),
        "models_with_low_usage": flagged(RiskFlag.LOW_USAGE),
        "average_risk_score": round(_average_score(entries), 2) if entries else 0.0,
        "category_total_month_usage": sum(entry.usage.month for entry in entries),
    }


def _average_score(entries: Sequence[RiskEntry]) -> float:
    return sum(entry.risk_score for entry in entries) / len(entries)


def _entry(
    category: str,
    record: Record,
    usage: Usage,
    month_usage: int,
    figures: HordeFigures,
    rules: RiskRules,
    with_variations: bool,
) -> RiskEntry:
    name = record["name"]
    status = figures.status_of(name)
    workers = status.count if status else 0
    hosts = _hosts(record)
    share = usage.month / month_usage * 100 if month_usage else 0.0
    flags = frozenset(
        flag
        for flag, is_set in {
            **_usage_flags(usage, workers, share, month_usage, rules),
            **_record_flags(record),
            **({} if rules.ignores_downloads else _download_flags(record, hosts, rules)),
        }.items()
        if is_set
    )
    size = None if category == TEXT_CATEGORY else size_on_disk(record)
    return RiskEntry(
        name=name,
        category=category,
        flags=flags,
        is_critical=rules.is_critical(category, flags, usage, workers),
        worker_count=workers,
        usage=usage,
        share=round(share, 4),
        day_to_month=usage.day / usage.month if usage.month else None,
        month_to_total=usage.month / usage.total if usage.total else None,
        size=round(size / GIBIBYTE, 2) if size else None,
        cost_benefit=round(usage.month / (size / GIBIBYTE), 2) if size else None,
        baseline=record.get("baseline"),
        nsfw=record.get("nsfw"),
        has_description=RiskFlag.MISSING_DESCRIPTION not in flags,
        download_count=len(download_entries(record)),
        download_hosts=hosts,
        backend_variations=tuple(figures.backend_variations_of(name)) if with_variations else (),
    )


def _usage_flags(
    usage: Usage, workers: int, share: float, month_usage: int, rules: RiskRules
) -> dict[RiskFlag, bool]:
    """A model that upstream never saw is not called unused: it may be new."""
    is_seen = bool(usage)
    return {
        RiskFlag.ZERO_USAGE_DAY: is_seen and usage.day == 0,
        RiskFlag.ZERO_USAGE_MONTH: is_seen and usage.month == 0,
        RiskFlag.ZERO_USAGE_TOTAL: is_seen and usage.total == 0,
        RiskFlag.NO_ACTIVE_WORKERS: workers == 0,
        RiskFlag.LOW_USAGE: is_seen and month_usage > 0 and share < rules.low_usage_percentage,
    }


def _record_flags(record: Record) -> dict[RiskFlag, bool]:
    description = record.get("description")
    return {
        RiskFlag.MISSING_DESCRIPTION: not (isinstance(description, str) and description.strip()),
        RiskFlag.MISSING_BASELINE: not record.get("baseline"),
    }


def _download_flags(record: Record, hosts: Sequence[str], rules: RiskRules) -> dict[RiskFlag, bool]:
    is_preferred = any(preferred in host for host in hosts for preferred in rules.preferred_hosts)
    return {
        RiskFlag.NO_DOWNLOAD_URLS: not hosts,
        RiskFlag.HAS_MULTIPLE_HOSTS: len(hosts) > 1,
        RiskFlag.HAS_NON_PREFERRED_HOST: bool(hosts) and not is_preferred,
        RiskFlag.HAS_UNKNOWN_HOST: any(url_split(url) is None for url in download_urls(record)),
    }


def _hosts(record: Record) -> tuple[str, ...]:
    """The distinct hosts, with their port, of the URLs that have a scheme."""
    addresses = (url_split(url) for url in download_urls(record))
    return tuple(
        dict.fromkeys(
            address.netloc for address in addresses if address and address.scheme and address.netloc
        )
    )


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
        is_critical=rules.is_critical(first.category, flags, usage, workers),
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
