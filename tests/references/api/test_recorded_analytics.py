"""Statistics, deletion risk and popularity of the real reference, beside the recorded answers."""

import time
from typing import Any

import pytest
from rest_framework import serializers

from references import analytics
from references.api.schemas_statistics import (
    CategoryDeletionRiskResponse,
    CategoryStatistics,
    ModelStats,
    PopularModel,
)
from references.categories import CATEGORIES, TEXT_CATEGORY
from tests.recorded import golden
from tests.references.api import V2, ask
from tests.references.figures import make_copies

pytestmark = pytest.mark.django_db

STATISTICS = "/api/model_references/statistics"
RECORDED_STATISTICS = [
    *(name for name, spec in CATEGORIES.items() if spec.has_legacy_form),
    "text_generation.grouped",
]
CORRECTED_FIELDS = ("parameter_buckets", "models_without_param_info")
RECORDED_RISK = [
    "risk_bad_limit",
    "risk_bad_preset",
    "risk_clip",
    "risk_image",
    "risk_image_limit5_offset3",
    "risk_image_preset_low_usage_limit3",
    "risk_text",
    "risk_text_grouped",
    "risk_text_grouped_preset_critical",
    "risk_text_variations",
]
POPULAR_QUERIES = ("default", "usage_day_5", "usage_month_5", "usage_total_5", "worker_count_5", "workers_5")
RECORDED_POPULAR = [f"popular_{kind}_{query}" for kind in ("image", "text") for query in POPULAR_QUERIES]


@pytest.fixture(autouse=True)
def copies(real_reference):
    """What the AI-Horde answered when the answers were recorded."""
    analytics._kept.clear()
    make_copies("image")
    make_copies("text")


def ask_again(recorded):
    """Our answer to a recorded request."""
    request = recorded["request"]
    query = "&".join(f"{name}={value}" for name, value in request["query"].items())
    return ask(f"/api{request['path']}?{query}")


@pytest.mark.parametrize("name", RECORDED_STATISTICS)
def test_recorded_statistics(name):
    category, _, grouped = name.partition(".")
    body = ask(f"{STATISTICS}/{category}?group_text_models={bool(grouped)}").json()
    assert abs(time.time() - body.pop("computed_at")) < 60
    assert body.pop("sfw_count") == body["total_models"] - body["nsfw_count"]
    expected = golden("statistics", f"{name}.json")["body"]
    del expected["computed_at"]
    if grouped:
        expected |= {field: body[field] for field in CORRECTED_FIELDS}
    elif category == TEXT_CATEGORY:
        corrected = golden("statistics", "text_generation.corrected_fields.json")
        expected |= {field: corrected[field] for field in CORRECTED_FIELDS}
    assert body == expected


@pytest.mark.parametrize("name", RECORDED_RISK)
def test_recorded_risk(name):
    recorded = golden("analytics", f"{name}.json")
    answer = ask_again(recorded)
    body, expected = answer.json(), recorded["body"]
    assert answer.status == recorded["status"]
    if answer.status == 422:
        [problem], [expected_problem] = body["detail"], expected["detail"]
        assert (problem["type"], problem["loc"]) == (expected_problem["type"], expected_problem["loc"])
        return
    if "model_names" in recorded:
        assert [model["name"] for model in body["models"]] == recorded["model_names"]
        body["models"] = None
    assert body == expected


@pytest.mark.parametrize("name", RECORDED_POPULAR)
def test_recorded_popular_models(name):
    recorded = golden("analytics", f"{name}.json")
    answer = ask_again(recorded)
    models = answer.json()
    for model in models:
        if model["record"]["record_type"] == TEXT_CATEGORY:
            assert model["record"].pop("parameters") == model["record"]["parameters_count"]
    assert (answer.status, models) == (200, recorded["body"])


def test_the_grouped_view_is_grouped_every_time():
    queries = ("group_text_models=true", "group_text_models=true", "", "group_text_models=true")
    counts = [
        ask(f"{STATISTICS}/{TEXT_CATEGORY}/deletion-risk?{query}").json()["returned_count"]
        for query in queries
    ]
    assert counts == [419, 419, 719, 419]


def unlike(schema: serializers.Serializer, value: dict[str, Any], path: str = "") -> list[str]:
    """Members that only the value or only its schema has, at every level that the schema knows."""
    required = {name for name, field in schema.fields.items() if field.required}
    found = [f"{path}.{name} is missing" for name in required - value.keys()]
    found += [f"{path}.{name} is not described" for name in value.keys() - schema.fields.keys()]
    for name in value.keys() & schema.fields.keys():
        field, member = schema.fields[name], value[name]
        parts = [member]
        if hasattr(field, "child"):
            field, parts = field.child, list(member.values() if isinstance(member, dict) else member or ())
        if isinstance(field, serializers.Serializer) and member is not None:
            found += [each for part in parts for each in unlike(field, part, f"{path}.{name}")]
    return found


def test_answers_have_the_members_of_their_schemas():
    text, image = f"{STATISTICS}/{TEXT_CATEGORY}", f"{STATISTICS}/image_generation"
    assert unlike(CategoryStatistics(), ask(text).json()) == []
    variations = ask(f"{text}/deletion-risk?include_backend_variations=1").json()
    assert unlike(CategoryDeletionRiskResponse(), variations) == []
    for stats in ask(f"{image}/with-stats?include_workers=1&min_worker_count=1").json().values():
        assert unlike(ModelStats(), stats) == []
    for model in ask(f"{V2}/image_generation/popular?include_workers=1").json():
        model["record"] = {"name": model["name"]}
        assert unlike(PopularModel(), model) == []
