"""Single records of the image repository's categories, both ways."""

import json
from typing import Any

import pytest

from references.legacy import (
    LEGACY_TYPES,
    RecordError,
    category_dump,
    entry_dump,
    legacy_from_record,
    legacy_normalised,
    legacy_overlay,
    record_from_legacy,
)

HASH = "A" * 64

IMAGE = {
    "name": "painter",
    "baseline": "stable diffusion 2",
    "type": "ckpt",
    "tags": [" anime "],
    "style": " anime ",
    "download_all": True,
    "config": {
        "files": [
            {"path": "v2.yaml"},
            {"path": "painter.ckpt", "md5sum": "m1", "sha256sum": HASH},
            {"path": "civitai.vae", "sha256sum": "", "file_type": "vae", "content_hash": "c"},
        ],
        "download": [
            {"file_name": "civitai.vae", "file_path": "there", "file_url": None},
            {"file_name": "painter.ckpt", "file_path": "", "file_url": "https://example.com/p", "odd": 1},
            {"file_name": "v2.yaml", "file_url": "https://example.com/y"},
        ],
        "embedded_component_hashes": {"vae": "abc"},
        "remark": "kept",
    },
    "available": False,
    "features_not_supported": ["hires_fix"],
    "min_bridge_version": "5",
    "curator": "Ada",
}
IMAGE_RECORD = {
    "name": "painter",
    "config": {
        "download": [
            {
                "file_name": "painter.ckpt",
                "file_url": "https://example.com/p",
                "sha256sum": HASH,
                "known_slow_download": False,
            },
            {
                "file_name": "civitai.vae",
                "file_url": "",
                "sha256sum": "FIXME",
                "content_hash": "c",
                "file_purpose": "vae",
                "known_slow_download": True,
            },
        ],
        "embedded_component_hashes": {"vae": "abc"},
    },
    "baseline": "stable_diffusion_2_768",
    "tags": ["anime"],
    "showcases": [],
    "min_bridge_version": 5,
    "trigger": [],
    "nsfw": False,
    "style": "anime",
    "metadata": {},
}


def overlay(**changes: Any) -> dict:
    """IMAGE after its v2 record changed; a change to None takes the field away."""
    after = {field: value for field, value in {**IMAGE_RECORD, **changes}.items() if value is not None}
    return legacy_overlay("image_generation", IMAGE, IMAGE_RECORD, after)


def test_an_image_record_is_converted_field_by_field():
    record, _ = record_from_legacy("image_generation", "painter", IMAGE)
    assert json.dumps(record) == json.dumps(IMAGE_RECORD)


@pytest.mark.parametrize(
    ("spelling", "expected"),
    [
        ("stable diffusion 1", "stable_diffusion_1"),
        ("stable_diffusion_1", "stable_diffusion_1"),
        ("stable diffusion 2", "stable_diffusion_2_768"),
        ("stable diffusion 2 512", "stable_diffusion_2_512"),
        ("stable_diffusion_xl", "stable_diffusion_xl"),
        ("SDXL", "stable_diffusion_xl"),
        ("flux_1", "flux_1"),
        ("qwen", "qwen_image"),
    ],
)
def test_a_baseline_is_known_by_every_spelling(spelling, expected):
    legacy = {"name": "x", "baseline": spelling}
    assert record_from_legacy("image_generation", "x", legacy)[0]["baseline"] == expected


@pytest.mark.parametrize(
    ("given", "expected"), [(None, False), (True, True), ("True", True), ("no", False), (1, True), (0, False)]
)
def test_truth_is_read_as_hand_edited_files_write_it(given, expected):
    legacy = {"name": "x", "baseline": "flux_1", "nsfw": given, "inpainting": given}
    record, _ = record_from_legacy("image_generation", "x", legacy)
    assert record["nsfw"] is expected
    assert record.get("inpainting") is (True if expected else None)


