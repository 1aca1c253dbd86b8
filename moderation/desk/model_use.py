"""How much a model is used and what speaks for removing it, as far as that is known at this moment."""

from collections.abc import Sequence
from dataclasses import dataclass

from references.analytics import category_stats, deletion_risk
from references.categories import CATEGORIES
from references.deletion_risk import RiskEntry
from references.documents import snapshot
from references.horde import HordeError, usage_data
from references.pages.risk_words import FlagWords, flags_in_words
from references.popularity import ModelStats


@dataclass(frozen=True, slots=True)
class ModelUse:
    """The AI-Horde's figures of a live model; `fetched_at` is in UNIX seconds."""

    stats: ModelStats
    risk: RiskEntry
    flags: Sequence[FlagWords]
    fetched_at: float


def model_use(category: str, name: str) -> ModelUse | None:
    """None where the model is not live, or nothing is known of it yet: this never waits for the AI-Horde."""
    kind = CATEGORIES[category].usage
    held = snapshot(category)
    row = held.by_name.get(name)
    if kind is None or row is None:
        return None
    try:
        usage_data(kind, wait=0)
        known = category_stats(held, with_variations=True)
        report = deletion_risk(held, with_variations=True).report
    except HordeError:
        return None
    position = next(position for position, other in enumerate(held.rows) if other is row)
    risk = next(entry for entry in report.entries if entry.name == name)
    return ModelUse(known.models[position], risk, flags_in_words(risk.flags), known.fetched_at)
