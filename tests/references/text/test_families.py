"""Detecting families of groups."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from references.text import families_detect
from tests.recorded import golden

pieces = st.sampled_from(["A", "Bb", "Ccc", "Dddd", ""])
model_names = st.lists(st.lists(pieces, min_size=1, max_size=5).map("-".join), max_size=20)


def detected(names, **options):
    answer = families_detect(names, aliases={}, **options)
    return {family["family_name"]: family["members"] for family in answer["suggestions"]}


@pytest.mark.parametrize(
    ("file", "options"),
    [
        ("families_detect.json", {}),
        ("families_detect_4_3.json", {"min_prefix_length": 4, "min_family_size": 3}),
    ],
)
def test_recorded_families(file, options):
    names = golden("v2", "text_generation.json")
    assert families_detect(names, aliases={}, **options) == golden("text_utils", file)["body"]


def test_aliases_merge_groups_before_detection():
    names = golden("v2", "text_generation.json")
    aliases = {"Llama-3-Lumimaid": "Lumimaid", "Llama-3-Lumimaid-OAS": "Lumimaid"}
    assert families_detect(names, aliases=aliases)["total_groups_analyzed"] == 417


def test_an_alias_is_resolved_once():
    assert detected(["Foo-7B", "Abc-Qux"]) == {}
    merged = families_detect(["Foo-7B", "Abc-Qux"], aliases={"Foo": "Abc-Bar", "Abc-Bar": "Baz"})
    assert merged["suggestions"] == [{"family_name": "Abc", "members": ["Abc-Bar", "Abc-Qux"]}]


def test_no_names():
    assert families_detect([], aliases={}) == {
        "suggestions": [],
        "total_groups_analyzed": 0,
        "groups_in_families": 0,
        "standalone_groups": 0,
    }


def test_models_of_one_group_are_no_family():
    assert detected(["Org/Foo-Bar-7B", "aphrodite/Org/Foo-Bar-70B", "koboldcpp/Foo-Bar-7B"]) == {}


def test_the_longest_prefix_claims_first():
    names = ["Foo-Bar-A", "Foo-Bar-C", "Foo-D", "Foo-E"]
    assert detected(names) == {"Foo": ["Foo-D", "Foo-E"], "Foo-Bar": ["Foo-Bar-A", "Foo-Bar-C"]}


def test_what_is_left_unclaimed_must_still_be_enough():
    assert detected(["Foo-Bar-A", "Foo-Bar-C", "Foo-D"]) == {"Foo-Bar": ["Foo-Bar-A", "Foo-Bar-C"]}


def test_a_group_is_not_under_itself():
    assert detected(["Foo", "Foo-Mini"]) == {}


@pytest.mark.parametrize(("length", "families"), [(2, {"Ab": ["Ab-C", "Ab-D"]}), (3, {})])
def test_short_prefixes_do_not_count(length, families):
    assert detected(["Ab-C", "Ab-D"], min_prefix_length=length) == families


@settings(deadline=None)
@given(names=model_names, length=st.integers(2, 8), size=st.integers(2, 5))
def test_families_are_disjoint_large_enough_and_share_their_prefix(names, length, size):
    answer = families_detect(names, aliases={}, min_prefix_length=length, min_family_size=size)
    members = [member for family in answer["suggestions"] for member in family["members"]]
    assert len(members) == len(set(members)) == answer["groups_in_families"]
    assert answer["standalone_groups"] + len(members) == answer["total_groups_analyzed"]
    for family in answer["suggestions"]:
        assert len(family["members"]) >= size
        assert len(family["family_name"]) >= length
        assert all(member.startswith(family["family_name"] + "-") for member in family["members"])
        assert family["members"] == sorted(family["members"])