def test_whole_numbers_are_read_as_hand_edited_files_write_them():
    legacy = {"name": "x", "baseline": "flux_1", "size_on_disk_bytes": 5e9, "min_bridge_version": "11"}
    record, _ = record_from_legacy("image_generation", "x", legacy)
    assert json.dumps([record["size_on_disk_bytes"], record["min_bridge_version"]]) == "[5000000000, 11]"


@pytest.mark.parametrize(
    ("category", "fields", "classification", "extra"),
    [
        ("blip", {}, ("image", "feature_extractor"), {}),
        ("clip", {"pretrained_name": "p"}, ("image", "feature_extractor"), {"pretrained_name": "p"}),
        ("codeformer", {}, ("image", "post_processing"), {}),
        ("esrgan", {"type": "esrgan"}, ("image", "post_processing"), {}),
        ("gfpgan", {}, ("image", "post_processing"), {}),
        ("safety_checker", {}, ("image", "safety_checker"), {}),
        ("miscellaneous", {"baseline": "stable diffusion 1"}, ("image", "miscellaneous"), {}),
        (
            "controlnet",
            {"type": "control_qr", "style": "other"},
            ("image", "auxiliary_or_patch"),
            {"controlnet_style": "control_qr"},
        ),
        (
            "controlnet",
            {"style": "control_seg"},
            ("image", "auxiliary_or_patch"),
            {"controlnet_style": "control_seg"},
        ),
    ],
)
def test_small_categories_keep_what_version_2_has_a_place_for(category, fields, classification, extra):
    legacy = {"name": "x", "version": "1", "nsfw": True, "download_all": True, "available": True, **fields}
    record, _ = record_from_legacy(category, "x", legacy)
    domain, purpose = classification
    assert json.dumps(record) == json.dumps(
        {
            "record_type": category,
            "name": "x",
            "version": "1",
            "metadata": {"schema_version": "2.0.0"},
            "config": {"download": []},
            "model_classification": {"domain": domain, "purpose": purpose},
            **extra,
        }
    )


def test_a_new_image_record_gets_the_fields_hand_written_ones_have():
    record = {
        **IMAGE_RECORD,
        "record_type": "image_generation",
        "description": "Paints.",
        "inpainting": True,
        "showcases": ["https://example.com/1"],
        "finetune_series": {"name": "s"},
        "size_on_disk_bytes": 7,
        "requirements": {"clip_skip": 2},
    }
    assert json.dumps(legacy_from_record("image_generation", record)) == json.dumps(
        {
            "name": "painter",
            "baseline": "stable diffusion 2",
            "type": "ckpt",
            "inpainting": True,
            "description": "Paints.",
            "tags": ["anime"],
            "showcases": ["https://example.com/1"],
            "style": "anime",
            "nsfw": False,
            "download_all": False,
            "requirements": {"clip_skip": 2},
            "config": {
                "files": [
                    {"path": "painter.ckpt", "sha256sum": HASH},
                    {"path": "civitai.vae", "file_type": "vae", "content_hash": "c"},
                ],
                "download": [
                    {"file_name": "painter.ckpt", "file_path": "", "file_url": "https://example.com/p"},
                    {"file_name": "civitai.vae", "file_path": "", "file_url": ""},
                ],
                "embedded_component_hashes": {"vae": "abc"},
            },
            "available": False,
            "size_on_disk_bytes": 7,
            "min_bridge_version": 5,
        }
    )


def test_a_new_image_record_with_little_to_say_is_short():
    record = {"name": "x", "baseline": "flux_1", "nsfw": True, "inpainting": False, "tags": []}
    assert json.dumps(legacy_from_record("image_generation", record)) == json.dumps(
        {
            "name": "x",
            "baseline": "flux_1",
            "type": "ckpt",
            "inpainting": False,
            "nsfw": True,
            "download_all": False,
            "config": {"files": [], "download": []},
            "available": False,
        }
    )


