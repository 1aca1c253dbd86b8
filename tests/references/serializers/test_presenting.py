"""The form in which search shows a stored record, and the tree of fields it can be sorted by."""

import copy

import pytest

from references.categories import CATEGORIES
from references.serializers import record_presented, record_validate, schema_fields
from tests.recorded import golden
from tests.references.serializers.comparing import assert_holds


@pytest.mark.parametrize("category", ["image_generation", "text_generation"])
def test_records_are_shown_as_recorded(category: str):
    stored = golden("v2", f"{category}.json")
    answer = golden("analytics", f"popular_{category.removesuffix('_generation')}_default.json")["body"]
    assert answer
    for entry in answer:
        shown = record_presented(category, stored[entry["name"]])
        if category == "text_generation":
            assert shown.pop("parameters") == shown["parameters_count"]
        assert shown == entry["record"]


@pytest.mark.parametrize("category", [name for name, spec in CATEGORIES.items() if spec.has_legacy_form])
def test_showing_never_changes_what_is_stored(category: str):
    for stored in golden("v2", f"{category}.json").values():
        before = copy.deepcopy(stored)
        shown = record_presented(category, stored)
        assert stored == before
        assert shown is not stored, "a recorded record must fit its schema"
        assert_holds(shown, stored)


def test_stored_spellings_are_shown_as_they_are():
    stored = {"name": "N", "baseline": "SDXL", "nsfw": "no", "tags": [" a ", "a"], "style": "anime "}
    shown = record_presented("image_generation", stored)
    assert {name: shown[name] for name in stored} == stored
    assert shown["inpainting"] is False


def test_defaults_are_filled_in_and_nulls_left_out_at_every_level():
    stored = {
        "name": "N",
        "description": None,
        "metadata": {"created_at": 1, "created_by": None},
        "config": {"download": [{"file_name": "f", "file_url": "u", "content_hash": None}]},
    }
    assert record_presented("clip", stored) == {
        "record_type": "clip",
        "name": "N",
        "metadata": {"schema_version": "2.0.0", "created_at": 1},
        "config": {"download": [{"file_name": "f", "file_url": "u", "sha256sum": "FIXME"}]},
        "model_classification": {"domain": "image", "purpose": "feature_extractor"},
    }


def test_members_no_schema_knows_are_shown_last(settings):
    settings.AI_HORDE_TESTING = True
    stored = {"extra": {"deep": None}, "name": "N", "config": {"odd": 1, "download": []}, "gone": None}
    shown = record_presented("clip", stored)
    assert list(shown)[-1] == "extra"
    assert shown["extra"] == {"deep": None}
    assert shown["config"] == {"download": [], "odd": 1}
    assert "gone" not in shown


@pytest.mark.parametrize(
    "stored",
    [
        {"name": "N", "baseline": "removed", "nsfw": False},
        {"name": "N"},
        {"name": "N", "baseline": "infer", "nsfw": False, "config": []},
    ],
)
def test_a_record_that_fails_its_schema_is_shown_unchanged(stored: dict):
    assert record_presented("image_generation", stored) is stored


def test_the_parameter_count_is_shown_under_both_names():
    shown = record_presented("text_generation", {"name": "N", "parameters": 7})
    assert (shown["parameters"], shown["parameters_count"]) == (7, 7)


def test_schema_fields_tell_objects_from_values():
    fields = schema_fields("image_generation")
    assert fields["size_on_disk_bytes"] is None
    assert fields["tags"] is None
    assert fields["requirements"] == {}
    assert fields["model_classification"] == {"domain": None, "purpose": None}
    assert fields["config"] == {"download": None, "embedded_component_hashes": {}}
    assert fields["metadata"]["updated_at"] is None
    assert fields["finetune_series"]["homepage"] is None


def test_schema_fields_name_what_a_category_has():
    text = schema_fields("text_generation")
    assert text["parameters"] is None
    assert text["parameters_count"] is None
    assert text["settings"] == {}
    assert "inpainting" not in text
    having_tags = [category for category in CATEGORIES if "tags" in schema_fields(category)]
    assert having_tags == [
        "image_generation",
        "text_generation",
        "video_generation",
        "audio_generation",
        "lora",
        "ti",
    ]


@pytest.mark.parametrize("category", CATEGORIES)
def test_every_member_of_a_stored_record_is_a_schema_field(category: str):
    full = {"name": "N", "parameters": 1, "baseline": "infer", "nsfw": False}
    assert record_validate(category, full).keys() <= schema_fields(category).keys()
