"""What the AI-Horde says of the models on a page, if it is known."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from django.conf import settings

from references.analytics import CategoryStats, category_stats, deletion_risk
from references.categories import CATEGORIES, TEXT_CATEGORY
from references.deletion_risk import RiskEntry
from references.documents import Snapshot
from references.horde import HordeError, UsageData, circuit_state, usage_data
from references.popularity import ModelStats
from references.risk_report import RiskReport
from references.rows import Row

# Pages show what is there: without a copy they wait this long for the first answer, and then do without.
USAGE_WAIT = 1.0

Figures = TypeVar("Figures")


@dataclass(frozen=True, slots=True)
class UsageAge:
    """Since when the oldest of the figures is known, in UNIX seconds; and whether there is no newer one to get."""

    fetched_at: float
    is_silent: bool


@dataclass(frozen=True, slots=True)
class KnownRisk:
    report: RiskReport
    age: UsageAge


@dataclass(frozen=True, slots=True)
class ModelUsage:
    """One model's figures as the API gives them when asked for nothing special: a text model has its group's.

    `own` is the same model by the requests for it alone; apart from text models that is no other.
    """

    stats: ModelStats
    risk: RiskEntry
    own: RiskEntry
    age: UsageAge

    @property
    def is_shared(self) -> bool:
        """Whether requests for other models are among those that count for this one."""
        return self.own.usage != self.stats.usage


def stats_if_known(held: Snapshot) -> CategoryStats | None:
    """Each model's own figures, in stored order; text models are not lumped with their group."""
    return _if_known(held, lambda _: category_stats(held, with_variations=True))


def risk_if_known(held: Snapshot) -> KnownRisk | None:
    """Each model's risk by its own figures, too."""
    return _if_known(
        held, lambda data: KnownRisk(deletion_risk(held, with_variations=True).report, _age(data))
    )


def model_usage_if_known(held: Snapshot, row: Row) -> ModelUsage | None:
    def compute(data: UsageData) -> ModelUsage:
        position = next(position for position, other in enumerate(held.rows) if other is row)
        risk = _entry(deletion_risk(held).report, row)
        is_text = held.category == TEXT_CATEGORY
        own = _entry(deletion_risk(held, with_variations=True).report, row) if is_text else risk
        return ModelUsage(category_stats(held).models[position], risk, own, _age(data))

    return _if_known(held, compute)


def _entry(report: RiskReport, row: Row) -> RiskEntry:
    return next(entry for entry in report.entries if entry.name == row.name)


def _age(data: UsageData) -> UsageAge:
    fetched_at = min(data.fetched_at)
    is_due = time.time() - fetched_at > settings.HORDE_API_CACHE_TTL
    return UsageAge(fetched_at, is_due and circuit_state()["consecutive_failures"] > 0)


def _if_known(held: Snapshot, compute: Callable[[UsageData], Figures]) -> Figures | None:
    kind = CATEGORIES[held.category].usage
    if kind is None:
        return None
    try:
        # Once there are copies of the AI-Horde's answers, computing figures from them never waits.
        return compute(usage_data(kind, wait=USAGE_WAIT))
    except HordeError:
        return None
