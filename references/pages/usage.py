"""What the AI-Horde says of the models on a page, if it is known."""

from collections.abc import Callable
from typing import TypeVar

from references.analytics import CategoryRisk, CategoryStats, category_stats, deletion_risk
from references.categories import CATEGORIES
from references.documents import Snapshot
from references.horde import HordeError, usage_data

# Pages show what is there: without a copy they wait this long for the first answer, and then do without.
USAGE_WAIT = 1.0

Figures = TypeVar("Figures")


def stats_if_known(held: Snapshot) -> CategoryStats | None:
    """Each model's own figures, in stored order; text models are not lumped with their group."""
    return _if_known(held, lambda: category_stats(held, with_variations=True))


def risk_if_known(held: Snapshot) -> CategoryRisk | None:
    """Each model's risk by its own figures, too."""
    return _if_known(held, lambda: deletion_risk(held, with_variations=True))


def _if_known(held: Snapshot, compute: Callable[[], Figures]) -> Figures | None:
    kind = CATEGORIES[held.category].usage
    if kind is None:
        return None
    try:
        # Once there are copies of the AI-Horde's answers, computing figures from them never waits.
        usage_data(kind, wait=USAGE_WAIT)
        return compute()
    except HordeError:
        return None
