"""Statistics, stats and usage history, as asked for over HTTP."""

import json
import time
from datetime import timedelta

import pytest

from references.categories import IMAGE_CATEGORY, TEXT_CATEGORY
from references.models import UsageDay
from references.services import record_delete, record_put
from references.structure_services import aliases_put
from references.usage_history import today
from tests.factories import make_record, make_v2
from tests.hordedouble import run_calls_inline, running_horde, stop_clock
from tests.references.api import ask
from tests.references.figures import make_copies

pytestmark = pytest.mark.django_db

STATISTICS = "/api/model_references/statistics"


@pytest.fixture
def clock(monkeypatch):
    return stop_clock(monkeypatch)


@pytest.fixture
def horde(settings, monkeypatch, clock):
    run_calls_inline(monkeypatch)
    with running_horde() as horde:
        settings.HORDE_URL = horde.url
        yield horde


def statistics(category=IMAGE_CATEGORY, query=""):
    return ask(f"{STATISTICS}/{category}?{query}")


def with_stats(category=IMAGE_CATEGORY, query=""):
    return ask(f"{STATISTICS}/{category}/with-stats?{query}")


def history(query, category=IMAGE_CATEGORY):
    return ask(f"{STATISTICS}/{category}/usage-history?{query}")


# Statistics -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("category", ["video_generation", "audio_generation", "lora", "ti"])
def test_a_category_without_records_has_no_statistics(category):
    answer = statistics(category)
    assert (answer.status, answer.json()) == (
        404,
        {"detail": f"Category '{category}' not found or has no models"},
    )


@pytest.mark.parametrize("path", ["", "/deletion-risk", "/with-stats", "/usage-history?model_name=a"])
def test_an_unknown_category_is_a_problem_of_the_path(path):
    answer = ask(f"{STATISTICS}/nonsense{path}")
    assert answer.status == 422
    [problem] = answer.json()["detail"]
    assert (problem["type"], problem["loc"]) == ("enum", ["path", "model_category_name"])


@pytest.mark.parametrize("path", ["", "/deletion-risk"])
@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("limit=0", "greater_than_equal"),
        ("limit=x", "int_parsing"),
        ("offset=-1", "greater_than_equal"),
        ("group_text_models=2", "bool_parsing"),
    ],
)
def test_bad_page_parameters(path, query, problem):
    answer = ask(f"{STATISTICS}/clip{path}?{query}")
    assert answer.status == 422
    [found] = answer.json()["detail"]
    assert (found["type"], found["loc"]) == (problem, ["query", query.split("=")[0]])


def test_a_page_is_echoed_once_and_leaves_no_trace():
    make_record("clip", "a")
    plain = statistics("clip").json()
    paged = statistics("clip", "limit=1&offset=5").json()
    assert (plain["limit"], plain["offset"]) == (None, 0)
    assert paged == {**plain, "limit": 1, "offset": 5}
    assert statistics("clip").json() == plain
    assert statistics("clip", "offset=7").json() == {**plain, "offset": 7}


def test_every_applied_change_is_in_the_next_statistics(clock):
    make_record("lora", "a", tags=["x"], at=1)
    assert statistics("lora").json()["top_tags"] == [{"tag": "x", "count": 1, "percentage": 100.0}]
    record_put(category="lora", name="a", record=make_v2("lora", "a", tags=["y"]))
    assert statistics("lora").json()["top_tags"] == [{"tag": "y", "count": 1, "percentage": 100.0}]
    make_record("lora", "b")
    assert statistics("lora").json()["total_models"] == 2
    record_delete(category="lora", name="a")
    assert statistics("lora").json()["top_tags"] == []
    record_delete(category="lora", name="b")
    assert statistics("lora").status == 404


def test_statistics_tell_when_they_were_computed(clock, settings, monkeypatch):
    settings.STATISTICS_CACHE_TTL = 300
    monkeypatch.setattr(time, "monotonic", lambda: clock.now)
    make_record("lora", "a")
    computed_at = statistics("lora").json()["computed_at"]
    assert computed_at == clock.now
    clock.now += 299
    assert statistics("lora").json()["computed_at"] == computed_at
    make_record("clip", "other")
    assert statistics("lora").json()["computed_at"] == computed_at
    clock.now += 1
    assert statistics("lora").json()["computed_at"] == computed_at + 300
    clock.now += 10
    make_record("lora", "b")
    assert statistics("lora").json()["computed_at"] == computed_at + 310


def test_grouped_statistics_are_computed_each_time(clock):
    make_record(TEXT_CATEGORY, "A-7B")
    make_record(TEXT_CATEGORY, "A-8B")
    before = statistics(TEXT_CATEGORY, "group_text_models=1").json()
    clock.now += 5
    after = statistics(TEXT_CATEGORY, "group_text_models=1").json()
    assert (before["total_models"], after["computed_at"] - before["computed_at"]) == (1, 5)


def test_grouping_is_for_text_models_only():
    make_record(IMAGE_CATEGORY, "A v1")
    make_record(IMAGE_CATEGORY, "A v2")
    assert statistics(IMAGE_CATEGORY, "group_text_models=1").json()["total_models"] == 2


