"""One stored record in memory, and what is computed from it alone."""

import json
from collections.abc import Callable, Hashable, Iterator, Sequence
from functools import cached_property, lru_cache
from typing import Any, TypeVar

from references.categories import CATEGORIES
from references.legacy import entry_dump, text_entries
from references.serializers import record_presented

Value = TypeVar("Value")

# Parsed records take ten times the memory of their text, so only so many stay.
PRESENTED_KEPT = 8192


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
        return json.loads(self.text)

    @property
    def presented(self) -> dict:
        """The record as search shows it: defaults filled in, null members left out. Shared, so only to be read."""
        return _presented(self)

    @cached_property
    def presented_json(self) -> bytes:
        return json.dumps(self.presented, ensure_ascii=False, separators=(",", ":")).encode()

    def value(self, key: Hashable, compute: Callable[[dict], Value]) -> Value:
        """What `compute` makes of the record as presented, kept under the key; let it be small."""
        if key not in self._values:
            self._values[key] = compute(self.presented)
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


@lru_cache(PRESENTED_KEPT)
def _presented(row: Row) -> dict:
    return record_presented(row.category, row.record)


class PresentedRecords(Sequence[dict]):
    """The records of rows as search shows them."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, position: int) -> dict:
        return self._rows[position].presented

    def __iter__(self) -> Iterator[dict]:
        return (row.presented for row in self._rows)
