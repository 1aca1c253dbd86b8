"""The legacy record types: what they take, keep and refuse."""

import json
from pathlib import Path

import pytest

from references.categories import CATEGORIES
from references.problems import RequestInvalid
from references.serializers import LEGACY_RECORD_TYPES, legacy_validate
from tests.recorded import legacy_dir

TYPES = {
    "image_generation": ["ckpt"],
    "clip": ["clip", "coca"],
    "blip": ["blip"],
    "codeformer": ["CodeFormers"],
    "controlnet": [
        "control_canny",
        "control_depth",
        "control_hed",
        "control_mlsd",
        "control_normal",
        "control_openpose",
        "control_fakescribbles",
        "control_scribble",
        "control_seg",
        "control_qr",
        "control_qr_xl",
        "control_lineart",
        "control_lineart_anime",
        "control_normal_bae",
        "control_recolor",
        "control_tile",
        "control_hough",
    ],
    "esrgan": ["realesrgan", "esrgan"],
    "gfpgan": ["gfpgan"],
    "safety_checker": ["safety_checker"],
    "miscellaneous": ["layer_diffuse"],
}
MINIMAL = {
    "image_generation": {"name": "N", "baseline": "stable diffusion 1"},
    "controlnet": {"name": "N", "type": "control_hed"},
    "text_generation": {"name": "N", "parameters": 7},
}


def make_minimal(category: str, **changes) -> dict:
    return {**MINIMAL.get(category, {"name": "N"}), **changes}


def problems_of(category: str, body: object) -> list[tuple]:
    with pytest.raises(RequestInvalid) as caught:
        legacy_validate(category, body)
    return [(problem["type"], problem["loc"]) for problem in caught.value.detail]


def source_of(category: str) -> Path:
    name = "text/db.json" if category == "text_generation" else f"image/{CATEGORIES[category].source}"
    return legacy_dir() / name


def test_every_category_with_a_legacy_form_has_a_legacy_record_type():
    assert set(LEGACY_RECORD_TYPES) == {spec.name for spec in CATEGORIES.values() if spec.has_legacy_form}
    assert LEGACY_RECORD_TYPES["image_generation"].__name__ == "LegacyStableDiffusionRecord"


@pytest.mark.parametrize("category", LEGACY_RECORD_TYPES)
def test_every_real_record_comes_back_as_it_is(category: str):
    records = json.loads(source_of(category).read_text(encoding="utf-8"))
    assert records
    for record in records.values():
        assert json.dumps(legacy_validate(category, record)) == json.dumps(record)


@pytest.mark.parametrize("category", LEGACY_RECORD_TYPES)
def test_what_is_absent_stays_absent_and_what_is_null_stays_null(category: str):
    body = {"description": None, **make_minimal(category), "nsfw": None}
    assert legacy_validate(category, body) == body
    assert list(legacy_validate(category, body)) == list(body)


@pytest.mark.parametrize(
    ("category", "kind"), [(name, kind) for name, kinds in TYPES.items() for kind in kinds]
)
def test_every_type_in_use_is_accepted(category: str, kind: str):
    assert legacy_validate(category, make_minimal(category, type=kind))["type"] == kind


@pytest.mark.parametrize("category", TYPES)
def test_other_types_are_refused(category: str):
    with pytest.raises(RequestInvalid) as caught:
        legacy_validate(category, make_minimal(category, type="zzz"))
    [problem] = caught.value.detail
    assert (problem["type"], problem["loc"]) == ("literal_error", ["body", "type"])
    assert TYPES[category][0] in problem["ctx"]["expected"]


def test_text_models_are_of_any_type():
    assert legacy_validate("text_generation", make_minimal("text_generation", type="zzz"))["type"] == "zzz"


@pytest.mark.parametrize(
    ("category", "missing"),
    [
        ("image_generation", ["name", "baseline"]),
        ("controlnet", ["name", "type"]),
        ("text_generation", ["name", "parameters"]),
        ("clip", ["name"]),
    ],
)
def test_an_empty_record_misses_what_is_required(category: str, missing: list[str]):
    assert sorted(problems_of(category, {})) == sorted(("missing", ["body", name]) for name in missing)


