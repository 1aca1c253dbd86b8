"""Differences of records: what counts as one, in which order they come, which of them are critical."""

import pytest

from moderation.diffs import (
    ChangeType,
    FieldDiff,
    ItemDiffs,
    NetOperation,
    field_diffs,
    is_critical,
    is_same,
    net_effect,
    net_operation,
)
from moderation.states import Operation
from tests.recorded import golden

ADDED, REMOVED, MODIFIED = ChangeType.ADDED, ChangeType.REMOVED, ChangeType.MODIFIED


def changes(old: dict | None, new: dict | None) -> list[tuple]:
    return [(diff.path, diff.change_type, diff.old, diff.new) for diff in field_diffs(old, new)]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1}, {"a": 2}, [("a", MODIFIED, 1, 2)]),
        ({}, {"a": 1}, [("a", ADDED, None, 1)]),
        ({"a": 1}, {}, [("a", REMOVED, 1, None)]),
        ({"a": None}, {}, [("a", REMOVED, None, None)]),
        ({}, {"a": None}, [("a", ADDED, None, None)]),
        ({"a": None}, {"a": 0}, [("a", MODIFIED, None, 0)]),
        ({"a": 1}, {"a": True}, [("a", MODIFIED, 1, True)]),
        ({"a": 1}, {"a": 1.0}, [("a", MODIFIED, 1, 1.0)]),
        ({"a": {"b": {"c": 1}}}, {"a": {"b": {"c": 2}}}, [("a.b.c", MODIFIED, 1, 2)]),
        ({"a": {"b": 1, "c": 2}}, {"a": {"c": 2, "b": 1}}, []),
        ({"a": {"b": 1}}, {"a": 5}, [("a", MODIFIED, {"b": 1}, 5)]),
        ({"a": 5}, {"a": {"b": 1}}, [("a", MODIFIED, 5, {"b": 1})]),
        ({}, {"a": {"z": 1, "b": 2}}, [("a.z", ADDED, None, 1), ("a.b", ADDED, None, 2)]),
        ({"a": {}}, {}, []),
        ({"a": [1, 2]}, {"a": [2, 1]}, [("a", MODIFIED, [1, 2], [2, 1])]),
        ({"a": [{"x": 1, "y": 2}]}, {"a": [{"y": 2, "x": 1}]}, []),
        (None, None, []),
    ],
)
def test_every_leaf_that_differs_is_one_difference(old, new, expected):
    assert changes(old, new) == expected


def test_keys_of_both_sides_come_sorted_and_keys_of_one_side_as_stored():
    assert [
        path for path, *_ in changes({"z": 1, "a": {"y": 1, "b": 1}}, {"z": 2, "a": {"y": 2, "b": 2}})
    ] == [
        "a.b",
        "a.y",
        "z",
    ]
    assert [path for path, *_ in changes(None, {"z": 1, "a": {"y": 1, "b": 1}})] == ["z", "a.y", "a.b"]
    assert changes({"z": 1, "a": 2}, None) == [("z", REMOVED, 1, None), ("a", REMOVED, 2, None)]


@pytest.mark.parametrize(
    ("category", "path", "expected"),
    [
        ("image_generation", "nsfw", True),
        ("image_generation", "description", False),
        ("image_generation", "config.download", True),
        ("image_generation", "config.embedded_component_hashes.vae", False),
        ("image_generation", "homepages", False),
        ("text_generation", "parameters", True),
        ("text_generation", "inpainting", False),
        ("clip", "style.deeper", True),
        ("clip", "config.download", True),
        ("lora", "config.download", False),
        ("miscellaneous", "nsfw", False),
    ],
)
def test_a_difference_is_critical_by_its_category_and_path(category, path, expected):
    assert is_critical(category, [FieldDiff(path, MODIFIED, 1, 2)]) is expected


def test_lists_tell_which_members_came_and_went():
    (diff,) = field_diffs({"tags": ["a", "b", "b"]}, {"tags": ["b", "c", "c"]})
    assert diff.item_diffs == ItemDiffs(added=["c", "c"], removed=["a", "b"])
    (diff,) = field_diffs({"tags": ["a"]}, {"tags": "a"})
    assert diff.item_diffs is None


OTHER = {"name": "m", "description": "other"}
RECORD = {"name": "m", "metadata": {"updated_at": 1}}
TOUCHED = {"name": "m", "metadata": {"updated_at": 2}}


@pytest.mark.parametrize(
    ("operation", "current", "proposed", "expected"),
    [
        (Operation.CREATE, None, RECORD, NetOperation.ADDED),
        (Operation.CREATE, OTHER, RECORD, NetOperation.MODIFIED),
        (Operation.UPDATE, OTHER, RECORD, NetOperation.MODIFIED),
        (Operation.UPDATE, RECORD, RECORD, NetOperation.UNCHANGED),
        (Operation.UPDATE, RECORD, TOUCHED, NetOperation.UNCHANGED),
        (Operation.UPDATE, None, RECORD, NetOperation.ADDED),
        (Operation.DELETE, RECORD, None, NetOperation.DELETED),
        (Operation.DELETE, None, None, NetOperation.UNCHANGED),
    ],
)
def test_the_net_operation_follows_from_what_is_live(operation, current, proposed, expected):
    assert net_operation(operation, current, proposed) is expected


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (None, None, NetOperation.UNCHANGED),
        (None, RECORD, NetOperation.ADDED),
        (RECORD, None, NetOperation.DELETED),
        (RECORD, OTHER, NetOperation.MODIFIED),
        (
            {"a": 1, "metadata": {"created_at": 1}},
            {"a": 1, "metadata": {"created_at": 2}},
            NetOperation.UNCHANGED,
        ),
    ],
)
def test_the_net_effect_looks_at_content_alone(before, after, expected):
    assert net_effect(before, after) is expected


def test_a_record_is_the_same_whatever_the_time_of_its_last_update():
    assert is_same(RECORD, TOUCHED)
    assert not is_same(RECORD, TOUCHED, ignoring=())
    assert not is_same(RECORD, None)
    assert is_same(None, None)


@pytest.mark.parametrize("step", ["diff-create", "diff-update"])
def test_recorded_diffs_come_out_the_same(step):
    (recorded,) = [found["response"] for found in golden("queue_scenario.json")[1:] if found["step"] == step]
    diffs = field_diffs(recorded["current_state"], recorded["proposed_state"])
    assert [
        {
            "field_path": diff.path,
            "old_value": diff.old,
            "new_value": diff.new,
            "change_type": diff.change_type,
        }
        for diff in diffs
    ] == recorded["field_diffs"]
    assert is_critical("image_generation", diffs) is recorded["is_critical"]
