"""Deletion risk as asked for over HTTP, as JSON and as CSV."""

import csv
import io
import json

import pytest

from references.categories import IMAGE_CATEGORY, TEXT_CATEGORY
from references.deletion_risk import RiskFlag
from references.horde.circuit import OPEN_AT, circuit_state
from references.models import UsageSnapshot
from references.services import record_put
from references.structure_services import aliases_put
from tests.factories import make_download, make_record, make_v2
from tests.hordedouble import run_calls_inline, running_horde, stop_clock
from tests.references.api import ask
from tests.references.figures import make_copies

pytestmark = pytest.mark.django_db

STATISTICS = "/api/model_references/statistics"
EMPTY = ("[]", "{}", "[]")


@pytest.fixture
def clock(monkeypatch):
    return stop_clock(monkeypatch)


@pytest.fixture
def horde(settings, monkeypatch, clock):
    run_calls_inline(monkeypatch)
    with running_horde() as horde:
        settings.HORDE_URL = horde.url
        yield horde


def risk(category=IMAGE_CATEGORY, query="", **headers):
    return ask(f"{STATISTICS}/{category}/deletion-risk?{query}", headers=headers)


def names(answer):
    return [model["name"] for model in answer.json()["models"]]


def columns_of(answer):
    return list(csv.DictReader(io.StringIO(answer.body.decode())))


def test_the_first_error_is_the_one_told():
    make_record("clip", "a")
    assert risk("clip", "preset=nope&limit=0").status == 422
    answer = risk("clip", "preset=nope")
    assert (answer.status, answer.json()["detail"]) == (
        400,
        "Deletion risk analysis is only supported for image_generation and text_generation categories",
    )
    assert risk(IMAGE_CATEGORY, "preset=nope").status == 400
    answer = risk(IMAGE_CATEGORY)
    assert (answer.status, answer.json()["detail"]) == (
        404,
        "Category 'image_generation' not found or has no models",
    )


def test_an_empty_preset_is_none():
    make_record(IMAGE_CATEGORY, "a")
    make_copies("image", *EMPTY)
    assert risk(query="preset=").json() == risk().json()


def test_variations_are_ignored_for_images_and_groups():
    make_record(IMAGE_CATEGORY, "A v1")
    make_record(TEXT_CATEGORY, "A-7B")
    make_copies("image", "[]", '{"month": {"A v2": 5}}', "[]")
    make_copies("text", '[{"name": "koboldcpp/A-7B", "count": 1}]', '{"month": {"A-8B": 5}}', "[]")
    for query in ("", "include_backend_variations=1"):
        [image] = risk(query=query).json()["models"]
        assert (image["usage_month"], image["backend_variations"]) == (5, None)
        [group] = risk(TEXT_CATEGORY, f"group_text_models=1&{query}").json()["models"]
        assert (group["usage_month"], group["backend_variations"]) == (5, None)
    [model] = risk(TEXT_CATEGORY, "include_backend_variations=1").json()["models"]
    assert (model["usage_month"], len(model["backend_variations"])) == (0, 1)


def test_changes_and_new_figures_are_in_the_next_risk():
    make_record(IMAGE_CATEGORY, "a", at=1)
    make_copies("image", *EMPTY)
    assert names(risk()) == ["a"]
    make_record(IMAGE_CATEGORY, "b")
    assert names(risk()) == ["a", "b"]
    make_copies("image", "[]", '{"month": {"b": 1}}', "[]")
    assert names(risk()) == ["b", "a"]


