"""Which of the names the AI-Horde reports belong to which record.

Workers serve one model under several names: its own, one with a backend's prefix, and any of these with the
quantisation they run. Names compare in lower case; of two upstream names that become equal the later one counts.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

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


@dataclass(frozen=True, slots=True)
class ModelStatus:
    """How one upstream name is served now; `count` workers serve it. What upstream left out is None."""

    name: str
    count: int
    jobs: int | None = None
    performance: float | None = None
    queued: float | None = None
    eta: int | None = None


@dataclass(frozen=True, slots=True)
class Worker:
    id: str
    name: str
    performance: str | None = None
    online: bool | None = None
    trusted: bool | None = None
    uptime: int | None = None

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


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
    """What the AI-Horde reports about one kind of model, indexed to be looked up by a record's name.

    `status` and `workers` are lists of upstream objects, of which a status needs `name` and `count`, a worker
    `id`, `name` and `models`. `usage` maps `day`, `month` and `total` to requests by upstream name.
    """

    def __init__(
        self,
        *,
        status: Iterable[Mapping[str, Any]] = (),
        usage: Mapping[str, Mapping[str, int]] | None = None,
        workers: Iterable[Mapping[str, Any]] = (),
    ) -> None:
        self._status = {row["name"].lower(): _model_status(row) for row in status}
        self._usage = _usage_by_name(usage or {})
        self._workers = list(workers)

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
        """The backends that serve the model, or did: the canonical name first, then by the backends' order."""
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

    def workers_of(self, name: str) -> Sequence[Worker]:
        """The workers that offer the model under exactly its own name, whether or not they are online."""
        return self._workers_by_model.get(name.lower(), ())

    @cached_property
    def _usage_by_group(self) -> dict[str, Usage]:
        return _summed(self._usage, _group_key)

    @cached_property
    def _usage_by_model(self) -> dict[str, Usage]:
        return _summed(self._usage, _model_key)

    @cached_property
    def _workers_by_model(self) -> dict[str, list[Worker]]:
        workers: dict[str, list[Worker]] = {}
        for row in self._workers:
            worker = _worker(row)
            for model in dict.fromkeys(model.lower() for model in row["models"]):
                workers.setdefault(model, []).append(worker)
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


def _usage_by_name(usage: Mapping[str, Mapping[str, int]]) -> dict[str, Usage]:
    day, month, total = (
        {name.lower(): count for name, count in usage.get(period, {}).items()}
        for period in ("day", "month", "total")
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


def _model_status(row: Mapping[str, Any]) -> ModelStatus:
    return ModelStatus(
        name=row["name"],
        count=row["count"],
        jobs=row.get("jobs"),
        performance=row.get("performance"),
        queued=row.get("queued"),
        eta=row.get("eta"),
    )


def _worker(row: Mapping[str, Any]) -> Worker:
    return Worker(
        id=row["id"],
        name=row["name"],
        performance=row.get("performance"),
        online=row.get("online"),
        trusted=row.get("trusted"),
        uptime=row.get("uptime"),
    )
