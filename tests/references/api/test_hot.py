import time
from urllib.parse import quote

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.db import OperationalError

from config.middleware import page_headers
from config.wsgi import application, django_application
from references.api import hot
from references.api.hot import HotReads
from references.categories import CATEGORIES
from references.horde.usage import STATUS_CALLS, USAGE_CALLS
from references.models import UsageSnapshot
from tests.factories import make_record
from tests.references.api import V1, V2, Answer, ask
from tests.references.figures import recorded_bodies

pytestmark = pytest.mark.django_db

ROUTES = sorted(HotReads(django_application).routes)
REQUESTS = {
    "plain": {},
    "gzip": {"Accept-Encoding": "gzip, deflate, br"},
    "gzip refused": {"Accept-Encoding": "gzip;q=0, identity"},
    "anything": {"Accept-Encoding": "*"},
    "held": {"If-None-Match": "*"},
    "held by tag": {"If-None-Match": 'W/"{digest}", "other"'},
    "held, gzip": {"If-None-Match": '"{digest}-gzip"', "Accept-Encoding": "gzip"},
    "not held": {"If-None-Match": '"other"'},
    "wrong key": {"apikey": "nonsense"},
    "cookies": {"Cookie": "sessionid=nonsense; csrftoken=nonsense"},
    "browser": {"Accept": "text/html", "Accept-Language": "de", "Referer": "http://testserver/"},
    "proxied": {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "example.org"},
}


