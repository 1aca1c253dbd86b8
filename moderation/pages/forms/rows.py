"""A map of a record as rows of a name and a value. Pure.

Rows that make no map, because a name or a value is missing or a name is there twice, stay a list of [name, value]
or [name]: the record type refuses it, and nothing that was typed is lost.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

ABSENT = object()

# A form has no more fields than a request may have.
_MOST_ROWS = 200
_LINE_END = re.compile(r"[\r\n]")


@dataclass(frozen=True, slots=True)
class MapRow:
    name: str = ""
    value: Any = ABSENT

    @property
    def is_empty(self) -> bool:
        return not self.name and self.value is ABSENT


class RowFault(NamedTuple):
    """What keeps a row out of a map; `is_of_name` tells in which of its two fields that is."""

    index: int
    is_of_name: bool
    text: str


def map_rows(value: Any) -> list[MapRow] | None:
    """The rows of a map, or of what was going to be one; None for what no rows can show."""
    if value is None or value is ABSENT:
        return []
    if isinstance(value, dict):
        rows = [MapRow(name, each) for name, each in value.items()]
        fits = all(row.name for row in rows)
    elif isinstance(value, list):
        fits = bool(value) and all(map(_is_row, value))
        rows = [MapRow(*row) for row in value] if fits else []
    else:
        return None
    fits = fits and len(rows) <= _MOST_ROWS and not any(_LINE_END.search(row.name) for row in rows)
    return rows if fits else None


def _is_row(value: Any) -> bool:
    return isinstance(value, list) and len(value) in (1, 2) and isinstance(value[0], str)


def map_value(rows: Sequence[MapRow]) -> Any:
    """The map that the rows make, or the rows themselves."""
    if next(row_faults(rows), None):
        return rows_value(rows)
    return {row.name: row.value for row in rows}


def rows_value(rows: Sequence[MapRow]) -> list[list[Any]]:
    return [[row.name] if row.value is ABSENT else [row.name, row.value] for row in rows]


def row_faults(rows: Sequence[MapRow]) -> Iterator[RowFault]:
    seen: set[str] = set()
    for index, row in enumerate(rows):
        if not row.name:
            yield RowFault(index, is_of_name=True, text="This value has no name.")
        elif row.name in seen:
            yield RowFault(index, is_of_name=True, text="This name is there twice.")
        seen.add(row.name)
        if row.value is ABSENT:
            yield RowFault(index, is_of_name=False, text="Give it a value, or remove the row.")