def test_an_alias_joins_groups_from_the_next_answer_on():
    for name in ("A-7B", "B-7B"):
        make_record(TEXT_CATEGORY, name)
    assert statistics(TEXT_CATEGORY, "group_text_models=1").json()["total_models"] == 2
    aliases_put(canonical="A", aliases=["B"])
    assert statistics(TEXT_CATEGORY, "group_text_models=1").json()["total_models"] == 1
    assert statistics(TEXT_CATEGORY).json()["total_models"] == 2


def test_statistics_are_conditional():
    make_record("clip", "a")
    answer = statistics("clip")
    tag = answer.headers["etag"]
    assert ask(f"{STATISTICS}/clip", headers={"If-None-Match": tag}).status == 304
    assert answer.headers["x-model-reference-revision"] == "1"


# Stats ------------------------------------------------------------------------------------------------------


@pytest.fixture
def three_models():
    for name in ("b", "a", "c"):
        make_record(IMAGE_CATEGORY, name)
    status = [{"name": "a", "count": 1, "jobs": 2}, {"name": "c", "count": 3}]
    usage = {"month": {"a": 5, "b": 9}, "total": {"a": 70, "b": 60}}
    workers = [
        {"id": "1", "name": "Easel", "models": ["b", "a"]},
        {"id": "2", "name": "Desk", "models": ["b"]},
    ]
    make_copies("image", *map(json.dumps, (status, usage, workers)))


def test_stats_of_every_model_in_stored_order_with_nulls(three_models):
    answer = with_stats().json()
    assert list(answer) == ["b", "a", "c"]
    assert answer["a"] == {
        "queued_jobs": 2,
        "performance": None,
        "eta": None,
        "queued": None,
        "usage_stats": {"day": 0, "month": 5, "total": 70},
        "worker_summaries": None,
        "backend_variations": None,
        "worker_count": 1,
    }


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("sort_by=worker_count", ["c", "a", "b"]),
        ("sort_by=worker_count&include_workers=1", ["c", "b", "a"]),
        ("sort_by=usage_month", ["b", "a", "c"]),
        ("sort_by=usage_total", ["a", "b", "c"]),
        ("sort_by=usage_total&sort_desc=false", ["c", "b", "a"]),
        ("sort_by=name", ["c", "b", "a"]),
        ("sort_by=name&sort_desc=0", ["a", "b", "c"]),
        ("min_worker_count=1", ["a", "c"]),
        ("min_worker_count=2&include_workers=1", ["b", "c"]),
        ("min_worker_count=99", []),
    ],
)
def test_stats_are_sorted_and_filtered(three_models, query, expected):
    assert list(with_stats(query=query).json()) == expected


def test_stats_split_by_backend():
    make_record(TEXT_CATEGORY, "A-7B")
    make_copies("text", '[{"name": "koboldcpp/A-7B", "count": 1}]', '{"month": {"A-7B": 1, "A-8B": 2}}', "[]")
    assert with_stats(TEXT_CATEGORY).json()["A-7B"]["usage_stats"]["month"] == 3
    stats = with_stats(TEXT_CATEGORY, "include_backend_variations=1").json()["A-7B"]
    assert stats["usage_stats"]["month"] == 1
    assert [part["backend"] for part in stats["backend_variations"]] == ["canonical", "koboldcpp"]


def test_when_there_are_no_stats(horde):
    make_record("clip", "a")
    assert with_stats("clip").status == 400
    assert with_stats().status == 404
    assert with_stats(query="sort_by=size").status == 422
    make_record(IMAGE_CATEGORY, "a")
    horde.mode = "404"
    assert with_stats().status == 503


# Usage history ----------------------------------------------------------------------------------------------


def make_day(name, days_ago, usage):
    UsageDay.objects.create(
        category=IMAGE_CATEGORY,
        name=name,
        day=today() - timedelta(days=days_ago),
        workers=1,
        usage_day=usage,
        usage_month=2,
        usage_total=3,
    )


def test_the_history_of_a_model():
    make_day("gone", 40, 1)
    make_day("gone", 1, 2)
    make_day("gone", 0, 3)
    answer = history("model_name=gone").json()
    assert (answer["category"], answer["model_name"]) == (IMAGE_CATEGORY, "gone")
    assert [row["usage_day"] for row in answer["days"]] == [2, 3]
    assert answer["days"][1] == {
        "day": today().isoformat(),
        "workers": 1,
        "usage_day": 3,
        "usage_month": 2,
        "usage_total": 3,
    }
    assert len(history("model_name=gone&days=41").json()["days"]) == 3


def test_a_model_without_history_yet():
    make_record(IMAGE_CATEGORY, "new")
    assert history("model_name=new").json()["days"] == []
    answer = history("model_name=none")
    assert (answer.status, answer.json()["detail"]) == (
        404,
        "Model 'none' not found in category 'image_generation'",
    )


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 422),
        ("model_name=a&days=0", 422),
        ("model_name=a&days=401", 422),
        ("model_name=a&days=400", 404),
    ],
)
def test_bounds_of_the_history(query, status):
    assert history(query).status == status


def test_other_categories_have_no_history():
    make_record("clip", "a")
    assert history("model_name=a", "clip").status == 400
