"""The rules of each record type: what is stored for what is sent, and which problems are named where."""

import logging
import math

import pytest

from references.categories import CATEGORIES
from references.problems import RequestInvalid
from references.serializers import RECORD_TYPES, record_type, record_validate
from references.vocabulary import IMAGE_BASELINES, TEXT_SETTINGS_KEYS, Domain, ImageStyle, Purpose

DOWNLOAD = {"file_name": "a.safetensors", "file_url": "not a URL"}
UNCHECKED_MINIMUM = {"name": "N"}


def make_image(**changes) -> dict:
    return {"name": "N", "baseline": "stable_diffusion_xl", "nsfw": False, **changes}


def make_text(**changes) -> dict:
    return {"name": "P/N-7B", "parameters": 7_000_000_000, **changes}


MINIMAL = {"image_generation": make_image(), "text_generation": make_text()}


def make_minimal(category: str, **changes) -> dict:
    return {**MINIMAL.get(category, UNCHECKED_MINIMUM), **changes}


def problems_of(category: str, body: object) -> list[tuple]:
    with pytest.raises(RequestInvalid) as caught:
        record_validate(category, body)
    assert caught.value.status_code == 422
    return [(problem["type"], problem["loc"]) for problem in caught.value.detail]


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


@pytest.mark.parametrize(
    ("category", "missing"),
    [
        ("image_generation", ["name", "baseline", "nsfw"]),
        ("text_generation", ["name", "parameters"]),
        *((category, ["name"]) for category in CATEGORIES if category not in MINIMAL),
    ],
)
def test_an_empty_record_misses_what_is_required(category: str, missing: list[str]):
    assert problems_of(category, {}) == [("missing", ["body", name]) for name in missing]


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


REFUSED = [
    # (category, what is sent, type and location below the body of each problem)
    *(("clip", {"name": value}, [("string_type", ["name"])]) for value in (None, 1, True, [], {})),
    ("clip", {"name": "\ud800"}, [("string_unicode", ["name"])]),
    ("clip", {"name": "a\x00b"}, [("value_error", ["name"])]),
    ("clip", {"description": 1}, [("string_type", ["description"])]),
    *(
        ("clip", {"record_type": value}, [("literal_error", ["record_type"])])
        for value in ("blip", "", None, 1)
    ),
    *(("clip", {"config": value}, [("model_attributes_type", ["config"])]) for value in (None, [], "x", 1)),
    *(("clip", {"metadata": value}, [("model_attributes_type", ["metadata"])]) for value in (None, [], "x")),
    ("clip", {"metadata": {"schema_version": None}}, [("string_type", ["metadata", "schema_version"])]),
    ("clip", {"metadata": {"created_at": "x"}}, [("int_parsing", ["metadata", "created_at"])]),
    ("clip", {"finetune_series": {}}, [("missing", ["finetune_series", "name"])]),
    ("clip", {"finetune_series": "x"}, [("model_attributes_type", ["finetune_series"])]),
    ("clip", {"config": {"download": None}}, [("list_type", ["config", "download"])]),
    ("clip", {"config": {"download": {}}}, [("list_type", ["config", "download"])]),
    ("clip", {"config": {"download": ["x"]}}, [("model_attributes_type", ["config", "download", 0])]),
    (
        "clip",
        {"config": {"download": [DOWNLOAD, {}]}},
        [
            ("missing", ["config", "download", 1, "file_name"]),
            ("missing", ["config", "download", 1, "file_url"]),
        ],
    ),
    (
        "clip",
        {"config": {"download": [{**DOWNLOAD, "sha256sum": None}]}},
        [("string_type", ["config", "download", 0, "sha256sum"])],
    ),
    (
        "clip",
        {"config": {"download": [{**DOWNLOAD, "size_bytes": -1}]}},
        [("greater_than_equal", ["config", "download", 0, "size_bytes"])],
    ),
    (
        "clip",
        {"config": {"download": [{**DOWNLOAD, "known_slow_download": "x"}]}},
        [("bool_parsing", ["config", "download", 0, "known_slow_download"])],
    ),
    (
        "clip",
        {"config": {"embedded_component_hashes": []}},
        [("dict_type", ["config", "embedded_component_hashes"])],
    ),
    (
        "clip",
        {"config": {"embedded_component_hashes": {"vae": None}}},
        [("string_type", ["config", "embedded_component_hashes", "vae"])],
    ),
    (
        "clip",
        {"model_classification": {}},
        [("missing", ["model_classification", "domain"]), ("missing", ["model_classification", "purpose"])],
    ),
    ("clip", {"model_classification": None}, [("model_attributes_type", ["model_classification"])]),
    (
        "clip",
        {"model_classification": {"domain": "smell", "purpose": 1}},
        [("enum", ["model_classification", "domain"]), ("enum", ["model_classification", "purpose"])],
    ),
    ("clip", {"size_on_disk_bytes": -1}, [("greater_than_equal", ["size_on_disk_bytes"])]),
    ("clip", {"size_on_disk_bytes": 1.5}, [("int_from_float", ["size_on_disk_bytes"])]),
    ("clip", {"size_on_disk_bytes": "x"}, [("int_parsing", ["size_on_disk_bytes"])]),
    ("clip", {"size_on_disk_bytes": []}, [("int_type", ["size_on_disk_bytes"])]),
    ("clip", {"size_on_disk_bytes": 2**63}, [("int_parsing_size", ["size_on_disk_bytes"])]),
    ("clip", {"size_on_disk_bytes": math.inf}, [("finite_number", ["size_on_disk_bytes"])]),
    ("clip", {"pretrained_name": 1}, [("string_type", ["pretrained_name"])]),
    *(
        ("image_generation", {"baseline": value}, [("value_error", ["baseline"])])
        for value in ("zzz", "", "sdxl", " SDXL")
    ),
    *(("image_generation", {"baseline": value}, [("string_type", ["baseline"])]) for value in (None, 1)),
    *(
        ("image_generation", {"style": value}, [("value_error", ["style"])])
        for value in ("zzz", "", " ", "Anime")
    ),
    ("image_generation", {"nsfw": None}, [("bool_type", ["nsfw"])]),
    ("image_generation", {"nsfw": "maybe"}, [("bool_parsing", ["nsfw"])]),
    ("image_generation", {"inpainting": 2}, [("bool_parsing", ["inpainting"])]),
    ("image_generation", {"tags": "a"}, [("list_type", ["tags"])]),
    (
        "image_generation",
        {"tags": ["a", 1, None]},
        [("string_type", ["tags", 1]), ("string_type", ["tags", 2])],
    ),
    (
        "image_generation",
        {"trigger": {}, "showcases": 1},
        [("list_type", ["showcases"]), ("list_type", ["trigger"])],
    ),
    ("image_generation", {"requirements": []}, [("dict_type", ["requirements"])]),
    *(
        ("image_generation", {"requirements": {"x": value}}, [("value_error", ["requirements", "x"])])
        for value in ({}, None, [{}], [1, "a"], [True], [[1]], math.inf)
    ),
    ("image_generation", {"min_bridge_version": "x"}, [("int_parsing", ["min_bridge_version"])]),
    *(
        ("text_generation", {"parameters": value}, [("greater_than_equal", ["parameters"])])
        for value in (0, -7, "0")
    ),
    ("text_generation", {"parameters": None}, [("int_type", ["parameters"])]),
    ("text_generation", {"parameters": 7.5}, [("int_from_float", ["parameters"])]),
    ("text_generation", {"parameters_count": 8}, [("value_error", ["parameters_count"])]),
    ("text_generation", {"parameters_count": "x"}, [("value_error", ["parameters_count"])]),
    ("text_generation", {"settings": {"bogus": 1}}, [("value_error", ["settings", "bogus"])]),
    ("text_generation", {"settings": {"top_k": {}}}, [("value_error", ["settings", "top_k"])]),
    ("text_generation", {"settings": "x"}, [("dict_type", ["settings"])]),
    ("text_generation", {"nsfw": None}, [("bool_type", ["nsfw"])]),
    ("text_generation", {"record_type": "image_generation"}, [("literal_error", ["record_type"])]),
    ("lora", {"nsfw": "x", "showcases": "x"}, [("bool_parsing", ["nsfw"]), ("list_type", ["showcases"])]),
]


