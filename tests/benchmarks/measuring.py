"""Takes the measurements of a row in turns: what disturbs the machine disturbs all sides of a ratio."""

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from tests.benchmarks.load import Client, Reply, Request, fetch
from tests.benchmarks.rows import SMALLEST, Against, LoadRow, Subject
from tests.benchmarks.servers import NginxSite, ServerAlone
from tests.benchmarks.stores import REAL
from tests.benchmarks.table import Budget, Line, Samples, paired_ratios

# nginx with a small file, under wrk with 16 connections, where the published service was measured too.
# That service is not here; its speed as a part of nginx's is what carries over to another machine.
NGINX_BESIDE_PUBLISHED = 80_000

Key = TypeVar("Key", bound=Hashable)
REAL_ONLY = frozenset({REAL})


@dataclass(frozen=True, slots=True)
class Bench:
    """The servers under test, that over the real data first, and what they are measured with."""

    subjects: Sequence[Subject]
    client: Client
    nginx: NginxSite | None
    alone: ServerAlone
    repeats: int

    @property
    def labels(self) -> list[str]:
        return [subject.site.label for subject in self.subjects]

    def load(self, row: LoadRow) -> list[Line]:
        subjects = self.subjects if row.all_sizes else self.subjects[:1]
        sides = {each.site.label: _Side.of(each.site.port, row.request(each)) for each in subjects}
        others = self._others(row, sides)
        samples = in_turns(
            {key: lambda side=side: side.rate(self.client) for key, side in (sides | others).items()},
            repeats=self.repeats,
        )
        rates = {label: samples[label] for label in sides}
        lines = [Line(row.title, "req/s", rates)]
        for against, budget in row.ratios.items():
            cells = _ratios(row, against, rates, samples)
            if cells:
                judged = (
                    REAL_ONLY
                    if against in {Against.NGINX, Against.ALONE, Against.PUBLISHED}
                    else frozenset(cells)
                )
                lines.append(
                    Line(row.title, against.value, cells, is_ratio=True, budget=budget, judged=judged)
                )
        return lines

    def _others(self, row: LoadRow, sides: Mapping[str, "_Side"]) -> dict[tuple[Against, str], "_Side"]:
        """What the ratios of the row need besides the row itself, by what for and for which size."""
        first = self.subjects[0]
        others = {}
        if self.nginx and Against.NGINX in row.ratios:
            for label, side in sides.items():
                others[Against.NGINX, label] = _Side.published(self.nginx, side.reply)
        if Against.ALONE in row.ratios and REAL in sides:
            others[Against.ALONE, REAL] = _Side.published(self.alone, sides[REAL].reply)
        if self.nginx and Against.PUBLISHED in row.ratios and self.client.outruns_nginx and REAL in sides:
            smallest = fetch(first.site.port, Request(SMALLEST))
            others[Against.PUBLISHED, REAL] = _Side.published(self.nginx, smallest)
        if Against.SMALLEST in row.ratios:
            others[Against.SMALLEST, REAL] = _Side.of(first.site.port, first.unchanged(SMALLEST))
        return others


@dataclass(frozen=True, slots=True)
class _Side:
    port: int
    request: Request
    reply: Reply

    @classmethod
    def of(cls, port: int, request: Request) -> "_Side":
        return cls(port, request, fetch(port, request))

    @classmethod
    def published(cls, site: NginxSite | ServerAlone, reply: Reply) -> "_Side":
        return cls.of(site.port, site.publish(reply))

    def rate(self, client: Client) -> float:
        return client.rate(self.port, self.request, body_size=len(self.reply.body))


def in_turns(takes: Mapping[Key, Callable[[], float]], *, repeats: int) -> dict[Key, Samples]:
    """Takes each measurement once before any is taken again; every other time in the opposite order."""
    samples: dict[Key, list[float]] = {key: [] for key in takes}
    for repeat in range(repeats):
        for key in takes if repeat % 2 == 0 else reversed(takes):
            samples[key].append(takes[key]())
    return {key: tuple(taken) for key, taken in samples.items()}


def _ratios(
    row: LoadRow, against: Against, rates: Mapping[str, Samples], samples: Mapping[Hashable, Samples]
) -> dict[str, Samples]:
    """The ratios to one thing, by size; none where there was nothing to measure it with."""
    if against is Against.REAL:
        return slowdowns({label: [1 / rate for rate in taken] for label, taken in rates.items()})
    ratios = {}
    for label, taken in rates.items():
        of = REAL if against is Against.SMALLEST else label
        if (other := samples.get((against, of))) is None:
            continue
        if against is Against.PUBLISHED:
            other = [rate * row.published_rate / NGINX_BESIDE_PUBLISHED for rate in other]
        ratios[label] = paired_ratios(taken, other)
    return ratios


def slowdowns(seconds: Mapping[str, Sequence[float]]) -> dict[str, Samples]:
    """How many times slower each larger store is than the real data."""
    real = seconds.get(REAL)
    if real is None:
        return {}
    return {label: paired_ratios(taken, real) for label, taken in seconds.items() if label != REAL}


def seconds_lines(
    title: str, seconds: Mapping[str, Samples], *, unit: str = "ms", budget: Budget | None = None
) -> Iterator[Line]:
    """A row of times, in seconds or milliseconds, and how they grow."""
    factor = {"s": 1, "ms": 1000}[unit]
    cells = {label: tuple(each * factor for each in taken) for label, taken in seconds.items()}
    yield Line(title, unit, cells, budget=budget, judged=REAL_ONLY)
    if larger := slowdowns(seconds):
        yield Line(title, Against.REAL.value, larger, is_ratio=True)