class Elsewhere:
    """An application that only remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, environ, start_response):
        self.asked.append(f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}?{environ['QUERY_STRING']}")
        start_response("418 I'm a teapot", [("Content-Type", "text/plain")])
        return [b""]


@pytest.fixture
def elsewhere() -> Elsewhere:
    return Elsewhere()


def one_in_each_category() -> None:
    for category in CATEGORIES:
        # Long enough for the compressed body to be sent.
        make_record(category, "Org/Model-7B", description="words " * 300)


def given(headers: dict[str, str], route: str) -> dict[str, str]:
    digest = ask(route, application=django_application).headers.get("etag", "").strip('"')
    return {name: value.replace("{digest}", digest) for name, value in headers.items()}


def without_request_id(answer: Answer) -> Answer:
    """Each request has one of its own; only answers that no cache keeps tell it."""
    answer.headers.pop("x-request-id", None)
    return answer


def differences(
    routes: list[str], headers: dict[str, str], *, application: HotReads = application
) -> dict[str, tuple[Answer, Answer]]:
    """The routes at which the two applications do not answer the same."""
    found = {}
    for route in routes:
        sent = given(headers, route)
        served = without_request_id(ask(route, headers=sent, application=application))
        by_django = without_request_id(ask(route, headers=sent, application=django_application))
        if served != by_django:
            found[route] = (served._replace(body=b""), by_django._replace(body=b""))
            assert served.body == by_django.body, route
    return found


def test_the_routes_are_all_spellings_of_whole_categories():
    assert len(ROUTES) == 2 * (14 + 2 * 11 + 1)
    for path in (f"{V2}/clip", "/model_references/v2/ti", f"{V1}/stable_diffusion.json", f"{V1}/db.json"):
        assert path in ROUTES


@pytest.mark.parametrize("request_headers", REQUESTS.values(), ids=REQUESTS)
def test_hot_reads_answer_what_django_answers_to_the_last_header(request_headers):
    one_in_each_category()
    assert ask(ROUTES[0], headers=given(request_headers, ROUTES[0])).status in (200, 304)
    assert differences(ROUTES, request_headers) == {}


def test_hot_reads_answer_what_django_answers_of_the_real_reference(real_reference):
    for headers in ({}, {"Accept-Encoding": "gzip"}):
        assert differences(ROUTES, headers) == {}


NAMES = [
    "plain",
    "Org/Model-7B",
    "a/b/c",
    "model",
    "search",
    "x/name_exception",
    "with space",
    "1+1",
    "100%",
    "what?",
    "#1",
    "Ünïcödé 模型 🦙",
    "e\u0301",
    "\u00e9",
    "Ã©",
    "a%2Fb",
]


@pytest.mark.parametrize("request_headers", REQUESTS.values(), ids=REQUESTS)
def test_single_records_are_what_django_answers_to_the_last_header(request_headers):
    routes = []
    for category in ("clip", "text_generation", "lora"):
        for name in NAMES:
            make_record(category, name, description="words " * 300, version=name)
            routes += [f"{V2}/{category}/model/{quote(name, safe=safe)}" for safe in ("", "/")]
    routes += [route.removeprefix("/api") for route in routes[:3]]
    assert ask(routes[0], headers=given(request_headers, routes[0])).status in (200, 304)
    assert differences(routes, request_headers) == {}


@pytest.mark.parametrize("is_read_before", [True, False])
def test_single_records_do_not_reach_django(elsewhere, is_read_before):
    for name in NAMES:
        make_record("clip", name, version=name)
    if is_read_before:
        ask(f"{V2}/clip")
    for name in NAMES:
        for safe in ("", "/"):
            target = f"{V2}/clip/model/{quote(name, safe=safe)}"
            assert ask(target, application=HotReads(elsewhere)).json()["version"] == name
    assert elsewhere.asked == []


@pytest.mark.parametrize(
    "name",
    [
        "",
        "/",
        "none",
        "Plain",
        "plain/",
        "plain//",
        "plain%0A",
        "%00",
        "%FF",
        "%ED%A0%80",
        "%C3",
        "%C0%AF",
        "..",
    ],
)
def test_names_that_find_nothing_get_django_s_answer(name):
    # Names that no rule lets in, but that no path of Django's leads to either.
    for stored in ("plain", "plain/", "plain\n"):
        make_record("clip", stored)
    routes = [f"{V2}/clip/model/{name}", f"{V2}/none/model/{name}", f"{V2}/cl%FFip/model/{name}"]
    assert {ask(route).status for route in routes} <= {404, 307}
    assert differences(routes, {}) == {}


def test_hot_reads_answer_what_django_answers_of_nothing(empty_reference):
    assert differences(ROUTES, {}) == {}


def test_hot_reads_vary_as_django_s_do_when_pages_elsewhere_may_read(settings):
    settings.CORS_ALLOWED_ORIGINS = ["https://example.org"]
    one_in_each_category()
    served = HotReads(django_application, page_headers)
    for headers in ({}, {"Origin": "https://example.org"}, {"Origin": "https://example.net"}):
        assert differences(ROUTES[:20], headers, application=served) == {}


def test_hot_reads_do_not_reach_django(elsewhere):
    one_in_each_category()
    for route in ROUTES:
        if route.endswith(tuple(f"v1/{name}" for name in ("video_generation", "lora"))):
            continue
        assert ask(route, application=HotReads(elsewhere)).status == 200
    assert elsewhere.asked == []


@pytest.mark.parametrize(
    ("target", "method", "headers"),
    [
        (f"{V2}/clip", "HEAD", {}),
        (f"{V2}/clip", "POST", {}),
        (f"{V2}/clip", "OPTIONS", {}),
        (f"{V2}/clip?", "DELETE", {}),
        (f"{V2}/clip?a=b", "GET", {}),
        (f"{V1}/text_generation?include_group=true", "GET", {}),
        (f"{V2}/clip", "GET", {"Origin": "https://example.org"}),
        (f"{V2}/clip/", "GET", {}),
        (f"{V2}/CLIP", "GET", {}),
        (f"{V2}/clip/model/Org%2FModel-7B", "HEAD", {}),
        (f"{V2}/clip/model/Org%2FModel-7B", "DELETE", {}),
        (f"{V2}/clip/model/Org%2FModel-7B?a=b", "GET", {}),
        (f"{V2}/clip/model/Org%2FModel-7B", "GET", {"Origin": "https://example.org"}),
        (f"{V2}/clip/model/Org%2FModel-7B/", "GET", {}),
        (f"{V2}/clip/model/Org%252FModel-7B", "GET", {}),
        (f"{V2}/clip/model/org%2FModel-7B", "GET", {}),
        (f"{V2}/clip/model/Org%2FModel-7B%0A", "GET", {}),
        (f"{V2}/clip/model/%FF", "GET", {}),
        (f"{V2}/clip/model/%00", "GET", {}),
        (f"{V2}/clip/model/", "GET", {}),
        (f"{V2}/CLIP/model/Org%2FModel-7B", "GET", {}),
        (f"{V2}/text_generation/clip/model/Org%2FModel-7B", "GET", {}),
        (f"{V1}/clip/model/Org%2FModel-7B", "GET", {}),
        (f"/{V2}/clip/model/Org%2FModel-7B", "GET", {}),
        (f"{V2}/clip/search", "GET", {}),
        (f"{V2}/clip.json", "GET", {}),
        (f"{V2}/stable_diffusion", "GET", {}),
        (f"{V1}/clip.json.json", "GET", {}),
        (f"{V1}/lora", "GET", {}),
        (f"{V1}/video_generation", "GET", {}),
        ("/", "GET", {}),
        (f"{V2}/cl%FFip", "GET", {}),
    ],
)
def test_everything_else_is_left_to_django(elsewhere, target, method, headers):
    one_in_each_category()
    answer = ask(target, method=method, headers=headers, application=HotReads(elsewhere))
    assert (answer.status, len(elsewhere.asked)) == (418, 1)


def test_an_empty_category_is_left_to_django(empty_reference, elsewhere):
    assert ask(f"{V2}/clip", application=HotReads(elsewhere)).status == 418


@pytest.mark.parametrize(
    "failure", [OperationalError("gone"), RuntimeError("never rests"), ValueError("torn")]
)
def test_a_failure_to_read_is_left_to_django_that_answers_in_json(elsewhere, monkeypatch, failure):
    def fail(category):
        raise failure

    monkeypatch.setattr(hot, "snapshot", fail)
    assert ask(f"{V2}/clip", application=HotReads(elsewhere)).status == 418


def test_a_failure_to_read_a_record_is_left_to_django(elsewhere, monkeypatch):
    def fail(category, name):
        raise OperationalError("gone")

    monkeypatch.setattr(hot, "record_document", fail)
    assert ask(f"{V2}/clip/model/a", application=HotReads(elsewhere)).status == 418


@pytest.mark.parametrize("view", ["v2", "v1"])
def test_a_failure_to_make_the_document_is_left_to_django_too(elsewhere, monkeypatch, view):
    def fail(category):
        class Torn:
            rows = ("one",)

            def __getattr__(self, name):
                raise OperationalError("gone")

        return Torn()

    monkeypatch.setattr(hot, "snapshot", fail)
    assert ask(f"/api/model_references/{view}/clip", application=HotReads(elsewhere)).status == 418


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "testserver:99999"},
        {"Host": ""},
        {"X-Forwarded-Host": "evil.example"},
    ],
    ids=str,
)
def test_a_strange_host_gets_the_same_from_both(headers):
    one_in_each_category()
    assert differences([f"{V2}/clip", f"{V1}/clip.json"], headers) == {}


@pytest.mark.parametrize(
    "deployment",
    [
        {},
        {"SECURE_HSTS_SECONDS": 60, "SECURE_HSTS_PRELOAD": True},
        {"SECURE_SSL_REDIRECT": True},
        {"SECURE_SSL_REDIRECT": True, "ALLOWED_HOSTS": ["testserver"]},
        {"SECURE_CROSS_ORIGIN_OPENER_POLICY": None, "X_FRAME_OPTIONS": "SAMEORIGIN"},
    ],
    ids=str,
)
def test_hot_reads_follow_the_settings_of_the_deployment(settings, deployment):
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    for name, value in deployment.items():
        setattr(settings, name, value)
    one_in_each_category()
    by_django = WSGIHandler()
    served = HotReads(by_django, page_headers)
    for proto in ("https", "http", "https, http", ""):
        headers = {"X-Forwarded-Proto": proto}
        assert ask(f"{V2}/clip", headers=headers, application=served) == ask(
            f"{V2}/clip", headers=headers, application=by_django
        ), proto


SEARCHES = [
    "",
    "limit=1",
    "name_contains=o&limit=1",
    "limit=1&limit=2",
    "name_contains=%C3%BC",
    "sort_by=name&sort_desc=true",
]


@pytest.mark.parametrize("request_headers", REQUESTS.values(), ids=REQUESTS)
def test_searches_asked_before_are_what_django_answers_to_the_last_header(request_headers):
    one_in_each_category()
    make_record("lora", "ü d", description="words " * 300)
    routes = [f"{V2}/{category}/search?{query}" for category in ("clip", "lora") for query in SEARCHES]
    routes.append(f"/model_references/v2/lora/search?{SEARCHES[1]}")
    for route in routes:
        assert ask(route).status == 200
    assert differences(routes, request_headers) == {}


def test_a_search_asked_before_does_not_reach_django_until_the_category_changes(elsewhere):
    make_record("lora", "a")
    target = f"{V2}/lora/search?limit=3"
    assert ask(target, application=HotReads(elsewhere)).status == 418
    assert ask(target).json()["total"] == 1
    assert ask(target, application=HotReads(elsewhere)).json()["total"] == 1
    make_record("lora", "b")
    assert ask(target, application=HotReads(elsewhere)).status == 418
    assert ask(target).json()["total"] == 2


def test_a_refused_search_is_refused_again():
    make_record("lora", "a")
    for _ in range(2):
        assert ask(f"{V2}/lora/search?sort_by=nothing").status == 400
        assert ask(f"{V2}/lora/search?limit=0").status == 422


RISK = "/api/model_references/statistics/image_generation/deletion-risk"
RISKS = [f"{RISK}{query}" for query in ("", "?limit=1", "?format=json", "?format=csv", "?preset=zero_usage")]
ACCEPTED = {
    "json": {"Accept": "application/json"},
    "csv": {"Accept": "text/csv"},
    "csv before json": {"Accept": "application/json;q=0.5, text/csv"},
    "json before csv": {"Accept": "application/json, text/csv;q=0.5", "Accept-Encoding": "gzip"},
    "neither": {"Accept": "image/png"},
    "nothing": {"Accept": ""},
}


@pytest.fixture
def usage_told():
    for call, body in zip(
        (STATUS_CALLS["image"], USAGE_CALLS["image"]), recorded_bodies("image"), strict=False
    ):
        UsageSnapshot.objects.create(path=call.path, body=body, fetched_at=time.time())
    for name in ("Deliberate", "stable_diffusion", "never used"):
        make_record("image_generation", name, description="words " * 300)


@pytest.mark.parametrize("request_headers", (REQUESTS | ACCEPTED).values(), ids=REQUESTS | ACCEPTED)
def test_deletion_risk_asked_before_is_what_django_answers_to_the_last_header(usage_told, request_headers):
    for headers in ({}, *ACCEPTED.values(), request_headers):
        for route in RISKS:
            assert ask(route, headers=given(headers, route)).status in (200, 304)
    assert differences(RISKS, request_headers) == {}


def test_deletion_risk_varies_as_django_s_does_when_pages_elsewhere_may_read(settings, usage_told):
    settings.CORS_ALLOWED_ORIGINS = ["https://example.org"]
    served = HotReads(django_application, page_headers)
    for headers in ({}, {"Accept": "text/csv"}, {"Origin": "https://example.org"}):
        answer = ask(RISK, headers=headers, application=served)
        assert answer.headers["vary"] == "Accept-Encoding, Accept, origin"
        assert differences(RISKS, headers, application=served) == {}


@pytest.mark.parametrize(
    ("headers", "status"),
    [({}, 200), (ACCEPTED["json"], 200), (ACCEPTED["csv"], 418), (ACCEPTED["csv before json"], 418)],
)
def test_only_deletion_risk_as_json_is_answered_before_django(usage_told, elsewhere, headers, status):
    ask(RISK)
    ask(RISK, headers=headers)
    assert ask(RISK, headers=headers, application=HotReads(elsewhere)).status == status
    head = ask(RISK, method="HEAD", headers=headers, application=HotReads(elsewhere))
    assert head.status == 418
