"""Groups over recorded records, and the cases the recorded data does not hold."""

import pytest

from references.text import (
    distinct_baselines,
    group_detail,
    group_inferred_schema,
    group_members,
    group_name,
    groups_list,
    groups_summary,
    legacy_summaries,
)
from tests.recorded import golden

CUSTOM_SCHEMA = {
    "separator": "_",
    "part_order": ["base", "size"],
    "author_included": True,
    "common_author": None,
    "template": None,
    "extra_parts": ["date"],
}


def make_record(name, **fields):
    return {"name": name, "text_model_group": group_name(name), **fields}


@pytest.fixture
def records():
    return list(golden("v2", "text_generation.json").values())


def test_recorded_groups(records):
    assert groups_list(records) == golden("text_utils", "groups.json")["body"]


def test_recorded_summary(records):
    answer = groups_summary(records, aliases={}, families={}, schemas={})
    recorded = golden("text_utils", "groups_summary.json")["body"]
    assert answer == recorded
    assert list(answer) == list(recorded)
    assert list(answer["groups"][0]) == list(recorded["groups"][0])


def test_recorded_baselines(records):
    assert distinct_baselines(records) == golden("text_utils", "distinct_baselines.json")["body"]


def test_recorded_group_details(records):
    for name, answer in golden("text_utils", "group_by_name.json").items():
        detail = group_detail(name, records)
        assert detail == answer["body"], name
        assert list(detail) == list(answer["body"]), name


def test_recorded_inferred_schemas(records):
    for name, answer in golden("text_utils", "group_name_schema.json").items():
        assert group_inferred_schema(name, records) == answer["body"]["name_schema"], name


def test_recorded_legacy_summaries():
    recorded = golden("v1", "text_generation.include_group.json")
    summaries = legacy_summaries(recorded)
    for name, entry in recorded.items():
        assert group_name(name) == entry["text_model_group"], name
        assert summaries[entry["text_model_group"]] == entry["text_model_group_summary"], name


def test_records_without_a_group_belong_nowhere():
    records = [
        {"name": "A"},
        {"name": "B", "text_model_group": ""},
        {"name": "C", "text_model_group": None},
        {"name": "D", "text_model_group": 7},
        {"name": "E", "text_model_group": "b"},
        {"name": "F", "text_model_group": "B"},
    ]
    assert groups_list(records) == {"groups": ["B", "b"]}
    assert group_members("", records) == []
    assert group_detail("", records) is None
    assert groups_summary(records, aliases={}, families={}, schemas={})["total_models"] == 2


def test_stored_groups_count_not_computed_ones():
    records = [{"name": "Foo-7B", "text_model_group": "Bar"}]
    assert groups_list(records) == {"groups": ["Bar"]}
    assert group_detail("Foo", records) is None


def test_baselines_are_trimmed_and_blank_ones_dropped():
    values = [" b ", "a", "", "  ", None, 7, "b"]
    records = [make_record(f"Foo-{i}B", baseline=value) for i, value in enumerate(values)]
    assert distinct_baselines([*records, {"name": "x"}]) == {"baselines": ["a", "b"]}


def test_backend_duplicates_are_listed_but_decide_nothing():
    records = [
        make_record("Org/Foo-7B", nsfw=False, description=""),
        make_record("koboldcpp/Foo-70B-Q8_0", nsfw=True, description="x"),
    ]
    detail = group_detail("Foo", records)
    assert [(m["is_backend_duplicate"], m["backend_prefix"]) for m in detail["members"]] == [
        (False, None),
        (True, "koboldcpp"),
    ]
    assert [m["parsed"]["base_name"] for m in detail["members"]] == ["Org/Foo", "Foo"]
    assert detail["common_fields"] == {"description": "", "nsfw": False}
    assert (detail["available_sizes"], detail["size_usage"]) == (["7B"], {"7B": 1})
    assert (detail["available_quants"], detail["quant_usage"]) == ([None], {})
    assert detail["name_format"]["common_author"] == "Org"
    assert (detail["canonical_count"], detail["backend_duplicate_count"]) == (1, 1)


