"""Where records stand in a category: the fewest that have to move for a wanted order. Pure."""

from bisect import bisect_right
from collections.abc import Sequence

FIRST = 1


def places(positions: Sequence[int]) -> list[int]:
    """New positions for records that stand at `positions`, so that they stand in the order they are given in.

    As many as possible stay where they are. Positions are unique before and after, and FIRST or higher.
    """
    staying = _staying(positions)
    placed: list[int] = []
    for index, position in enumerate(positions):
        placed.append(position if index in staying else (placed[-1] + 1 if placed else FIRST))
    return placed


def _staying(positions: Sequence[int]) -> set[int]:
    """The longest choice of indexes whose records can stay: between any two there is room for those between them.

    That is so where a record's distance from its rank does not fall: the longest run that does not fall is found
    by keeping, for each length, the run with the lowest end.
    """
    ends: list[int] = []
    lasts: list[int] = []
    before: dict[int, int | None] = {}
    for index, position in enumerate(positions):
        slack = position - index
        if slack < FIRST:
            continue
        length = bisect_right(ends, slack)
        before[index] = lasts[length - 1] if length else None
        if length == len(ends):
            ends.append(slack)
            lasts.append(index)
        else:
            ends[length], lasts[length] = slack, index
    staying = set()
    index = lasts[-1] if lasts else None
    while index is not None:
        staying.add(index)
        index = before[index]
    return staying