@pytest.mark.parametrize(
    ("category", "kind"),
    [
        ("blip", "blip"),
        ("clip", "clip"),
        ("codeformer", "CodeFormers"),
        ("esrgan", "realesrgan"),
        ("gfpgan", "gfpgan"),
        ("safety_checker", "safety_checker"),
        ("miscellaneous", "layer_diffuse"),
        ("controlnet", "control_qr"),
    ],
)
def test_a_new_small_record_has_the_type_of_its_category(category, kind):
    record = {"name": "x", "description": "d", "controlnet_style": "control_qr"}
    assert json.dumps(legacy_from_record(category, record)) == json.dumps(
        {
            "name": "x",
            "type": kind,
            "description": "d",
            "config": {"files": [], "download": []},
            "available": False,
        }
    )


def test_types_that_occur_in_real_files_are_known():
    assert LEGACY_TYPES["esrgan"] == ("realesrgan", "esrgan")
    assert LEGACY_TYPES["clip"] == ("clip", "coca")
    assert "control_hough" in LEGACY_TYPES["controlnet"]


def test_an_overlay_without_change_is_the_shadow_and_leaves_its_arguments_alone():
    before = json.dumps([IMAGE, IMAGE_RECORD])
    assert json.dumps(overlay()) == json.dumps(IMAGE)
    assert json.dumps(overlay(metadata={"updated_at": 5}, inpainting=False)) == json.dumps(IMAGE)
    overlay(nsfw=True, config={"download": []})
    assert json.dumps([IMAGE, IMAGE_RECORD]) == before


def test_a_new_field_goes_where_hand_written_records_have_it():
    overlaid = overlay(description="Paints.", homepage="https://example.com", size_on_disk_bytes=7, nsfw=True)
    assert list(overlaid) == [
        "name",
        "baseline",
        "type",
        "description",
        "tags",
        "style",
        "homepage",
        "nsfw",
        "download_all",
        "config",
        "available",
        "features_not_supported",
        "size_on_disk_bytes",
        "min_bridge_version",
        "curator",
    ]
    assert (overlaid["description"], overlaid["nsfw"], overlaid["size_on_disk_bytes"]) == ("Paints.", True, 7)


@pytest.mark.parametrize(
    ("changes", "gone"),
    [
        ({"style": None}, "style"),
        ({"min_bridge_version": None}, "min_bridge_version"),
        ({"tags": []}, "tags"),
        ({"tags": None}, "tags"),
    ],
)
def test_what_is_taken_away_in_version_2_goes_from_version_1(changes, gone):
    assert overlay(**changes) == {field: value for field, value in IMAGE.items() if field != gone}


@pytest.mark.parametrize(("was", "now"), [(1, True), (True, 1), (2, 2.0), (0, False), ([1], [True])])
def test_a_value_of_another_kind_is_a_change_although_python_calls_it_equal(was, now):
    shadow = {**IMAGE, "requirements": {"clip_skip": was}}
    before = {**IMAGE_RECORD, "requirements": {"clip_skip": was}}
    after = {**IMAGE_RECORD, "requirements": {"clip_skip": now}}
    overlaid = legacy_overlay("image_generation", shadow, before, after)
    assert json.dumps(overlaid["requirements"]) == json.dumps({"clip_skip": now})


def test_inpainting_that_ends_is_written_as_false():
    shadow, before = {**IMAGE, "inpainting": True}, {**IMAGE_RECORD, "inpainting": True}
    assert legacy_overlay("image_generation", shadow, before, IMAGE_RECORD) == {**IMAGE, "inpainting": False}


def test_nulls_of_the_shadow_stay_until_their_field_changes():
    shadow = {"name": "x", "description": None, "version": None, "config": None}
    before = record_from_legacy("clip", "x", shadow)[0]
    overlaid = legacy_overlay("clip", shadow, before, {**before, "version": "2"})
    assert json.dumps(overlaid) == json.dumps(
        {"name": "x", "description": None, "version": "2", "config": None}
    )


