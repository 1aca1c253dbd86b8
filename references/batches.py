"""Some at a time: what is read or written in bulk must not fill the memory, or overrun what one query takes."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")

WRITE_BATCH = 500


def batches(items: Iterable[Item], size: int = WRITE_BATCH) -> Iterator[list[Item]]:
    """The items in order, in lists of `size`, the last one shorter."""
    remaining = iter(items)
    while batch := list(islice(remaining, size)):
        yield batch
