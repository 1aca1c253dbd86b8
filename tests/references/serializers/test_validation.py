"""The stored form of a record, and what it takes to add a category."""

from dataclasses import replace

import pytest

from references.categories import CATEGORIES
from references.problems import RequestInvalid
from references.serializers import RECORD_TYPES, record_presented, record_validate, schema_fields
from references.serializers.fields import IntegerField
from references.serializers.records import GenericModelRecord

FULL_IMAGE = {
    "requirements": {"clip_skip": 2},
    "style": "anime",
    "nsfw": True,
    "homepage": "h",
    "trigger": ["t"],
    "min_bridge_version": 5,
    "showcases": ["s"],
    "tags": ["g"],
    "optimization": "lightning",
    "baseline": "SDXL",
    "inpainting": True,
    "size_on_disk_bytes": 10,
    "model_classification": {"purpose": "generation", "domain": "image"},
    "config": {
        "embedded_component_hashes": {"vae": "a"},
        "download": [
            {
                "size_bytes": 1,
                "known_slow_download": True,
                "file_purpose": "vae",
                "content_hash": "c",
                "sha256sum": "s",
                "file_url": "u",
                "file_name": "f",
            }
        ],
    },
    "metadata": {
        "updated_by": "b",
        "created_by": "a",
        "updated_at": 2,
        "created_at": 1,
        "schema_version": "2.0.0",
    },
    "finetune_series": {"homepage": "h", "description": "d", "author": "a", "version": "1", "name": "S"},
    "version": "1",
    "description": "d",
    "name": "N",
    "record_type": "image_generation",
}


def test_members_are_stored_in_declared_order():
    record = record_validate("image_generation", FULL_IMAGE)
    assert list(record) == [
        "record_type",
        "name",
        "description",
        "version",
        "finetune_series",
        "metadata",
        "config",
        "model_classification",
        "size_on_disk_bytes",
        "inpainting",
        "baseline",
        "optimization",
        "tags",
        "showcases",
        "min_bridge_version",
        "trigger",
        "homepage",
        "nsfw",
        "style",
        "requirements",
    ]
    assert list(record["metadata"]) == [
        "schema_version",
        "created_at",
        "updated_at",
        "created_by",
        "updated_by",
    ]
    assert list(record["config"]) == ["download", "embedded_component_hashes"]
    assert list(record["config"]["download"][0]) == [
        "file_name",
        "file_url",
        "sha256sum",
        "content_hash",
        "file_purpose",
        "known_slow_download",
        "size_bytes",
    ]
    assert record == {**FULL_IMAGE, "baseline": "stable_diffusion_xl"}


def test_text_members_are_stored_in_declared_order():
    names = ["text_model_group", "settings", "instruct_format", "tags", "url", "display_name", "style"]
    body = {name: {} if name == "settings" else [] if name == "tags" else "x" for name in names}
    record = record_validate("text_generation", {**body, "parameters": 1, "baseline": "b", "name": "N"})
    assert list(record) == [
        "record_type",
        "name",
        "metadata",
        "config",
        "model_classification",
        "baseline",
        "parameters",
        "nsfw",
        "style",
        "display_name",
        "url",
        "tags",
        "instruct_format",
        "settings",
        "text_model_group",
    ]


def test_the_minimal_image_is_stored_with_its_defaults_written_out():
    body = {"name": "New Model", "baseline": "stable_diffusion_xl", "nsfw": False}
    record = record_validate("image_generation", body)
    assert record == {
        "record_type": "image_generation",
        "name": "New Model",
        "metadata": {"schema_version": "2.0.0"},
        "config": {"download": []},
        "model_classification": {"domain": "image", "purpose": "generation"},
        "inpainting": False,
        "baseline": "stable_diffusion_xl",
        "tags": [],
        "showcases": [],
        "trigger": [],
        "nsfw": False,
    }


def test_records_share_no_objects():
    first, second = (record_validate("image_generation", {**FULL_IMAGE, "tags": None}) for _ in range(2))
    first["tags"].append("x")
    first["config"]["download"].clear()
    first["model_classification"]["domain"] = "text"
    assert second["tags"] == []
    assert len(second["config"]["download"]) == 1
    assert record_validate("clip", {"name": "N"})["model_classification"]["domain"] == "image"


def test_another_root_is_used_for_locations():
    with pytest.raises(RequestInvalid) as caught:
        record_validate("clip", {}, root="payload")
    assert caught.value.detail[0]["loc"] == ["payload", "name"]


@pytest.fixture
def smell_category(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setitem(CATEGORIES, "smell", replace(CATEGORIES["clip"], name="smell"))
    monkeypatch.setitem(RECORD_TYPES, "smell", None)

    class SmellModelRecord(GenericModelRecord):
        """A model that smells."""

        category = "smell"

        strength = IntegerField(default=3, max_value=5)

    return "smell"


def test_a_category_needs_one_entry_and_one_class(smell_category: str):
    record = record_validate(smell_category, {"name": "rose"})
    assert record == {
        "record_type": "smell",
        "name": "rose",
        "metadata": {"schema_version": "2.0.0"},
        "config": {"download": []},
        "model_classification": {"domain": "image", "purpose": "feature_extractor"},
        "strength": 3,
    }
    assert record_presented(smell_category, {"name": "rose"})["strength"] == 3
    assert schema_fields(smell_category)["strength"] is None
    with pytest.raises(RequestInvalid) as caught:
        record_validate(smell_category, {"name": "rose", "strength": 6, "record_type": "clip"})
    assert [problem["loc"][1] for problem in caught.value.detail] == ["record_type", "strength"]


def test_the_added_category_is_gone_again():
    assert "smell" not in RECORD_TYPES
    assert RECORD_TYPES.keys() == CATEGORIES.keys()
