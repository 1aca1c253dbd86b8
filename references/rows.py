"""One stored record in memory, and what is computed from it alone."""

import json
from collections.abc import Callable, Hashable, Sequence
from functools import cached_property, lru_cache
from typing import Any, TypeVar

from references.categories import CATEGORIES
from references.legacy import entry_dump, text_entries
from references.search import RecordReader, value_at
from references.serializers import Reading, reading_of, record_presented

Value = TypeVar("Value")

# Parsed records take ten times the memory of their text, so only so many stay.
PRESENTED_KEPT = 8192

_record_decode = json.JSONDecoder().raw_decode


class Row:
    """One record, and what is computed from it alone, each part when first asked for.

    What is large and seldom needed is computed each time; a later snapshot takes over the rows that did not change,
    with all they keep.
    """

    __slots__ = ("__dict__", "_values", "category", "legacy", "name", "position", "text")

    def __init__(self, category: str, name: str, position: int, text: str, legacy: str | None) -> None:
        self.category = category
        self.name = name
        self.position = position
        self.text = text
        self.legacy = legacy
        self._values: dict[Hashable, Any] = {}

    @property
    def member(self) -> bytes:
        """The record as a member of the category's object."""
        return f"{json.dumps(self.name, ensure_ascii=False)}:{self.text}".encode()

    @property
    def record(self) -> dict:
        return _record_decode(self.text)[0]

    @property
    def presented(self) -> dict:
        """The record as search shows it: defaults filled in, null members left out. Shared, so only to be read."""
        return _presented(self)

    @cached_property
    def presented_json(self) -> bytes:
        return json.dumps(self.presented, ensure_ascii=False, separators=(",", ":")).encode()

    def value(self, key: Hashable, compute: Callable[[RecordReader], Value]) -> Value:
        """What `compute` makes of the record as presented, kept under the key; let it be small."""
        if key not in self._values:
            self._values[key] = compute(RowReader(self))
        return self._values[key]

    @property
    def legacy_entries(self) -> list[tuple[str, dict]]:
        """The v1 entries of the record: three for a text model, else at most one."""
        if self.legacy is not None:
            return [(self.name, json.loads(self.legacy))]
        return text_entries(self.record) if CATEGORIES[self.category].has_legacy_form else []

    @cached_property
    def legacy_slices(self) -> list[tuple[str, str]]:
        return [(key, entry_dump(key, entry)) for key, entry in self.legacy_entries]


class RowReader(RecordReader):
    """Reads values of a record as presented, without presenting it where what is stored tells as much."""

    __slots__ = ("_row",)

    def __init__(self, row: Row) -> None:
        super().__init__(row.record)
        self._row = row

    def at(self, path: tuple[str, ...], *, or_false: bool = False) -> Any:
        reading = reading_of(self._row.category, path)
        if reading is not Reading.PRESENTED:
            value = value_at(self.record, path)
            if value is not None or reading is Reading.STORED:
                return value
            if or_false and reading is Reading.FALSE_FILLED:
                return None
        return value_at(self._row.presented, path)


@lru_cache(PRESENTED_KEPT)
def _presented(row: Row) -> dict:
    return record_presented(row.category, row.record)


class StoredRecords(Sequence[dict]):
    """The records of rows as they are stored. Each is parsed when it is asked for: together they are large."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, position: int) -> dict:
        return self._rows[position].record


class PresentedRecords(StoredRecords):
    """The records of rows as search shows them."""

    def __getitem__(self, position: int) -> dict:
        return self._rows[position].presented
