"""Statistics, deletion risk and popularity of the real reference, beside the recorded answers."""

import time

import pytest
from django.core.cache import cache

from references import analytics
from references.api.schemas_statistics import (
    CategoryDeletionRiskResponse,
    CategoryStatistics,
    ModelStatsWithBackends,
    PopularModel,
    UsageHistoryResponse,
)
from references.categories import CATEGORIES, IMAGE_CATEGORY, TEXT_CATEGORY
from references.models import UsageDay
from references.usage_history import today
from tests.recorded import golden
from tests.references.api import V2, ask
from tests.references.figures import make_copies

pytestmark = pytest.mark.django_db

STATISTICS = "/api/model_references/statistics"
RECORDED_STATISTICS = [
    *(name for name, spec in CATEGORIES.items() if spec.has_legacy_form),
    "text_generation.grouped",
]
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
RECORDED_POPULAR = [
    f"popular_{kind}_{query}"
    for kind in ("image", "text")
    for query in (
        "default",
        "usage_day_5",
        "usage_month_5",
        "usage_total_5",
        "worker_count_5",
        "workers_5",
    )
]


@pytest.fixture(autouse=True)
def copies(real_reference):
    """What the AI-Horde answered when the answers were recorded."""
    analytics._kept.clear()
    make_copies("image")
    make_copies("text")


@pytest.mark.parametrize("name", RECORDED_STATISTICS)
def test_recorded_statistics(name, real_reference):
    category, _, grouped = name.partition(".")
    recorded = golden("statistics", f"{name}.json")["body"]
    answer = statistics(category, f"group_text_models={bool(grouped)}").json()
    assert abs(time.time() - answer["computed_at"]) < 60
    expected = {**recorded, "computed_at": answer["computed_at"], "sfw_count": answer["sfw_count"]}
    if category == TEXT_CATEGORY:
        corrected = {name: answer[name] for name in ("parameter_buckets", "models_without_param_info")}
        expected |= corrected
        if not grouped:
            fields = golden("statistics", "text_generation.corrected_fields.json")
            assert corrected == {name: fields[name] for name in corrected}
    assert answer == expected
    assert answer["sfw_count"] == answer["total_models"] - answer["nsfw_count"]


@pytest.mark.parametrize("name", RECORDED_RISK)
def test_recorded_risk(name, real_reference):
    recorded = golden("analytics", f"{name}.json")
    make_copies("image")
    make_copies("text")
    query = "&".join(f"{key}={value}" for key, value in recorded["request"]["query"].items())
    answer = ask(f"/api{recorded['request']['path']}?{query}")
    body = answer.json()
    assert answer.status == recorded["status"]
    if answer.status == 422:
        [problem], [expected] = body["detail"], recorded["body"]["detail"]
        assert (problem["type"], problem["loc"]) == (expected["type"], expected["loc"])
        return
    if "model_names" in recorded:
        assert names(answer) == recorded["model_names"]
        body["models"] = None
    assert body == recorded["body"]


def test_the_grouped_view_is_grouped_every_time(real_reference):
    make_copies("text")
    counts = [
        risk(TEXT_CATEGORY, query).json()["returned_count"]
        for query in ("group_text_models=true", "group_text_models=true", "", "group_text_models=true")
    ]
    assert counts == [419, 419, 719, 419]


@pytest.mark.parametrize("name", RECORDED_POPULAR)
def test_recorded_popular_models(name, real_reference):
    recorded = golden("analytics", f"{name}.json")
    make_copies("image")
    make_copies("text")
    query = "&".join(f"{key}={value}" for key, value in recorded["request"]["query"].items())
    answer = ask(f"/api{recorded['request']['path']}?{query}")
    models = answer.json()
    for model in models:
        if model["record"]["record_type"] == TEXT_CATEGORY:
            assert model["record"].pop("parameters") == model["record"]["parameters_count"]
    assert (answer.status, models) == (200, recorded["body"])


# Schemas ----------------------------------------------------------------------------------------------------


def undescribed(serializer, value, path="body"):
    """Members that only one of the two has: the answer or its schema."""
    found = []
    fields = serializer.fields
    found += [
        f"{path}.{name}"
        for name in fields.keys() ^ value.keys()
        if getattr(fields.get(name), "required", True)
    ]
    for name in fields.keys() & value.keys():
        field, member = fields[name], value[name]
        child = getattr(field, "child", field)
        if not hasattr(child, "fields") or not member:
            continue
        members = member if isinstance(member, list) else [member]
        if hasattr(field, "child") and isinstance(member, dict):
            members = member.values()
        for each in members:
            found += undescribed(child, each, f"{path}.{name}")
    return found


def test_answers_have_exactly_the_members_of_their_schemas(real_reference):
    make_copies("image")
    make_copies("text")
    make_day("a", 0, 1)
    assert undescribed(CategoryStatistics(), statistics(TEXT_CATEGORY).json()) == []
    variations = risk(TEXT_CATEGORY, "include_backend_variations=1").json()
    assert undescribed(CategoryDeletionRiskResponse(), variations) == []
    stats = with_stats(IMAGE_CATEGORY, "include_workers=1").json()
    assert undescribed(ModelStatsWithBackends(), stats["stable_diffusion"]) == []
    assert undescribed(UsageHistoryResponse(), history("model_name=a").json()) == []