def test_settings_decide_what_is_a_risk(settings):
    make_record(IMAGE_CATEGORY, "a", config={"download": [make_download("a")]})
    make_record(TEXT_CATEGORY, "b", config={"download": [{"file_name": "b", "file_url": "https://b.org/b"}]})
    usage = json.dumps({period: {"a": 1, "b": 1} for period in ("day", "month", "total")})
    for kind in ("image", "text"):
        make_copies(kind, "[]", usage, "[]")

    def first(category):
        return risk(category).json()["models"][0]

    assert first(IMAGE_CATEGORY)["deletion_risk_flags"]["has_non_preferred_host"]
    settings.PREFERRED_FILE_HOSTS = ["example.org"]
    assert not first(IMAGE_CATEGORY)["deletion_risk_flags"]["has_non_preferred_host"]
    settings.LOW_USAGE_THRESHOLD_PERCENTAGE = 100.1
    assert first(IMAGE_CATEGORY)["deletion_risk_flags"]["low_usage"]
    assert not first(TEXT_CATEGORY)["deletion_risk_flags"]["low_usage"]
    settings.TEXT_GEN_LOW_USAGE_THRESHOLD_PERCENTAGE = 100.1
    assert first(TEXT_CATEGORY)["deletion_risk_flags"]["low_usage"]
    assert not first(TEXT_CATEGORY)["has_warning"]
    settings.TEXT_GEN_IGNORE_DOWNLOAD_HOSTS = False
    assert first(TEXT_CATEGORY)["has_warning"]
    assert first(TEXT_CATEGORY)["is_critical"]
    settings.TEXT_GEN_CRITICAL_USAGE_THRESHOLD = 1
    assert not first(TEXT_CATEGORY)["is_critical"]
    settings.TEXT_GEN_CRITICAL_USAGE_THRESHOLD = 10
    settings.TEXT_GEN_CRITICAL_WORKER_THRESHOLD = 0
    assert not first(TEXT_CATEGORY)["is_critical"]


def test_without_the_ai_horde_there_is_no_risk_and_no_failure_is_kept(horde):
    make_record(IMAGE_CATEGORY, "Painter")
    horde.mode = "503"
    answer = risk()
    assert (answer.status, type(answer.json()["detail"])) == (503, str)
    assert answer.headers["cache-control"] == "no-store"
    assert max(horde.calls.values()) == 3
    horde.mode = "ok"
    assert risk().json()["models"][0]["worker_count"] == 4


def test_after_five_failures_the_ai_horde_is_left_alone(horde, clock):
    make_record(IMAGE_CATEGORY, "Painter")
    horde.mode = "404"
    while not circuit_state()["degraded"]:
        assert risk().status == 503
    assert circuit_state()["consecutive_failures"] >= OPEN_AT
    calls = dict(horde.calls)
    clock.now += 119
    assert risk().status == 503
    assert dict(horde.calls) == calls


def test_old_figures_serve_while_the_ai_horde_is_down(horde):
    make_record(IMAGE_CATEGORY, "Painter")
    assert risk().status == 200
    UsageSnapshot.objects.update(fetched_at=1.0)
    horde.mode = "500"
    for _ in range(OPEN_AT + 1):
        assert risk().json()["models"][0]["worker_count"] == 4


def test_an_alias_joins_groups_from_the_next_answer_on():
    for name in ("A-7B", "B-7B"):
        make_record(TEXT_CATEGORY, name)
    make_copies("text", *EMPTY)
    assert names(risk(TEXT_CATEGORY, "group_text_models=1")) == ["A", "B"]
    aliases_put(canonical="A", aliases=["B"])
    assert names(risk(TEXT_CATEGORY, "group_text_models=1")) == ["A"]
    assert names(risk(TEXT_CATEGORY)) == ["A-7B", "B-7B"]


# CSV --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "accept", "media_type"),
    [
        ("", None, "application/json"),
        ("", "*/*", "application/json"),
        ("", "", "application/json"),
        ("", "text/csv", "text/csv; charset=utf-8"),
        ("", "text/csv, */*;q=0.1", "text/csv; charset=utf-8"),
        ("", "text/*", "text/csv; charset=utf-8"),
        ("", "application/json, text/csv", "application/json"),
        ("", "application/json;q=0.5, text/csv;q=0.4", "application/json"),
        ("", "text/csv;q=0, */*", "application/json"),
        ("", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "application/json"),
        ("", "image/png", "application/json"),
        ("", "nonsense;;q=x,,", "application/json"),
        ("format=csv", "application/json", "text/csv; charset=utf-8"),
        ("format=json", "text/csv", "application/json"),
    ],
)
def test_json_unless_the_client_prefers_csv(query, accept, media_type):
    make_record(IMAGE_CATEGORY, "a")
    make_copies("image", *EMPTY)
    answer = risk(IMAGE_CATEGORY, query, **({} if accept is None else {"Accept": accept}))
    assert answer.status == 200
    assert answer.headers["content-type"] == media_type
    assert {name.strip() for name in answer.headers["vary"].split(",")} >= {"Accept", "Accept-Encoding"}


