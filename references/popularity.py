"""What the AI-Horde says of each model of a category, and the models in the order of one of its figures."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from references.usage_matching import BackendVariation, HordeFigures, ModelStatus, Usage, Worker

DEFAULT_METRIC = "worker_count"


@dataclass(frozen=True, slots=True)
class ModelStats:
    """One model's figures; `status` is None where upstream does not list the model."""

    status: ModelStatus | None
    usage: Usage
    workers: tuple[Worker, ...] = ()
    backend_variations: tuple[BackendVariation, ...] = ()

    @property
    def worker_count(self) -> int:
        """How many workers are listed by name; where none is, how many the status counts."""
        if self.workers:
            return len(self.workers)
        return self.status.count if self.status else 0

    def as_dict(self) -> dict[str, Any]:
        status = self.status
        return {
            "queued_jobs": status.jobs if status else None,
            "performance": status.performance if status else None,
            "eta": status.eta if status else None,
            "queued": status.queued if status else None,
            "usage_stats": self.usage.as_dict() if self.usage else None,
            "worker_summaries": {worker.id: _summary(worker) for worker in self.workers} or None,
            "backend_variations": [each.as_dict() for each in self.backend_variations] or None,
            "worker_count": self.worker_count,
        }


METRICS: dict[str, Callable[[ModelStats], int]] = {
    DEFAULT_METRIC: lambda stats: stats.worker_count,
    "usage_day": lambda stats: stats.usage.day,
    "usage_month": lambda stats: stats.usage.month,
    "usage_total": lambda stats: stats.usage.total,
}


def _summary(worker: Worker) -> dict[str, Any]:
    return {
        "id": worker.id,
        "name": worker.name,
        "performance": worker.performance,
        "online": worker.online,
        "trusted": worker.trusted,
        "uptime": worker.uptime,
    }


def models_stats(
    names: Iterable[str], figures: HordeFigures, *, with_workers: bool = False, with_variations: bool = False
) -> list[ModelStats]:
    """The figures of each name.

    `with_variations` counts each model's own usage, split by backend; else a model gets that of its group.
    """
    return [
        ModelStats(
            status=figures.status_of(name),
            usage=figures.model_usage_of(name) if with_variations else figures.group_usage_of(name),
            workers=tuple(figures.workers_of(name)) if with_workers else (),
            backend_variations=tuple(figures.backend_variations_of(name)) if with_variations else (),
        )
        for name in names
    ]


def ranked(stats: Sequence[ModelStats], metric: str) -> list[int]:
    """The positions of all models, the greatest figure first; ties stay in stored order."""
    figure = METRICS[metric]
    return sorted(range(len(stats)), key=lambda position: figure(stats[position]), reverse=True)


def without_nulls(value: Any) -> Any:
    """The value without the null members of its objects, at every level."""
    if isinstance(value, dict):
        return {name: without_nulls(member) for name, member in value.items() if member is not None}
    return [without_nulls(element) for element in value] if isinstance(value, list) else value