def test_a_group_of_backend_duplicates_alone():
    records = [make_record("koboldcpp/Foo-70B")]
    detail = group_detail("Foo", records)
    assert (detail["canonical_count"], detail["backend_duplicate_count"]) == (0, 1)
    assert (detail["common_fields"], detail["available_variants"]) == ({}, [])
    assert detail["name_format"]["template"] == "{base}-{size}"
    assert group_inferred_schema("Foo", records) is None


def test_common_fields_take_empty_values_but_no_nulls():
    fields = {"baseline": "", "nsfw": False, "tags": [], "style": None, "url": "x"}
    records = [make_record("Foo-7B", **fields), make_record("Foo-8B", **fields | {"url": "y"})]
    assert group_detail("Foo", records)["common_fields"] == {"baseline": "", "nsfw": False, "tags": []}


def test_missing_values_of_a_member_are_null_and_empty_ones_kept():
    member = group_detail("Foo", [make_record("Foo-7B", url="")])["members"][0]
    assert (member["url"], member["baseline"], member["parameters"]) == ("", None, None)


def test_a_stored_schema_replaces_the_inferred_format():
    detail = group_detail("Foo", [make_record("Foo-7B")], schema=CUSTOM_SCHEMA)
    assert detail["name_schema_is_custom"] is True
    assert detail["name_format"] == CUSTOM_SCHEMA | {"template": ""}


def test_family_and_exceptions_of_a_group():
    records = [
        make_record("Foo-7B", name_schema_exception="odd"),
        make_record("Foo-8B", name_schema_exception=""),
        make_record("koboldcpp/Foo-9B", name_schema_exception="prefixed"),
    ]
    detail = group_detail("Foo", records, family=("Fam", ["Bar", "Foo"]))
    assert detail["exception_members"] == [{"name": "Foo-7B", "reason": "odd"}]
    assert detail["related_family"] == {"family_name": "Fam", "members": ["Bar", "Foo"]}


def test_summary_sorts_sizes_as_text():
    records = [make_record(f"Foo-{size}B") for size in (8, 12, 123, 70)]
    summary = groups_summary(records, aliases={}, families={}, schemas={})
    assert summary["groups"][0]["available_sizes"] == ["123B", "12B", "70B", "8B"]


def test_summary_labels_aliases_families_and_schemas():
    records = [make_record("Bar-7B"), make_record("Foo-7B"), make_record("Foo-Old-7B"), make_record("Baz-7B")]
    summary = groups_summary(
        records,
        aliases={"Foo": ["Foo-Old", "Foo-Older"], "Bar": [], "Foo-Old": ["Baz"]},
        families={"Fam": ["Bar", "Foo"]},
        schemas={"Foo": CUSTOM_SCHEMA},
    )
    labels = {
        g["group_name"]: (g["family_name"], g["has_custom_schema"], g["alias_canonical"], g["aliases"])
        for g in summary["groups"]
    }
    assert labels == {
        "Bar": ("Fam", False, None, []),
        "Baz": (None, False, "Foo-Old", []),
        "Foo": ("Fam", True, None, ["Foo-Old", "Foo-Older"]),
        "Foo-Old": (None, True, "Foo", []),
    }
    assert (summary["groups_with_families"], summary["groups_with_aliases"]) == (2, 3)
    assert (summary["total_groups"], summary["total_models"], summary["groups_with_issues"]) == (4, 4, 4)


def test_legacy_summary_of_differing_entries():
    entries = {
        "Org/Foo-7B-Q8_0": {"baseline": "a", "tags": ["z", "b"], "description": ""},
        "koboldcpp/Foo-70B": {"baseline": "b", "tags": ["a"], "nsfw": True, "description": "d"},
        "Foo-123B": {"baseline": ""},
    }
    summary = legacy_summaries(entries)["Foo"]
    assert summary.pop("name_format")["template"] == "{author}/{base}-{size}-{quant}"
    assert summary == {
        "member_count": 3,
        "available_sizes": ["123B", "70B", "7B"],
        "available_quants": ["Q8_0"],
        "common_baseline": None,
        "any_nsfw": True,
        "any_has_description": True,
        "merged_tags": ["a", "b", "z"],
    }
