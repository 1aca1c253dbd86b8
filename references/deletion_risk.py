"""How much a model would be missed: its use, its workers and its files, weighed against thresholds."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import SplitResult

from references.categories import TEXT_CATEGORY
from references.downloads import Record, download_entries, download_urls, size_on_disk, url_split
from references.usage_matching import BackendVariation, HordeFigures, Usage

GIBIBYTE = 2**30


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

    category: str
    low_usage_percentage: float
    preferred_hosts: tuple[str, ...] = ()
    ignores_downloads: bool = False
    critical_usage: int = 0
    critical_workers: int = 0

    def is_critical(self, flags: frozenset[RiskFlag], usage: Usage, workers: int) -> bool:
        if self.category == TEXT_CATEGORY:
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


def risk_entry(
    name: str,
    record: Record,
    figures: HordeFigures,
    rules: RiskRules,
    *,
    usage: Usage,
    category_usage: int,
    with_variations: bool,
) -> RiskEntry:
    """The entry of a record with this usage; `category_usage` is the requests of the last month in all."""
    status = figures.status_of(name)
    workers = status.count if status else 0
    share = usage.month / category_usage * 100 if category_usage else 0.0
    is_low = category_usage > 0 and share < rules.low_usage_percentage
    addresses = [url_split(url) for url in download_urls(record)]
    hosts = _hosts(addresses)
    flags = frozenset(
        flag
        for flag, is_set in {
            **_usage_flags(usage, workers, is_low),
            **_record_flags(record),
            **({} if rules.ignores_downloads else _download_flags(addresses, hosts, rules)),
        }.items()
        if is_set
    )
    size = None if rules.category == TEXT_CATEGORY else size_on_disk(record)
    return RiskEntry(
        name=name,
        category=rules.category,
        flags=flags,
        is_critical=rules.is_critical(flags, usage, workers),
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


def _usage_flags(usage: Usage, workers: int, is_low: bool) -> dict[RiskFlag, bool]:
    """A model that upstream never saw is not called unused: it may be new."""
    is_seen = bool(usage)
    return {
        RiskFlag.ZERO_USAGE_DAY: is_seen and usage.day == 0,
        RiskFlag.ZERO_USAGE_MONTH: is_seen and usage.month == 0,
        RiskFlag.ZERO_USAGE_TOTAL: is_seen and usage.total == 0,
        RiskFlag.NO_ACTIVE_WORKERS: workers == 0,
        RiskFlag.LOW_USAGE: is_seen and is_low,
    }


def _record_flags(record: Record) -> dict[RiskFlag, bool]:
    description = record.get("description")
    return {
        RiskFlag.MISSING_DESCRIPTION: not (isinstance(description, str) and description.strip()),
        RiskFlag.MISSING_BASELINE: not record.get("baseline"),
    }


def _download_flags(
    addresses: Sequence[SplitResult | None], hosts: Sequence[str], rules: RiskRules
) -> dict[RiskFlag, bool]:
    is_preferred = any(preferred in host for host in hosts for preferred in rules.preferred_hosts)
    return {
        RiskFlag.NO_DOWNLOAD_URLS: not hosts,
        RiskFlag.HAS_MULTIPLE_HOSTS: len(hosts) > 1,
        RiskFlag.HAS_NON_PREFERRED_HOST: bool(hosts) and not is_preferred,
        RiskFlag.HAS_UNKNOWN_HOST: None in addresses,
    }


def _hosts(addresses: Sequence[SplitResult | None]) -> tuple[str, ...]:
    """The distinct hosts, with their port, of the addresses that have a scheme."""
    hosts = (address.netloc for address in addresses if address and address.scheme)
    return tuple(dict.fromkeys(host for host in hosts if host))