@pytest.mark.parametrize(("category", "sent", "problems"), REFUSED)
def test_bad_values_are_refused_where_they_stand(category: str, sent: dict, problems: list):
    expected = [(kind, ["body", *path]) for kind, path in problems]
    assert problems_of(category, make_minimal(category, **sent)) == expected


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (None, "missing"),
        ([], "model_attributes_type"),
        ([{}], "model_attributes_type"),
        ("x", "model_attributes_type"),
        (1, "model_attributes_type"),
    ],
)
@pytest.mark.parametrize("category", CATEGORIES)
def test_a_body_that_is_no_object_is_refused(category: str, body: object, kind: str):
    assert problems_of(category, body) == [(kind, ["body"])]


def test_a_count_is_taken_under_its_second_name():
    record = record_validate("text_generation", {"name": "N", "parameters_count": "7"})
    assert record["parameters"] == 7
    assert "parameters_count" not in record


def test_a_bad_count_is_reported_under_its_documented_name():
    assert problems_of("text_generation", {"name": "N", "parameters_count": 0}) == [
        ("greater_than_equal", ["body", "parameters"])
    ]


def test_vocabulary_errors_say_what_was_unknown():
    with pytest.raises(RequestInvalid) as caught:
        record_validate("image_generation", make_image(baseline="zzz"))
    assert caught.value.detail == [
        {
            "type": "value_error",
            "loc": ["body", "baseline"],
            "msg": "Value error, unknown baseline: zzz",
            "input": "zzz",
        }
    ]


def test_bounds_are_told():
    with pytest.raises(RequestInvalid) as caught:
        record_validate("clip", {"name": "N", "size_on_disk_bytes": -1})
    assert caught.value.detail[0]["ctx"] == {"ge": 0}
    assert caught.value.detail[0]["input"] == -1


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


def test_unknown_members_are_refused_while_testing(settings):
    settings.AI_HORDE_TESTING = True
    body = make_image(
        extra=1, config={"extra": 2, "download": [{**DOWNLOAD, "extra": 3}]}, requirements={"free": 1}
    )
    assert problems_of("image_generation", body) == [
        ("extra_forbidden", ["body", "extra"]),
        ("extra_forbidden", ["body", "config", "extra"]),
        ("extra_forbidden", ["body", "config", "download", 0, "extra"]),
    ]
    record_validate("text_generation", make_text(parameters_count=7_000_000_000))
