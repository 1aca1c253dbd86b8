import pytest

from references.json_equality import json_equal

VALUES = [
    None,
    True,
    1,
    1.0,
    "1",
    "",
    0,
    False,
    [],
    {},
    [1],
    [True],
    {"a": 1},
    {"a": 1.0},
    {"a": None},
    [{"a": [0]}],
]


@pytest.mark.parametrize("value", VALUES)
def test_a_value_equals_itself_and_no_other(value):
    assert [other for other in VALUES if json_equal(value, other)] == [value] != []
    assert sum(json_equal(value, other) for other in VALUES) == 1


def test_the_order_of_members_says_nothing_and_that_of_elements_does():
    assert json_equal({"a": 1, "b": {"c": 2, "d": 3}}, {"b": {"d": 3, "c": 2}, "a": 1})
    assert not json_equal([1, 2], [2, 1])


@pytest.mark.parametrize(
    ("one", "other"),
    [([1], [1, 1]), ({"a": 1}, {"a": 1, "b": 2}), ({"a": [1, {"b": 0}]}, {"a": [1, {"b": False}]})],
)
def test_what_differs_deep_inside_differs(one, other):
    assert not json_equal(one, other)
    assert not json_equal(other, one)
