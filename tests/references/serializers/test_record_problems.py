"""Which problems each record type names, and where."""

import math

import pytest

from references.categories import CATEGORIES
from references.problems import RequestInvalid
from references.serializers import record_validate
from tests.references.serializers.samples import DOWNLOAD, MINIMAL, make_image, make_minimal, make_text


def problems_of(category: str, body: object) -> list[tuple]:
    with pytest.raises(RequestInvalid) as caught:
        record_validate(category, body)
    assert caught.value.status_code == 422
    return [(problem["type"], problem["loc"]) for problem in caught.value.detail]


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
