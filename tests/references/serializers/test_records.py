"""What each record type stores for what is sent."""

import logging

import pytest

from references.categories import CATEGORIES
from references.serializers import RECORD_TYPES, record_type, record_validate
from references.vocabulary import IMAGE_BASELINES, TEXT_SETTINGS_KEYS, Domain, ImageStyle, Purpose
from tests.references.serializers.samples import DOWNLOAD, make_image, make_minimal


def test_every_category_has_its_record_type():
    assert RECORD_TYPES.keys() == CATEGORIES.keys()
    assert [record_type(name).__name__ for name in CATEGORIES] == [
        "ImageGenerationModelRecord",
        "TextGenerationModelRecord",
        "ClipModelRecord",
        "ControlNetModelRecord",
        "BlipModelRecord",
        "EsrganModelRecord",
        "GfpganModelRecord",
        "CodeformerModelRecord",
        "SafetyCheckerModelRecord",
        "VideoGenerationModelRecord",
        "AudioGenerationModelRecord",
        "MiscellaneousModelRecord",
        "LoraModelRecord",
        "TextualInversionModelRecord",
    ]


@pytest.mark.parametrize("category", CATEGORIES)
def test_the_minimal_record_gets_the_defaults_of_its_category(category: str):
    record = record_validate(category, make_minimal(category))
    spec = CATEGORIES[category]
    assert record["record_type"] == category
    assert record["model_classification"] == {"domain": spec.domain, "purpose": spec.purpose}
    assert record["config"] == {"download": []}
    assert record["metadata"] == {"schema_version": "2.0.0"}
    assert list(record)[:2] == ["record_type", "name"]


STORED = [
    # (category, what is sent, what is stored of it)
    ("clip", {"size_on_disk_bytes": "10"}, {"size_on_disk_bytes": 10}),
    ("clip", {"size_on_disk_bytes": 10.0}, {"size_on_disk_bytes": 10}),
    ("clip", {"size_on_disk_bytes": 0}, {"size_on_disk_bytes": 0}),
    ("clip", {"name": "  padded "}, {"name": "  padded "}),
    ("clip", {"description": " kept "}, {"description": " kept "}),
    ("clip", {"version": ""}, {"version": ""}),
    ("clip", {"record_type": "clip"}, {"record_type": "clip"}),
    ("clip", {"config": {}}, {"config": {"download": []}}),
    ("clip", {"metadata": {"created_at": 1}}, {"metadata": {"schema_version": "2.0.0", "created_at": 1}}),
    ("clip", {"metadata": {"created_at": None}}, {"metadata": {"schema_version": "2.0.0"}}),
    (
        "clip",
        {"model_classification": {"domain": "rendered_3d", "purpose": "miscellaneous"}},
        {"model_classification": {"domain": "rendered_3d", "purpose": "miscellaneous"}},
    ),
    ("clip", {"finetune_series": {"name": "S", "author": None}}, {"finetune_series": {"name": "S"}}),
    (
        "clip",
        {"config": {"download": [DOWNLOAD]}},
        {"config": {"download": [{**DOWNLOAD, "sha256sum": "FIXME"}]}},
    ),
    (
        "clip",
        {
            "config": {
                "download": [{**DOWNLOAD, "sha256sum": "any", "size_bytes": "5", "known_slow_download": "no"}]
            }
        },
        {
            "config": {
                "download": [{**DOWNLOAD, "sha256sum": "any", "known_slow_download": False, "size_bytes": 5}]
            }
        },
    ),
    (
        "clip",
        {"config": {"download": [], "embedded_component_hashes": {"vae": "a"}}},
        {"config": {"download": [], "embedded_component_hashes": {"vae": "a"}}},
    ),
    ("clip", {"pretrained_name": "x"}, {"pretrained_name": "x"}),
    ("image_generation", {"tags": [" a ", "a", "", " ", "b"]}, {"tags": ["a", "b"]}),
    (
        "image_generation",
        {"tags": None, "showcases": None, "trigger": None},
        {"tags": [], "showcases": [], "trigger": []},
    ),
    ("image_generation", {}, {"tags": [], "showcases": [], "trigger": [], "inpainting": False}),
    ("image_generation", {"inpainting": "yes", "nsfw": 1}, {"inpainting": True, "nsfw": True}),
    (
        "image_generation",
        {"showcases": [" a", " a"], "trigger": ["", "x "]},
        {"showcases": [" a", " a"], "trigger": ["", "x "]},
    ),
    ("image_generation", {"style": " anime "}, {"style": "anime"}),
    ("image_generation", {"homepage": "no URL"}, {"homepage": "no URL"}),
    (
        "image_generation",
        {
            "requirements": {
                "clip_skip": 2,
                "cfg_scale": 1.5,
                "samplers": ["a", "b"],
                "any": "x",
                "flag": True,
                "n": "1",
            }
        },
        {
            "requirements": {
                "clip_skip": 2,
                "cfg_scale": 1.5,
                "samplers": ["a", "b"],
                "any": "x",
                "flag": True,
                "n": "1",
            }
        },
    ),
    ("text_generation", {}, {"nsfw": False}),
    ("text_generation", {"parameters": "7"}, {"parameters": 7}),
    ("text_generation", {"parameters": 7, "parameters_count": "7"}, {"parameters": 7}),
    ("text_generation", {"parameters": 7, "parameters_count": None}, {"parameters": 7}),
    (
        "text_generation",
        {"baseline": "", "style": "", "url": "no URL"},
        {"baseline": "", "style": "", "url": "no URL"},
    ),
    (
        "text_generation",
        {"style": " free text", "baseline": "anything"},
        {"style": " free text", "baseline": "anything"},
    ),
    ("text_generation", {"tags": ["b ", "a", "b"]}, {"tags": ["b", "a"]}),
    ("text_generation", {"instruct_format": "unheard of"}, {"instruct_format": "unheard of"}),
    (
        "text_generation",
        {"text_model_group": "G", "name_schema_exception": "x"},
        {"text_model_group": "G", "name_schema_exception": "x"},
    ),
    *(
        ("text_generation", {"settings": {key: 1}}, {"settings": {key: 1}})
        for key in sorted(TEXT_SETTINGS_KEYS)
    ),
    ("controlnet", {"controlnet_style": "control_hed"}, {"controlnet_style": "control_hed"}),
    ("controlnet", {"controlnet_style": "weird"}, {"controlnet_style": "weird"}),
    *(
        (
            category,
            {"baseline": "anything", "tags": [" a "]},
            {"baseline": "anything", "nsfw": False, "tags": ["a"]},
        )
        for category in ("video_generation", "audio_generation", "lora", "ti")
    ),
    *(
        (
            category,
            {"trigger": ["x"], "homepage": "h", "showcases": []},
            {"trigger": ["x"], "homepage": "h", "showcases": []},
        )
        for category in ("lora", "ti")
    ),
]


