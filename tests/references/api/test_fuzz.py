import json
from contextlib import nullcontext
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from config.wsgi import application, django_application
from references.categories import CATEGORIES
from tests.factories import make_record
from tests.references.api import V1, V2, Answer, ask
from tests.references.processes import fresh_process

pytestmark = pytest.mark.django_db

FUZZ = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

ROUTES = [
    f"{V2}/{{}}",
    f"{V2}/{{}}/model/{{}}",
    f"{V2}/{{}}/search",
    f"{V2}/search",
    f"{V2}/info",
    f"{V2}/model_categories",
    f"{V2}/metadata/{{}}",
    f"{V2}/metadata/{{}}/last_updated",
    f"{V1}/{{}}",
    f"{V1}/text_generation",
    "/api/heartbeat",
    "/api/replicate_mode",
    "/api/{}",
    "/{}",
]
PARAMETERS = [
    "nsfw",
    "baseline",
    "inpainting",
    "tags_any",
    "tags_all",
    "tags_none",
    "name_contains",
    "backend",
    "exclude_backend_variations",
    "quantized",
    "sort_by",
    "sort_desc",
    "limit",
    "offset",
    "source",
    "include_group",
    "unknown",
]
HOSTILE = [
    "",
    "%00",
    "a%00b",
    "%2F",
    "%252F",
    "%2e%2e",
    "..",
    "%ff",
    "%c3",
    "%ed%a0%80",
    "%f5%80%80%80",
    "%",
    "%zz",
    "%0a",
    "%0d%0aSet-Cookie:a=b",
    "%e2%80%ae",
    "%EF%BB%BF",
    "/",
    "//",
    "+",
    ";",
    "'",
    "%22",
    "' OR 1=1 --".replace(" ", "%20"),
    "{{7*7}}",
    "__class__",
    "config__download__file_name",
    "metadata__" * 200,
    "-0",
    "+1",
    "1_0",
    "0x10",
    "1e400",
    "NaN",
    "-Infinity",
    "9" * 30,
    "9" * 5000,
    "%D9%A3",
    "null",
    "[]",
    "true",
    "x" * 10_000,
    "%F0%9F%A6%84" * 900,
]

encoded = st.one_of(
    st.text(max_size=12).map(lambda text: quote(text.encode("utf-8", "surrogatepass"), safe="/")),
    st.binary(max_size=8).map(lambda data: "".join(f"%{byte:02x}" for byte in data)),
)
pieces = st.one_of(st.sampled_from(HOSTILE), encoded)
segments = st.one_of(st.sampled_from([*CATEGORIES, "A", "Org/M-7B", "metadata", "search"]), pieces)
values = st.one_of(st.sampled_from(["true", "name", "horde", "1", "anime"]), pieces)
queries = st.lists(st.tuples(st.sampled_from(PARAMETERS) | pieces, values), max_size=6)


@pytest.fixture(autouse=True)
def a_few_models() -> None:
    make_record("image_generation", "A", tags=["anime"], size_on_disk_bytes=10)
    make_record("text_generation", "Org/M-7B")
    make_record("clip", "Org/M-7B")


def target_of(route: str, filling: list[str], query: list[tuple[str, str]]) -> str:
    path = route.format(*filling)
    return path + "?" + "&".join(f"{name}={value}" for name, value in query) if query else path


def assert_well_behaved(target: str, answer: Answer) -> None:
    shown = target[:300]
    assert answer.status < 500, shown
    assert "set-cookie" not in answer.headers, shown
    assert not any("\r" in value or "\n" in value for value in answer.headers.values()), shown
    if answer.status == 307:
        assert answer.headers["location"].startswith("/"), shown
        assert not answer.headers["location"].startswith("//"), shown
        return
    assert answer.headers["content-type"] == "application/json", shown
    body = json.loads(answer.body.decode())
    if answer.status == 200:
        return
    assert answer.status in (400, 404, 422), shown
    assert list(body) == ["detail"], shown
    assert body["detail"], shown
    if not isinstance(body["detail"], str):
        assert answer.status == 422, shown
        assert all(problem["type"] and problem["loc"] and problem["msg"] for problem in body["detail"]), shown


@FUZZ
@given(
    route=st.sampled_from(ROUTES), filling=st.tuples(segments, segments), query=queries, cold=st.booleans()
)
@example(route=f"{V2}/{{}}/model/{{}}", filling=("lora", "%00"), query=[], cold=True)
@example(route=f"{V2}/{{}}/model/{{}}", filling=("clip", "%ed%a0%80"), query=[], cold=True)
@example(route=f"{V2}/search", filling=("", ""), query=[("baseline", "%00")], cold=False)
@example(route=f"{V2}/search", filling=("", ""), query=[("name_contains", "%ed%a0%80")], cold=False)
@example(route=f"{V2}/search", filling=("", ""), query=[("limit", "9" * 5000)], cold=False)
@example(route=f"{V2}/search", filling=("", ""), query=[("offset", "9" * 18)], cold=False)
@example(route=f"{V2}/search", filling=("", ""), query=[("sort_by", "config__download")], cold=False)
@example(route=f"{V1}/{{}}", filling=("text_generation", ""), query=[("include_group", "%ff")], cold=False)
def test_no_request_breaks_a_read(route, filling, query, cold):
    target = target_of(route, list(filling), query)
    with fresh_process() if cold else nullcontext():
        assert_no_break(target)


def assert_no_break(target: str) -> None:
    # Whoever sends another page than the API has one to show, which is no answer of the API.
    if not target.startswith(("/api/model_references", "/api/heartbeat", "/api/replicate_mode")):
        assert ask(target).status < 500
        return
    served, by_django = ask(target, application=application), ask(target, application=django_application)
    assert_well_behaved(target, served)
    assert (served.status, served.body) == (by_django.status, by_django.body)


@FUZZ
@given(
    headers=st.dictionaries(
        st.sampled_from(
            [
                "If-None-Match",
                "Accept-Encoding",
                "Accept",
                "apikey",
                "Cookie",
                "Content-Type",
                "If-Modified-Since",
                "Range",
                "Origin",
                "Host",
                "X-Forwarded-Proto",
            ]
        ),
        st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=40)
        | st.sampled_from(["*", '"', 'W/"', "gzip;q=", "gzip;q=1e", "gzip;q=...", "," * 5000, '"a",' * 2000]),
        max_size=5,
    ),
    path=st.sampled_from(["clip", "clip/model/Org/M-7B", "search", "model_categories"]),
)
def test_no_header_breaks_a_read(headers, path):
    target = f"{V2}/{path}"
    answer = ask(target, headers=headers)
    assert answer.status in (200, 304, 400, 431), headers
    if answer.status == 200:
        assert "content-encoding" in answer.headers or json.loads(answer.body)


@FUZZ
@given(method=st.sampled_from(["HEAD", "OPTIONS", "PATCH", "TRACE", "get", "X-MADE-UP"]), filling=segments)
def test_no_method_breaks_a_read(method, filling):
    for route in (f"{V2}/{{}}", f"{V2}/clip/model/{{}}", f"{V1}/{{}}"):
        answer = ask(route.format(filling), method=method)
        assert answer.status < 500
        if answer.status == 405:
            assert (answer.json(), "GET" in answer.headers["allow"]) == (
                {"detail": "Method Not Allowed"},
                True,
            )
