"""Which of the names the AI-Horde reports belong to which record.

Workers serve one model under several names: its own, one with a backend's prefix, and any of these with the
quantisation they run. Names compare in lower case; of two upstream names that become equal the later counts.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Protocol

from references.text import QUANT_SHAPES, group_name, name_variants, split_backend

CANONICAL = "canonical"

_QUANT_SUFFIXES = [re.compile(rf"[-_]{shape}\Z") for shape in QUANT_SHAPES]


@dataclass(frozen=True, slots=True)
class Usage:
    """How often models were asked for: in the last day, in the last month, and ever."""

    day: int = 0
    month: int = 0
    total: int = 0

    def __bool__(self) -> bool:
        """Whether there is any usage at all; without, a model counts as never seen."""
        return bool(self.day or self.month or self.total)

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(self.day + other.day, self.month + other.month, self.total + other.total)

    def as_dict(self) -> dict[str, int]:
        return asdict(self)


NO_USAGE = Usage()


class ModelStatus(Protocol):
    """How one upstream name is served now; `count` workers serve it. What upstream left out is None."""

    name: str
    count: int
    jobs: int | None
    performance: float | None
    queued: int | None
    eta: int | None


class ModelUsage(Protocol):
    """Requests by upstream name."""

    day: Mapping[str, int]
    month: Mapping[str, int]
    total: Mapping[str, int]


class Worker(Protocol):
    """A worker and the upstream names it offers. What upstream left out is None."""

    id: str
    name: str
    models: Sequence[str]
    performance: str | None
    online: bool | None
    trusted: bool | None
    uptime: int | None


@dataclass(frozen=True, slots=True)
class BackendVariation:
    """The part one backend has in a model's figures."""

    backend: str
    variant_name: str
    worker_count: int
    performance: float | None
    usage: Usage

    def as_dict(self) -> dict[str, Any]:
        return {
            "backend": self.backend,
            "variant_name": self.variant_name,
            "worker_count": self.worker_count,
            "performance": self.performance,
            "usage_day": self.usage.day,
            "usage_month": self.usage.month,
            "usage_total": self.usage.total,
        }


class HordeFigures:
    """What the AI-Horde reports about one kind of model, indexed to be looked up by a record's name."""

    def __init__(
        self, status: Iterable[ModelStatus], usage: ModelUsage, workers: Iterable[Worker] | None = None
    ) -> None:
        self._status = {row.name.lower(): row for row in status}
        self._usage = _usage_by_name(usage)
        self._workers = list(workers or ())

    def status_of(self, name: str) -> ModelStatus | None:
        """The status of the variant that most workers serve; the counts of several are not added up."""
        found = [self._status[variant] for variant in _variants(name) if variant in self._status]
        return max(found, key=lambda status: status.count, default=None)

    def group_usage_of(self, name: str) -> Usage:
        """The usage of every upstream name of the model's group, that of siblings included.

        The model's own variants are among them: they all end in the same segment, which decides the group.
        """
        return self._usage_by_group.get(_group_key(name.lower()), NO_USAGE)

    def model_usage_of(self, name: str) -> Usage:
        """The usage of the model alone, under the names of all backends and with any quantisation."""
        keys = {_model_key(variant) for variant in _variants(name)}
        return sum((self._usage_by_model.get(key, NO_USAGE) for key in keys), NO_USAGE)

    def backend_variations_of(self, name: str) -> list[BackendVariation]:
        """The backends that serve the model, or did: the canonical name, then the backends in their order."""
        variations = []
        for spelling in dict.fromkeys(name_variants(name)):
            variant = spelling.lower()
            status = self._status.get(variant)
            usage = self._usage_by_model.get(_model_key(variant), NO_USAGE)
            if status or usage:
                variations.append(
                    BackendVariation(
                        backend=split_backend(variant)[0] or CANONICAL,
                        variant_name=status.name if status else spelling,
                        worker_count=status.count if status else 0,
                        performance=status.performance if status else None,
                        usage=usage,
                    )
                )
        return variations

    def workers_of(self, name: str) -> list[Worker]:
        """The workers that offer the model under exactly its own name, whether or not they are online."""
        return list(self._workers_by_model.get(name.lower(), {}).values())

    @cached_property
    def _usage_by_group(self) -> dict[str, Usage]:
        return _summed(self._usage, _group_key)

    @cached_property
    def _usage_by_model(self) -> dict[str, Usage]:
        return _summed(self._usage, _model_key)

    @cached_property
    def _workers_by_model(self) -> dict[str, dict[str, Worker]]:
        workers: dict[str, dict[str, Worker]] = {}
        for worker in self._workers:
            for model in worker.models:
                workers.setdefault(model.lower(), {})[worker.id] = worker
        return workers


def _variants(name: str) -> list[str]:
    return list(dict.fromkeys(variant.lower() for variant in name_variants(name)))


def _group_key(name: str) -> str:
    _, name = split_backend(name)
    return group_name(name.rpartition("/")[2]).lower()


def _model_key(name: str) -> str:
    """The last segment without its quantisation, after the backend's prefix."""
    backend, name = split_backend(name)
    model = name.rpartition("/")[2]
    for suffix in _QUANT_SUFFIXES:
        model = suffix.sub("", model)
    return f"{backend}/{model}" if backend else model


def _usage_by_name(usage: ModelUsage) -> dict[str, Usage]:
    day, month, total = (
        {name.lower(): count for name, count in counts.items()}
        for counts in (usage.day, usage.month, usage.total)
    )
    return {
        name: Usage(day.get(name, 0), month.get(name, 0), total.get(name, 0))
        for name in {**day, **month, **total}
    }


def _summed(usage: Mapping[str, Usage], key: Callable[[str], str]) -> dict[str, Usage]:
    sums: dict[str, Usage] = {}
    for name, counts in usage.items():
        sums[key(name)] = sums.get(key(name), NO_USAGE) + counts
    return sums