@pytest.mark.parametrize(("category", "sent", "stored"), STORED)
def test_values_are_stored_in_their_normal_form(category: str, sent: dict, stored: dict):
    record = record_validate(category, make_minimal(category, **sent))
    assert {name: record.get(name) for name in stored} == stored
    for name, value in stored.items():
        assert type(record[name]) is type(value)


@pytest.mark.parametrize(
    ("category", "nullable"),
    [
        ("clip", ["description", "version", "finetune_series", "size_on_disk_bytes", "pretrained_name"]),
        ("image_generation", ["optimization", "min_bridge_version", "homepage", "style", "requirements"]),
        (
            "text_generation",
            ["baseline", "style", "tags", "settings", "text_model_group", "name_schema_exception"],
        ),
        ("lora", ["baseline", "tags", "trigger", "homepage", "showcases"]),
        ("controlnet", ["controlnet_style"]),
    ],
)
def test_null_members_are_not_stored(category: str, nullable: list[str]):
    nulls = dict.fromkeys(nullable)
    assert record_validate(category, make_minimal(category, **nulls)) == record_validate(
        category, make_minimal(category)
    )


SPELLINGS = [
    (spelling, baseline.id)
    for baseline in IMAGE_BASELINES.values()
    for spelling in (baseline.id, *baseline.aliases)
]


@pytest.mark.parametrize(("spelling", "identifier"), SPELLINGS)
def test_image_baselines_are_stored_by_their_id(spelling: str, identifier: str):
    assert record_validate("image_generation", make_image(baseline=spelling))["baseline"] == identifier


@pytest.mark.parametrize("style", ImageStyle)
def test_every_image_style_is_accepted(style: str):
    assert record_validate("image_generation", make_image(style=style))["style"] == style


@pytest.mark.parametrize("domain", Domain)
@pytest.mark.parametrize("purpose", Purpose)
def test_every_classification_is_accepted(domain: str, purpose: str):
    given = {"domain": domain, "purpose": purpose}
    assert (
        record_validate("clip", {"name": "N", "model_classification": given})["model_classification"] == given
    )


def test_a_count_is_taken_under_its_second_name():
    record = record_validate("text_generation", {"name": "N", "parameters_count": "7"})
    assert record["parameters"] == 7
    assert "parameters_count" not in record


def test_an_unknown_controlnet_style_is_logged(caplog):
    with caplog.at_level(logging.WARNING, logger="references.serializers.records"):
        record_validate("controlnet", {"name": "c", "controlnet_style": "control_tile"})
        assert caplog.messages == []
        record_validate("controlnet", {"name": "c", "controlnet_style": "weird\n"})
    assert caplog.messages == [r"ControlNet model 'c' has an unknown style: 'weird\n'"]


def test_unknown_members_are_dropped():
    body = make_image(
        extra=1, config={"extra": 2, "download": [{**DOWNLOAD, "extra": 3}]}, metadata={"extra": 4}
    )
    record = record_validate("image_generation", body)
    assert "extra" not in str(record)