@pytest.mark.parametrize(
    ("category", "sent", "kept"),
    [
        ("image_generation", {"baseline": "stable_diffusion_1"}, {"baseline": "stable diffusion 1"}),
        ("image_generation", {"baseline": "SDXL"}, {"baseline": "stable_diffusion_xl"}),
        ("image_generation", {"baseline": "stable diffusion 2"}, {"baseline": "stable diffusion 2"}),
        ("image_generation", {"baseline": "stable_diffusion_2_512"}, {"baseline": "stable diffusion 2 512"}),
        ("image_generation", {"nsfw": "yes", "inpainting": 0}, {"nsfw": True, "inpainting": False}),
        ("image_generation", {"min_bridge_version": "5"}, {"min_bridge_version": 5}),
        ("image_generation", {"tags": [" a ", "a"]}, {"tags": [" a ", "a"]}),
        ("image_generation", {"own": {"deep": [1, None, 1.5]}}, {"own": {"deep": [1, None, 1.5]}}),
        ("miscellaneous", {"baseline": "stable diffusion 1"}, {"baseline": "stable diffusion 1"}),
        ("clip", {"config": None}, {"config": {}}),
        ("clip", {"config": {"files": [], "odd": 1}}, {"config": {"files": [], "odd": 1}}),
        (
            "clip",
            {"config": {"files": [{"odd": 1, "path": "p", "md5sum": None, "sha256sum": "Ab" * 32}]}},
            {"config": {"files": [{"odd": 1, "path": "p", "sha256sum": "Ab" * 32}]}},
        ),
        (
            "clip",
            {"config": {"download": [{"file_url": None, "file_path": None}, {"file_path": "x"}]}},
            {"config": {"download": [{"file_path": ""}, {"file_path": "x"}]}},
        ),
        (
            "clip",
            {"config": {"files": [{"path": "p", "sha256sum": ""}]}},
            {"config": {"files": [{"path": "p", "sha256sum": ""}]}},
        ),
        ("text_generation", {"settings": {"top_k": 40}}, {"settings": {"top_k": 40}}),
    ],
)
def test_values_are_kept_in_their_normal_form(category: str, sent: dict, kept: dict):
    record = legacy_validate(category, make_minimal(category, **sent))
    assert record == make_minimal(category, **kept)


@pytest.mark.parametrize(
    ("category", "sent", "problems"),
    [
        ("image_generation", {"baseline": "zzz"}, [("value_error", ["baseline"])]),
        ("image_generation", {"baseline": None}, [("string_type", ["baseline"])]),
        ("image_generation", {"inpainting": None}, [("bool_type", ["inpainting"])]),
        ("image_generation", {"size_on_disk_bytes": -1}, [("greater_than_equal", ["size_on_disk_bytes"])]),
        (
            "image_generation",
            {"showcases": ["https://example.com/a.webp", "https://HuggingFace.co/b.webp"]},
            [("value_error", ["showcases", 1])],
        ),
        ("image_generation", {"requirements": {"x": {}}}, [("value_error", ["requirements", "x"])]),
        ("controlnet", {"type": None}, [("literal_error", ["type"])]),
        ("clip", {"config": []}, [("model_attributes_type", ["config"])]),
        ("clip", {"config": {"files": [{}]}}, [("missing", ["config", "files", 0, "path"])]),
        (
            "clip",
            {"config": {"files": [{"path": "p", "sha256sum": "abc"}]}},
            [("string_pattern_mismatch", ["config", "files", 0, "sha256sum"])],
        ),
        (
            "clip",
            {"config": {"download": [{"file_name": 1}]}},
            [("string_type", ["config", "download", 0, "file_name"])],
        ),
        ("text_generation", {"parameters": 0}, [("greater_than", ["parameters"])]),
        ("text_generation", {"parameters": None}, [("int_type", ["parameters"])]),
        ("text_generation", {"settings": {"zzz": 1}}, [("value_error", ["settings", "zzz"])]),
        ("clip", {"own": float("inf"), "nsfw": "x"}, [("bool_parsing", ["nsfw"]), ("value_error", ["own"])]),
        ("clip", {"own": "\ud800"}, [("value_error", ["own"])]),
        ("clip", {"config": {"own": {"\ud800": 1}}}, [("value_error", ["config", "own"])]),
    ],
)
def test_bad_values_are_refused_where_they_stand(category: str, sent: dict, problems: list):
    expected = [(kind, ["body", *path]) for kind, path in problems]
    assert problems_of(category, make_minimal(category, **sent)) == expected


def test_a_member_nested_too_deeply_is_refused():
    deep: list = []
    for _ in range(40):
        deep = [deep]
    assert problems_of("clip", {"name": "N", "own": deep}) == [("value_error", ["body", "own"])]


@pytest.mark.parametrize(
    ("body", "kind"), [(None, "missing"), ([], "model_attributes_type"), ("x", "model_attributes_type")]
)
def test_a_body_that_is_no_object_is_refused(body: object, kind: str):
    assert problems_of("clip", body) == [(kind, ["body"])]


def test_unknown_members_are_kept_while_testing(settings):
    settings.AI_HORDE_TESTING = True
    body = {"name": "N", "own": 1, "config": {"own": 2}}
    assert legacy_validate("clip", body) == body