def test_an_unknown_format_is_a_bad_parameter():
    answer = risk(query="format=xml")
    assert answer.status == 422
    assert answer.json()["detail"][0]["loc"] == ["query", "format"]


def test_the_table_holds_what_the_json_does():
    for name in ("a", "b"):
        make_record(IMAGE_CATEGORY, name, description="fine", size_on_disk_bytes=2**30)
    make_copies("image", '[{"name": "a", "count": 1}]', '{"month": {"a": 1, "b": 2}}', "[]")
    answer = risk(query="format=csv")
    assert answer.headers["content-disposition"] == (
        'attachment; filename="image_generation-deletion-risk.csv"'
    )
    rows = columns_of(answer)
    assert [row["name"] for row in rows] == ["b", "a"]
    assert rows[1] | {"deletion_flags": None} == {
        "name": "a",
        "category": IMAGE_CATEGORY,
        "at_risk": "true",
        "risk_score": "3",
        "is_critical": "false",
        "has_warning": "true",
        "worker_count": "1",
        "usage_day": "0",
        "usage_month": "1",
        "usage_total": "0",
        "usage_percentage_of_category": "33.3333",
        "size_gb": "1.0",
        "cost_benefit_score": "1.0",
        "baseline": "stable_diffusion_xl",
        "nsfw": "false",
        "has_description": "true",
        "download_count": "0",
        "download_hosts": "",
        **{flag.value: "false" for flag in RiskFlag},
        "zero_usage_day": "true",
        "zero_usage_total": "true",
        "no_download_urls": "true",
        "deletion_flags": None,
    }


def test_a_table_is_paged_and_filtered_like_the_json():
    for name in "abc":
        make_record(IMAGE_CATEGORY, name)
    make_copies("image", '[{"name": "b", "count": 1}]', "{}", "[]")
    rows = columns_of(risk(query="format=csv&preset=no_workers&limit=1&offset=1"))
    assert [row["name"] for row in rows] == ["c"]
    assert columns_of(risk(query="format=csv&offset=9")) == []


@pytest.mark.parametrize(
    "name",
    ["=1+1", "+1", "-1", "@SUM(A1)", " =1", "\u3000=1", "＝1", "＋1", "－1", "＠x", '=HYPERLINK("x","y")'],
)
def test_no_cell_is_a_formula(name):
    record_put(category=IMAGE_CATEGORY, name=name, record=make_v2(IMAGE_CATEGORY, "x") | {"name": name})
    make_copies("image", *EMPTY)
    [row] = columns_of(risk(query="format=csv"))
    assert row["name"] == f"'{name}"


def test_commas_quotes_and_lines_stay_in_their_cell():
    name = 'a,"b"\nü'
    record_put(category=IMAGE_CATEGORY, name=name, record=make_v2(IMAGE_CATEGORY, "x") | {"name": name})
    make_copies("image", *EMPTY)
    [row] = columns_of(risk(query="format=csv"))
    assert row["name"] == name


def test_the_table_is_conditional_and_not_taken_for_the_json():
    make_record(IMAGE_CATEGORY, "a")
    make_copies("image", *EMPTY)
    table, whole = risk(query="format=csv"), risk()
    assert table.headers["etag"] != whole.headers["etag"]
    again = risk(query="format=csv", **{"If-None-Match": table.headers["etag"]})
    assert (again.status, again.body) == (304, b"")
    assert "content-disposition" not in again.headers
