"""Takes the measurements of a row in turns: what disturbs the machine disturbs all sides of a ratio."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from tests.benchmarks.load import Client, Reply, Request, fetch
from tests.benchmarks.rows import SMALLEST, LoadRow, Subject
from tests.benchmarks.servers import NginxSite
from tests.benchmarks.stores import REAL
from tests.benchmarks.table import Budget, Line, Samples, paired_ratios

# nginx with a small file, under wrk with 16 connections, where the published service was measured too.
# That service is not here; its speed as a part of nginx's is what carries over to another machine.
NGINX_BESIDE_PUBLISHED = 80_000

Key = TypeVar("Key")
REAL_ONLY = frozenset({REAL})


@dataclass(frozen=True, slots=True)
class Bench:
    """The servers under test, the largest store last, and what they are measured with."""

    subjects: Sequence[Subject]
    client: Client
    nginx: NginxSite | None
    repeats: int

    @property
    def labels(self) -> list[str]:
        return [subject.site.label for subject in self.subjects]

    def load(self, row: LoadRow) -> list[Line]:
        subjects = [subject for subject in self.subjects if row.all_sizes or subject is self.subjects[0]]
        sides = {
            subject.site.label: _Side.of(subject.site.port, row.request(subject)) for subject in subjects
        }
        labels = list(sides)
        for label in labels if self.nginx and row.nginx else ():
            sides[f"nginx {label}"] = _nginx_side(self.nginx, sides[label])
        if row.smallest:
            smallest = self.subjects[0]
            sides["smallest"] = _Side.of(smallest.site.port, smallest.unchanged(SMALLEST))
        if row.published and self.nginx:
            smallest_body = fetch(self.subjects[0].site.port, Request(SMALLEST))
            sides["nginx"] = _Side.of(self.nginx.port, self.nginx.publish(smallest_body.body, encoding=None))
        samples = in_turns(
            {name: lambda side=side: side.rate(self.client) for name, side in sides.items()},
            repeats=self.repeats,
        )
        return _lines(row, labels, samples)


@dataclass(frozen=True, slots=True)
class _Side:
    port: int
    request: Request
    reply: Reply

    @classmethod
    def of(cls, port: int, request: Request) -> "_Side":
        return cls(port, request, fetch(port, request))

    def rate(self, client: Client) -> float:
        return client.rate(self.port, self.request, body_size=len(self.reply.body))


def _nginx_side(nginx: NginxSite, side: _Side) -> _Side:
    return _Side.of(
        nginx.port, nginx.publish(side.reply.body, encoding=side.reply.headers.get("content-encoding"))
    )


def in_turns(takes: Mapping[Key, Callable[[], float]], *, repeats: int) -> dict[Key, Samples]:
    """Takes each measurement once before any is taken again; every other time in the opposite order."""
    samples: dict[Key, list[float]] = {key: [] for key in takes}
    for repeat in range(repeats):
        for key in takes if repeat % 2 == 0 else reversed(takes):
            samples[key].append(takes[key]())
    return {key: tuple(taken) for key, taken in samples.items()}


def _lines(row: LoadRow, labels: Sequence[str], samples: Mapping[str, Samples]) -> list[Line]:
    rates = {label: samples[label] for label in labels}
    lines = [Line(row.title, "req/s", rates)]

    def add(measure: str, cells: dict[str, Samples], budget: Budget | None, judged: frozenset[str]) -> None:
        if cells:
            lines.append(Line(row.title, measure, cells, is_ratio=True, budget=budget, judged=judged))

    if row.nginx:
        beside = {
            label: paired_ratios(rates[label], samples[f"nginx {label}"])
            for label in labels
            if f"nginx {label}" in samples
        }
        add("÷ nginx, same bytes", beside, row.nginx, REAL_ONLY)
    if row.smallest:
        beside = {label: paired_ratios(rates[label], samples["smallest"]) for label in labels}
        add("÷ 304 of the smallest category", beside, row.smallest, frozenset(labels))
    if row.published and "nginx" in samples:
        published = [rate * row.published.rate / NGINX_BESIDE_PUBLISHED for rate in samples["nginx"]]
        add(
            "÷ published service, by way of nginx",
            {labels[0]: paired_ratios(rates[labels[0]], published)},
            row.published.budget,
            REAL_ONLY,
        )
    if row.all_sizes and not (row.nginx or row.smallest):
        lines += slowdown(row.title, rates, row.growth, higher_is_better=True)
    return lines


def slowdown(
    title: str, cells: Mapping[str, Samples], budget: Budget | None, *, higher_is_better: bool = False
) -> list[Line]:
    """How many times slower a larger store is than the real data."""
    real = cells.get(REAL)
    larger = {label: samples for label, samples in cells.items() if label != REAL}
    if not real or not larger:
        return []
    ratios = {
        label: paired_ratios(real, samples) if higher_is_better else paired_ratios(samples, real)
        for label, samples in larger.items()
    }
    return [
        Line(title, "× slower than real data", ratios, is_ratio=True, budget=budget, judged=frozenset(larger))
    ]
