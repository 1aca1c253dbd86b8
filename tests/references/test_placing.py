from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from references.placing import FIRST, places

POSITIONS = st.lists(st.integers(min_value=FIRST, max_value=12), unique=True, max_size=7)


@pytest.mark.parametrize(
    ("positions", "placed"),
    [
        ([], []),
        ([1, 2, 3], [1, 2, 3]),
        ([2, 5, 9], [2, 5, 9]),
        ([3, 1, 2], [3, 4, 5]),
        ([1, 3, 2, 4], [1, 2, 3, 4]),
        ([1, 4, 2, 3], [1, 4, 5, 6]),
        ([1, 4, 3], [1, 2, 3]),
        ([7, 1, 5], [1, 2, 5]),
        ([5, 1, 7], [5, 6, 7]),
    ],
)
def test_records_are_placed_in_order(positions, placed):
    assert places(positions) == placed


@given(POSITIONS)
def test_places_rise_and_as_few_as_possible_are_new(positions):
    placed = places(positions)
    assert all(before < after for before, after in zip([FIRST - 1, *placed], placed, strict=False))
    assert len(placed) == len(positions)
    stays = sum(old == new for old, new in zip(positions, placed, strict=True))
    assert stays == most_that_can_stay(positions)


def most_that_can_stay(positions: list[int]) -> int:
    """By trying all choices."""
    indexes = range(len(positions))
    return max(
        size
        for size in range(len(positions) + 1)
        for chosen in combinations(indexes, size)
        if has_room(positions, chosen)
    )


def has_room(positions: list[int], chosen: tuple[int, ...]) -> bool:
    before_index, before = -1, FIRST - 1
    for index in chosen:
        if positions[index] - before < index - before_index:
            return False
        before_index, before = index, positions[index]
    return True
