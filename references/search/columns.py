"""The records of a category as columns: what the filters ask of each, and in which order a field puts them."""

from array import array
from collections.abc import Callable, Hashable, Sequence
from functools import cached_property
from sys import intern
from typing import Any, NamedTuple

from references.search.values import Path, RecordReader, sort_key
from references.text import is_quantized, split_backend

MakeColumn = Callable[[Hashable, Callable[[RecordReader], Any]], list[Any]]


class Ordering(NamedTuple):
    """Positions of a category sorted by one field: those that have a value, then those that have none."""

    valued: Sequence[int]
    valueless: Sequence[int]


class Facts(NamedTuple):
    """What the filters ask of one record."""

    name: str
    nsfw: Any
    baseline: Any
    inpainting: bool
    tags: tuple[str, ...]


def _facts(reader: RecordReader) -> Facts:
    nsfw, baseline = reader.at(("nsfw",)), reader.at(("baseline",))
    return Facts(
        name=_text(reader.at(("name",))),
        nsfw=nsfw if isinstance(nsfw, bool) else None,
        baseline=intern(baseline) if isinstance(baseline, str) else None,
        inpainting=bool(reader.at(("inpainting",), or_false=True)),
        tags=tuple(map(intern, _texts(reader.at(("tags",), or_false=True)))),
    )


class Columns:
    """The records of a category turned into columns, each made only when a query needs it."""

    def __init__(self, column: MakeColumn) -> None:
        self._column = column

    @cached_property
    def facts(self) -> list[Facts]:
        return self._column(Facts, _facts)

    @cached_property
    def names(self) -> list[str]:
        return [facts.name for facts in self.facts]

    @cached_property
    def lowered_names(self) -> list[str]:
        return [name.lower() for name in self.names]

    @cached_property
    def backends(self) -> list[str | None]:
        return [split_backend(name)[0] for name in self.names]

    @cached_property
    def quantized(self) -> list[bool]:
        return [is_quantized(name) for name in self.names]

    def ordering(self, path: Path, descending: bool) -> Ordering:
        keys = self._column(path, lambda reader: sort_key(reader.at(path)))
        valued = [position for position, key in enumerate(keys) if key is not None]
        valueless = [position for position, key in enumerate(keys) if key is None]
        # Sorting in reverse keeps equal elements as they stand, so ties stay in stored order both ways.
        valued.sort(key=keys.__getitem__, reverse=descending)
        return Ordering(array("I", valued), array("I", valueless))


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _texts(value: object) -> tuple[str, ...]:
    return tuple(element for element in value if isinstance(element, str)) if isinstance(value, list) else ()
