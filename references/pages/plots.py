"""Plots as numbers: where the marks of a drawing stand. Templates draw them. Pure.

Labels are text beside the drawing, never in it, so a drawing may be stretched to any width.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

# Marks of plots that are stretched stand on a square of this side.
SIDE = 100
UNIT = 10
GAP = 2
# Beyond this a square stands for several models, so that the drawing stays small.
MOST_UNITS = 2000


@dataclass(frozen=True, slots=True)
class Rect:
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class UnitBlock:
    """The squares of one category; they fill columns from the top, each block on after the one before."""

    index: int
    rects: tuple[Rect, ...]


@dataclass(frozen=True, slots=True)
class UnitChart:
    """One square for every `worth` things."""

    blocks: tuple[UnitBlock, ...]
    rows: int
    columns: int
    worth: int

    @property
    def width(self) -> int:
        """Without the gap after the last square."""
        return self.columns * UNIT - GAP

    @property
    def height(self) -> int:
        return self.rows * UNIT - GAP

    @property
    def gaps(self) -> str:
        """The lines between the squares, as a path."""
        middles = [step * UNIT - GAP / 2 for step in range(1, max(self.columns, self.rows))]
        across = "".join(f"M0 {y:g}h{self.width}" for y in middles[: self.rows - 1])
        return "".join(f"M{x:g} 0v{self.height}" for x in middles[: self.columns - 1]) + across


def unit_chart(counts: Sequence[int], *, rows: int) -> UnitChart:
    """Every count that is not zero gets a square at least."""
    worth = max(1, -(-sum(counts) // MOST_UNITS))
    start, blocks = 0, []
    for index, count in enumerate(counts):
        units = -(-count // worth)
        blocks.append(UnitBlock(index, tuple(_unit_rects(start, start + units, rows))))
        start += units
    return UnitChart(tuple(blocks), rows, max(1, -(-start // rows)), worth)


def _unit_rects(start: int, end: int, rows: int) -> list[Rect]:
    """The squares from `start` to before `end`: what is left of a column, whole columns, a column begun."""
    rects = []
    while start < end:
        column, row = divmod(start, rows)
        if row == 0 and end - start >= rows:
            columns = (end - start) // rows
            rects.append(Rect(column * UNIT, 0, columns * UNIT, rows * UNIT))
            start += columns * rows
        else:
            taken = min(rows - row, end - start)
            rects.append(Rect(column * UNIT, row * UNIT, UNIT, taken * UNIT))
            start += taken
    return rects


@dataclass(frozen=True, slots=True)
class Bar:
    """One value of a distribution. `share` is in percent of the whole, `length` of the longest bar."""

    label: str
    count: int
    share: float
    length: float
    url: str = ""


def bars(values: Sequence[tuple[str, int]], *, total: int, urls: Sequence[str] = ()) -> list[Bar]:
    longest = max((count for _, count in values), default=0)
    return [
        Bar(
            label,
            count,
            round(count / total * 100, 1) if total else 0.0,
            round(count / longest * SIDE, 2) if longest else 0.0,
            urls[index] if urls else "",
        )
        for index, (label, count) in enumerate(values)
    ]


@dataclass(frozen=True, slots=True)
class DayPoint:
    day: date
    value: int
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class DaySeries:
    """Values by day as a line. Days that nothing is known of are gaps of the time axis, not zeros."""

    points: tuple[DayPoint, ...]
    highest: int

    @property
    def line(self) -> str:
        return " ".join(f"{point.x:g},{point.y:g}" for point in self.points)

    @property
    def area(self) -> str:
        first, last = self.points[0], self.points[-1]
        return f"{first.x:g},{SIDE} {self.line} {last.x:g},{SIDE}"

    @property
    def latest(self) -> DayPoint:
        return self.points[-1]


def day_series(values: Sequence[tuple[date, int]]) -> DaySeries | None:
    """The line through at least two days in order of time; nothing for fewer."""
    if len(values) < 2:
        return None
    first, last = values[0][0], values[-1][0]
    span = (last - first).days
    highest = max(value for _, value in values)
    return DaySeries(
        tuple(
            DayPoint(
                day,
                value,
                round((day - first).days / span * SIDE, 2),
                round(SIDE - value / highest * SIDE, 2) if highest else float(SIDE),
            )
            for day, value in values
        ),
        highest,
    )


@dataclass(frozen=True, slots=True)
class Cell:
    """A count in a table of two properties; `shade` is 0 for none, then 1 to 5."""

    count: int
    shade: int


@dataclass(frozen=True, slots=True)
class Matrix:
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Cell, ...]], ...]


SHADES = 5


def matrix(rows: Sequence[str], columns: Sequence[str], counts: dict[tuple[str, str], int]) -> Matrix:
    """The counts of pairs; darker where there are more, by steps of a square root, as few pairs have most."""
    highest = max(counts.values(), default=0)

    def cell(row: str, column: str) -> Cell:
        count = counts.get((row, column), 0)
        return Cell(count, max(1, round((count / highest) ** 0.5 * SHADES)) if count else 0)

    return Matrix(
        tuple(columns), tuple((row, tuple(cell(row, column) for column in columns)) for row in rows)
    )
