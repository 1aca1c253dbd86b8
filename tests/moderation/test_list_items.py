"""Lists are compared member by member: files by name, everything else by what it holds."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moderation.diffs import canonical
from moderation.list_items import ItemChange, items
from moderation.telling import value_text

ADDED, REMOVED, SAME = ItemChange.ADDED, ItemChange.REMOVED, ItemChange.SAME


def told(old: list, new: list) -> list[tuple[str, str]]:
    return [(item.change.value, item.label) for item in items(old, new)]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (["a", "b"], ["b", "c"], [("same", "b"), ("added", "c"), ("removed", "a")]),
        (["a"], ["a", "a"], [("same", "a"), ("added", "a")]),
        ([1], [True], [("added", "true"), ("removed", "1")]),
        ([], [], []),
        ([{"file_name": "x", "n": 1}], [{"file_name": "x", "n": 2}], [("changed", "x")]),
        ([{"file_name": "x"}], [{"file_name": "y"}, {"file_name": "x"}], [("added", "y"), ("same", "x")]),
    ],
)
def test_members_are_told_in_the_order_of_the_new_list(old, new, expected):
    assert told(old, new) == expected


def test_a_file_in_both_lists_tells_which_of_its_fields_differ():
    (item,) = items([{"file_name": "x", "sha256sum": "a", "size": 1}], [{"file_name": "x", "sha256sum": "b"}])
    assert [(field.path, field.old, field.new) for field in item.fields] == [
        ("sha256sum", "a", "b"),
        ("size", 1, None),
    ]


def test_objects_without_names_of_their_own_are_compared_whole():
    old, new = [{"file_name": "x", "n": 1}, {"file_name": "x", "n": 2}], [{"file_name": "x", "n": 2}]
    assert [item.change for item in items(old, new)] == [SAME, REMOVED]


@given(st.lists(st.integers(0, 3)), st.lists(st.integers(0, 3)))
def test_what_stays_and_comes_is_the_new_list_and_what_stays_and_goes_the_old_one(old, new):
    found = items(old, new)
    assert [item.label for item in found if item.change in (SAME, ADDED)] == list(map(value_text, new))
    before = Counter(item.label for item in found if item.change in (SAME, REMOVED))
    assert before == Counter(map(canonical, old))
