"""What a record shows at a path, and what that sorts by."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

PATH_SEPARATOR = "__"

Path = tuple[str, ...]
SortKey = tuple[int, Any]


class RecordReader:
    """Tells what is shown of a record at a path; None where that is nothing."""

    __slots__ = ("record",)

    def __init__(self, record: Mapping[str, Any]) -> None:
        self.record = record

    def at(self, path: Path, *, or_false: bool = False) -> Any:
        """With `or_false` a default that is empty or false may be told as None, which can cost less."""
        return value_at(self.record, path)


def value_at(record: Mapping[str, Any], path: Path) -> Any:
    value: Any = record
    for segment in path:
        value = value.get(segment) if isinstance(value, Mapping) else None
    return value


def sort_key(value: Any) -> SortKey | None:
    """What a value sorts by, None for no value: its kind first, so that all kinds can share a column."""
    match value:
        case None:
            return None
        case bool():
            return (0, value)
        case int() | float():
            return (1, value)
        case str():
            return (2, value)
        case list() | tuple():
            # A null inside a list goes last, like one in a column.
            return (3, tuple(sort_key(element) or (5, None) for element in value))
        case _:
            return (4, json.dumps(value, sort_keys=True))


def field_paths(
    fields: Mapping[str, Any], parents: Path = ()
) -> Iterator[tuple[Path, Mapping[str, Any] | None]]:
    for name, members in fields.items():
        path = (*parents, name)
        yield path, members
        if members:
            yield from field_paths(members, path)