def test_a_changed_style_of_a_controlnet_model_is_its_type():
    shadow = {"name": "x", "type": "control_qr", "style": "control_qr"}
    before = record_from_legacy("controlnet", "x", shadow)[0]
    changed = legacy_overlay("controlnet", shadow, before, {**before, "controlnet_style": "control_seg"})
    assert changed == {"name": "x", "type": "control_seg", "style": "control_qr"}
    without = {field: value for field, value in before.items() if field != "controlnet_style"}
    assert legacy_overlay("controlnet", shadow, before, without) == shadow


def test_downloads_that_change_keep_checksums_paths_extras_and_yaml_files():
    ckpt, vae = IMAGE_RECORD["config"]["download"]
    new = {"file_name": "lora.ckpt", "file_url": "https://example.com/l", "sha256sum": "FIXME"}
    config = {"download": [{**vae, "file_url": "https://example.com/v", "sha256sum": HASH}, new, ckpt]}
    assert overlay(config=config)["config"] == {
        "files": [
            {"path": "v2.yaml"},
            {"path": "civitai.vae", "sha256sum": HASH, "file_type": "vae", "content_hash": "c"},
            {"path": "lora.ckpt"},
            {"path": "painter.ckpt", "md5sum": "m1", "sha256sum": HASH},
        ],
        "download": [
            {"file_name": "civitai.vae", "file_path": "there", "file_url": "https://example.com/v"},
            {"file_name": "painter.ckpt", "file_path": "", "file_url": "https://example.com/p", "odd": 1},
            {"file_name": "v2.yaml", "file_url": "https://example.com/y"},
            {"file_name": "lora.ckpt", "file_path": "", "file_url": "https://example.com/l"},
        ],
        "remark": "kept",
    }


def test_details_of_a_download_that_are_taken_away_go():
    ckpt, vae = IMAGE_RECORD["config"]["download"]
    bare = {"file_name": vae["file_name"], "file_url": "", "sha256sum": "FIXME"}
    config = {"download": [{**ckpt, "sha256sum": "FIXME"}, bare], "embedded_component_hashes": {"vae": "abc"}}
    assert overlay(config=config)["config"] == {
        **IMAGE["config"],
        "files": [
            {"path": "v2.yaml"},
            {"path": "painter.ckpt", "md5sum": "m1"},
            {"path": "civitai.vae", "sha256sum": ""},
        ],
    }


def test_what_only_version_2_knows_of_a_download_does_not_show():
    ckpt, vae = IMAGE_RECORD["config"]["download"]
    config = {
        **IMAGE_RECORD["config"],
        "download": [{**ckpt, "size_bytes": 5}, {**vae, "known_slow_download": False}],
    }
    assert overlay(config=config) == IMAGE


def test_a_download_that_was_listed_without_a_file_gets_one_when_downloads_change():
    shadow = {"name": "x", "config": {"download": [{"file_name": "a", "file_url": "u"}]}}
    before = record_from_legacy("clip", "x", shadow)[0]
    after = {
        **before,
        "config": {"download": [{"file_name": "b", "file_url": ""}, *before["config"]["download"]]},
    }
    assert legacy_overlay("clip", shadow, before, after)["config"] == {
        "download": [
            {"file_name": "a", "file_url": "u"},
            {"file_name": "b", "file_path": "", "file_url": ""},
        ],
        "files": [{"path": "b"}, {"path": "a"}],
    }


def test_a_file_without_a_path_keeps_its_place_when_downloads_change():
    shadow = {"name": "x", "config": {"files": [{"note": "none"}, {"path": "a"}]}}
    before = {"name": "x", "config": {"download": [{"file_name": "a", "file_url": ""}]}}
    after = {"name": "x", "config": {"download": [{"file_name": "b", "file_url": ""}]}}
    assert legacy_overlay("clip", shadow, before, after)["config"]["files"] == [
        {"note": "none"},
        {"path": "b"},
    ]


