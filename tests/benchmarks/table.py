"""The arithmetic of the measurements, and the table they are shown in."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any, NamedTuple

Samples = tuple[float, ...]

_INDENT = "  "
_NOTHING = "–"


class Spread(NamedTuple):
    """The least, the middle and the greatest of some repeats; between the ends lies the machine's noise."""

    least: float
    middle: float
    greatest: float

    @classmethod
    def of(cls, samples: Sequence[float]) -> "Spread":
        return cls(min(samples), median(samples), max(samples))

    def overlaps(self, other: "Spread") -> bool:
        return self.least <= other.greatest and other.least <= self.greatest


@dataclass(frozen=True, slots=True)
class Budget:
    """A bound that the middle of the repeats has to keep."""

    bound: float
    at_least: bool

    def __str__(self) -> str:
        return f"at {'least' if self.at_least else 'most'} {self.bound:g}"

    def is_kept(self, value: float) -> bool:
        return value >= self.bound if self.at_least else value <= self.bound

    def verdict(self, samples: Sequence[float]) -> str:
        """`ok` or `MISS`, with a question mark where single repeats disagree."""
        spread = Spread.of(samples)
        word = "ok" if self.is_kept(spread.middle) else "MISS"
        return word if self.is_kept(spread.least) == self.is_kept(spread.greatest) else f"{word}?"


def at_least(bound: float) -> Budget:
    return Budget(bound, at_least=True)


def at_most(bound: float) -> Budget:
    return Budget(bound, at_least=False)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table: the repeats of one measure of `row`, by size of the store.

    `measure` is the unit of a figure, or says what a ratio is to. The budget is for the sizes in `judged`.
    """

    row: str
    measure: str
    cells: Mapping[str, Samples]
    is_ratio: bool = False
    budget: Budget | None = None
    judged: frozenset[str] = field(default_factory=frozenset)

    def verdict(self, size: str) -> str:
        if self.budget is None or size not in self.judged or not self.cells.get(size):
            return ""
        return self.budget.verdict(self.cells[size])


def paired_ratios(numerators: Sequence[float], denominators: Sequence[float]) -> Samples:
    """A ratio for each repeat: the two measurements of one repeat lie next to each other in time."""
    return tuple(over / under for over, under in zip(numerators, denominators, strict=True))


def number_shown(value: float) -> str:
    """Three digits that count."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.{2 if value < 10 else 1}f}" if value >= 1 else f"{value:.3g}"


def samples_shown(samples: Sequence[float]) -> str:
    spread = Spread.of(samples)
    if spread.least == spread.greatest:
        return number_shown(spread.middle)
    return f"{number_shown(spread.middle)} [{number_shown(spread.least)} – {number_shown(spread.greatest)}]"


def table(lines: Iterable[Line], sizes: Sequence[str]) -> str:
    """Each row's figures, and below them its ratios."""
    cells = [["", "", *sizes, "budget"]]
    previous = None
    for line in lines:
        title = line.row if line.row != previous else ""
        previous = line.row
        cells.append([title, _INDENT + line.measure if line.is_ratio else line.measure])
        cells[-1] += [_cell(line, size) for size in sizes]
        cells[-1].append("" if line.budget is None else str(line.budget))
    return _aligned(cells)


def comparison(now: Iterable[Line], then: Iterable[Line], sizes: Sequence[str]) -> str:
    """The ratios of this run beside those of an earlier one; `noise` where the repeats of the two overlap."""
    earlier = {(line.row, line.measure): line for line in then if line.is_ratio}
    cells = [["", "", *(f"{size}: then, now" for size in sizes)]]
    for line in now:
        before = earlier.get((line.row, line.measure))
        if line.is_ratio and before is not None:
            compared = [_compared(before.cells.get(size), line.cells.get(size)) for size in sizes]
            if any(each != _NOTHING for each in compared):
                cells.append([line.row, line.measure, *compared])
    return _aligned(cells)


def lines_to_json(lines: Iterable[Line]) -> list[dict[str, Any]]:
    return [
        {
            "row": line.row,
            "measure": line.measure,
            "ratio": line.is_ratio,
            "budget": None if line.budget is None else str(line.budget),
            "sizes": {
                size: {"samples": list(samples), "verdict": line.verdict(size) or None}
                for size, samples in line.cells.items()
            },
        }
        for line in lines
    ]


def lines_from_json(stored: Iterable[Mapping[str, Any]]) -> list[Line]:
    """The lines with their repeats; budgets are those of the program that reads them."""
    return [
        Line(
            each["row"],
            each["measure"],
            {size: tuple(cell["samples"]) for size, cell in each["sizes"].items()},
            is_ratio=each["ratio"],
        )
        for each in stored
    ]


def _cell(line: Line, size: str) -> str:
    samples = line.cells.get(size)
    if not samples:
        return _NOTHING
    return f"{samples_shown(samples)} {line.verdict(size)}".rstrip()


def _compared(then: Samples | None, now: Samples | None) -> str:
    if not then or not now:
        return _NOTHING
    before, after = Spread.of(then), Spread.of(now)
    change = "noise" if before.overlaps(after) else f"{(after.middle / before.middle - 1):+.0%}"
    return f"{number_shown(before.middle)}, {number_shown(after.middle)} ({change})"


def _aligned(cells: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    )
