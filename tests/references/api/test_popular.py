"""The most used models, as asked for over HTTP."""

import json

import pytest

from references import analytics
from references.categories import IMAGE_CATEGORY, TEXT_CATEGORY
from references.horde.circuit import OPEN_AT
from references.horde.usage import STATUS_CALLS, USAGE_CALLS, WORKER_CALLS
from references.models import HordeCircuit, UsageSnapshot
from references.serializers import record_presented
from references.services import record_delete, record_put
from tests.factories import make_record, make_v2
from tests.hordedouble import run_calls_inline, running_horde, stop_clock
from tests.references.api import V2, ask
from tests.references.figures import make_copies

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nothing_kept():
    analytics._kept.clear()


@pytest.fixture
def horde(settings, monkeypatch):
    """The AI-Horde on a clock that only sleeping moves."""
    run_calls_inline(monkeypatch)
    stop_clock(monkeypatch)
    with running_horde() as horde:
        settings.HORDE_URL = horde.url
        yield horde


def popular(category=IMAGE_CATEGORY, query=""):
    return ask(f"{V2}/{category}/popular?{query}")


def names(answer):
    return [model["name"] for model in answer.json()]


def make_image_copies(counts, *, usage=None, workers=()):
    status = [{"name": name, "count": count} for name, count in counts.items()]
    make_copies("image", json.dumps(status), json.dumps(usage or {}), json.dumps(workers))


@pytest.mark.parametrize(
    ("query", "problem", "parameter"),
    [
        ("sort_by=name", "literal_error", "sort_by"),
        ("sort_by=", "literal_error", "sort_by"),
        ("limit=0", "greater_than_equal", "limit"),
        ("limit=101", "less_than_equal", "limit"),
        ("limit=ten", "int_parsing", "limit"),
        ("include_workers=maybe", "bool_parsing", "include_workers"),
    ],
)
def test_bad_parameters(query, problem, parameter):
    answer = popular(query=query)
    assert answer.status == 422
    [found] = answer.json()["detail"]
    assert (found["type"], found["loc"]) == (problem, ["query", parameter])


def test_an_unknown_category_is_told_in_a_sentence():
    answer = popular("nonsense")
    assert answer.status == 422
    assert answer.json()["detail"].startswith("Unknown category 'nonsense'. Valid: ['image_generation', ")


def test_other_categories_and_empty_ones_have_no_popular_models_and_ask_nobody(horde):
    make_record("clip", "ViT")
    for category in ("clip", IMAGE_CATEGORY, "lora"):
        answer = popular(category)
        assert (answer.status, answer.json()) == (200, [])
    assert not horde.calls


def test_models_without_figures_are_ranked_too_in_stored_order():
    for name in ("c", "a", "b"):
        make_record(IMAGE_CATEGORY, name)
    make_image_copies({"b": 1})
    assert names(popular()) == ["b", "c", "a"]
    assert popular().json()[1]["stats"] == {"worker_count": 0}


def test_the_record_is_the_one_that_search_shows():
    record = make_record(TEXT_CATEGORY, "Org/M-7B").as_dict()
    make_copies("text", "[]", "{}", "[]")
    [model] = popular(TEXT_CATEGORY).json()
    assert model["record"] == record_presented(TEXT_CATEGORY, record)
    assert model["record"]["parameters"] == model["record"]["parameters_count"] == 7_000_000_000


def test_a_record_that_broke_its_schema_is_shown_as_it_is():
    record_put(category=IMAGE_CATEGORY, name="odd", record={"name": "odd", "baseline": 7})
    make_image_copies({"ODD": 2})
    [model] = popular().json()
    assert (model["record"], model["stats"]) == ({"name": "odd", "baseline": 7}, {"worker_count": 2})


def test_asking_for_workers_changes_counts_and_order():
    for name in ("a", "b"):
        make_record(IMAGE_CATEGORY, name)
    worker = {"id": "w", "name": "Easel", "models": ["A"], "online": False, "maintenance_mode": True}
    make_image_copies({"a": 3, "b": 2}, workers=[worker])
    assert names(popular()) == ["a", "b"]
    first, second = popular(query="include_workers=true").json()
    assert (first["name"], first["stats"]) == ("b", {"worker_count": 2})
    assert (second["name"], second["stats"]) == (
        "a",
        {"worker_summaries": {"w": {"id": "w", "name": "Easel", "online": False}}, "worker_count": 1},
    )


def test_workers_are_only_fetched_when_asked_for(horde):
    make_record(IMAGE_CATEGORY, "Painter")
    popular()
    assert set(horde.calls) == {STATUS_CALLS["image"].path, USAGE_CALLS["image"].path}
    popular(query="include_workers=1")
    assert horde.calls[WORKER_CALLS["image"].path] == 1


def test_an_applied_change_is_in_the_next_answer():
    make_record(IMAGE_CATEGORY, "a", at=1)
    make_image_copies({"a": 1, "b": 2})
    assert names(popular()) == ["a"]
    make_record(IMAGE_CATEGORY, "b")
    assert names(popular()) == ["b", "a"]
    record_put(category=IMAGE_CATEGORY, name="b", record=make_v2(IMAGE_CATEGORY, "b", nsfw=True))
    assert popular().json()[0]["record"]["nsfw"] is True
    record_delete(category=IMAGE_CATEGORY, name="b")
    assert names(popular()) == ["a"]


def test_new_figures_are_in_the_next_answer():
    for name in ("a", "b"):
        make_record(IMAGE_CATEGORY, name)
    make_image_copies({"a": 1})
    assert names(popular()) == ["a", "b"]
    make_image_copies({"b": 1})
    assert names(popular()) == ["b", "a"]


@pytest.mark.parametrize("mode", ["500", "429", "404", "down", "garbage", "html"])
def test_without_the_ai_horde_the_list_is_empty_and_not_to_be_cached(horde, mode):
    make_record(IMAGE_CATEGORY, "Painter")
    horde.mode = mode
    answer = popular()
    assert (answer.status, answer.json(), answer.headers["cache-control"]) == (200, [], "no-store")
    horde.mode = "ok"
    HordeCircuit.objects.all().delete()
    assert names(popular()) == ["Painter"]


def test_with_one_of_the_calls_failing_the_list_is_empty(horde):
    make_record(IMAGE_CATEGORY, "Painter")
    horde.answers[USAGE_CALLS["image"].path] = b"no JSON"
    assert popular().json() == []


def test_old_figures_serve_while_the_ai_horde_is_down(horde):
    make_record(IMAGE_CATEGORY, "Painter")
    assert popular().json()[0]["stats"]["worker_count"] == 4
    UsageSnapshot.objects.update(fetched_at=1.0)
    horde.mode = "500"
    for _ in range(OPEN_AT + 1):
        answer = popular()
        assert (answer.status, names(answer)) == (200, ["Painter"])


def test_head_and_not_modified():
    make_record(IMAGE_CATEGORY, "a")
    make_image_copies({"a": 1})
    answer = popular()
    tag = answer.headers["etag"]
    assert answer.headers["content-type"] == "application/json"
    again = ask(f"{V2}/{IMAGE_CATEGORY}/popular", headers={"If-None-Match": tag})
    assert (again.status, again.body) == (304, b"")
    assert ask(f"{V2}/{IMAGE_CATEGORY}/popular", method="HEAD").headers["etag"] == tag