def test_a_file_that_was_listed_without_a_download_gets_one_only_with_a_url():
    shadow = {"name": "x", "config": {"files": [{"path": "a"}]}}
    before = record_from_legacy("clip", "x", shadow)[0]
    download = before["config"]["download"][0]
    hashed = {**before, "config": {"download": [{**download, "sha256sum": HASH}]}}
    assert legacy_overlay("clip", shadow, before, hashed)["config"] == {
        "files": [{"path": "a", "sha256sum": HASH}],
        "download": [],
    }
    found = {**before, "config": {"download": [{**download, "file_url": "u"}]}}
    assert legacy_overlay("clip", shadow, before, found)["config"] == {
        "files": [{"path": "a"}],
        "download": [{"file_name": "a", "file_path": "", "file_url": "u"}],
    }


def test_files_of_the_same_path_share_a_url_and_keep_their_own_checksums():
    files = [{"path": "a", "sha256sum": "1", "md5sum": "m1"}, {"path": "a", "sha256sum": "2", "md5sum": "m2"}]
    shadow = {"name": "x", "config": {"files": files, "download": [{"file_name": "a", "file_url": "u"}]}}
    before = record_from_legacy("clip", "x", shadow)[0]
    downloads = before["config"]["download"]
    assert [(d["sha256sum"], d["file_url"]) for d in downloads] == [("1", "u"), ("2", "u")]
    after = {**before, "config": {"download": [downloads[0], {**downloads[1], "sha256sum": "1"}]}}
    assert legacy_overlay("clip", shadow, before, after)["config"]["files"] == [
        files[0],
        {"path": "a", "sha256sum": "1", "md5sum": "m2"},
    ]


def test_a_version_1_write_of_an_image_is_stored_in_order_without_nulls():
    body = {
        "curator": "Ada",
        "min_bridge_version": 5,
        "nsfw": True,
        "style": None,
        "note": None,
        "baseline": "stable_diffusion_1",
        "config": {
            "remark": "kept",
            "download": [
                {"file_url": "u", "file_name": "a", "file_path": None},
                {"file_name": "b", "file_path": "p"},
            ],
            "files": [{"path": "a", "md5sum": None}],
            "embedded_component_hashes": None,
        },
        "name": "x",
    }
    assert json.dumps(legacy_normalised("image_generation", body)) == json.dumps(
        {
            "name": "x",
            "baseline": "stable diffusion 1",
            "type": "ckpt",
            "inpainting": False,
            "nsfw": True,
            "config": {
                "files": [{"path": "a"}],
                "download": [
                    {"file_name": "a", "file_path": "", "file_url": "u"},
                    {"file_name": "b", "file_path": "p"},
                ],
                "remark": "kept",
            },
            "min_bridge_version": 5,
            "curator": "Ada",
        }
    )


def test_a_version_1_write_of_a_small_record_always_has_type_and_config():
    assert legacy_normalised("esrgan", {"name": "x", "config": None}) == {
        "name": "x",
        "type": "realesrgan",
        "config": {"files": [], "download": []},
    }
    assert legacy_normalised("esrgan", {"name": "x", "type": "esrgan"})["type"] == "esrgan"


def test_a_version_1_write_of_an_unknown_baseline_is_refused():
    with pytest.raises(RecordError) as refused:
        legacy_normalised("image_generation", {"name": "x", "baseline": "novel"})
    assert refused.value.code == "unknown_baseline"


def test_dumps_escape_indent_and_end_with_a_newline():
    assert category_dump({}) == "{}\n"
    entries = [("ä", {"b": ["\n}"], "c": {}}), ("z", {})]
    assert category_dump(entries) == (
        '{\n    "\\u00e4": {\n        "b": [\n            "\\n}"\n        ],\n'
        '        "c": {}\n    },\n    "z": {}\n}\n'
    )
    assert entry_dump("z", {}) == '    "z": {}'
    assert "{\n" + ",\n".join(entry_dump(*entry) for entry in entries) + "\n}\n" == category_dump(entries)
