import gzip
import json
from urllib.parse import urlsplit

import pytest
from django.test import Client

from config.wsgi import django_application
from references.api import records, search
from references.api.hot import HotReads
from references.api.responses import accepts_gzip
from references.models import Category
from tests.factories import make_record
from tests.references.api import V1, V2, ask

pytestmark = pytest.mark.django_db

# One of each kind of answer that is made of stored or computed bytes.
READS = [
    f"{V2}/image_generation",
    f"{V1}/image_generation",
    f"{V1}/stable_diffusion.json",
    f"{V1}/text_generation",
    f"{V1}/text_generation?include_group=true",
    f"{V2}/image_generation/model/Org%2FModel-7B",
    f"{V2}/image_generation/search",
    f"{V2}/search?limit=1",
    f"{V2}/model_categories",
    f"{V1}/model_categories",
    f"{V2}/info",
    f"{V1}/info",
    f"{V2}/metadata/metadata",
    f"{V2}/metadata/clip",
    f"{V2}/metadata/last_updated",
    "/api/openapi.json",
]
STORED = READS[:6]
REFUSED = [
    (f"{V2}/bogus", 404),
    (f"{V2}/lora", 404),
    (f"{V2}/clip/model/none", 404),
    (f"{V1}/bogus", 422),
    (f"{V2}/search?limit=0", 422),
    (f"{V2}/search?sort_by=bogus", 400),
    (f"{V1}/metadata/clip", 503),
    ("/api/nowhere", 404),
    ("/nowhere", 404),
    ("/api/model_references/v3/clip", 404),
    ("/api/model_references", 404),
    (f"{V2}/clip/model", 404),
    (f"{V2}/clip/bogus", 404),
]


@pytest.fixture(autouse=True)
def some_models() -> None:
    for category in ("image_generation", "text_generation", "clip"):
        make_record(category, "Org/Model-7B", description="words " * 300)


# Representations


@pytest.mark.parametrize("url", READS)
def test_reads_are_json_that_caches_may_keep_and_no_one_tracks(url):
    answer = ask(url)
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["content-length"] == str(len(answer.body))
    assert answer.headers["vary"] == "Accept-Encoding"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "set-cookie" not in answer.headers
    assert answer.headers["cache-control"].startswith("public, ")
    assert answer.headers["etag"].startswith('"')
    json.loads(answer.body)


@pytest.mark.parametrize("url", STORED)
def test_stored_bytes_tell_how_long_they_hold_and_of_which_revision_they_are(url):
    headers = ask(url).headers
    assert headers["cache-control"] == "public, max-age=0, stale-if-error=86400"
    assert headers["x-model-reference-revision"] == "1"
    assert headers["last-modified"].endswith(" GMT")
    make_record("image_generation", "other")
    make_record("text_generation", "other")
    assert ask(url).headers["x-model-reference-revision"] == "2"


@pytest.mark.parametrize("url", READS)
@pytest.mark.parametrize("encoding", ["", "gzip"])
def test_a_client_that_holds_an_answer_is_told_so(url, encoding):
    asked = {"Accept-Encoding": encoding}
    first = ask(url, headers=asked)
    tag = first.headers["etag"]
    for held in (tag, f"W/{tag}", f'"other", {tag}', f'{tag},"other"', "*", f"  {tag}  "):
        again = ask(url, headers={**asked, "If-None-Match": held})
        assert (again.status, again.body) == (304, b""), held
        for header in ("etag", "cache-control", "vary", "x-model-reference-revision", "last-modified"):
            assert again.headers.get(header) == first.headers.get(header), header
        assert "content-type" not in again.headers
        assert "content-encoding" not in again.headers
    for other in ('"other"', "", tag.strip('"'), tag.upper().replace('"', ""), '"', "W/"):
        assert ask(url, headers={**asked, "If-None-Match": other}).body == first.body, other


@pytest.mark.parametrize("url", [url for url in READS if "info" not in url])
def test_compressed_answers_are_the_same_under_another_tag(url):
    plain, packed = ask(url), ask(url, headers={"Accept-Encoding": "gzip"})
    if len(plain.body) < 1000:
        assert packed == plain
        return
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body
    assert packed.headers["content-length"] == str(len(packed.body))
    assert "content-encoding" not in plain.headers
    assert packed.headers["etag"] != plain.headers["etag"]
    assert packed.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"
    # Whoever holds one representation holds the content of the other.
    assert ask(url, headers={"If-None-Match": packed.headers["etag"]}).status == 304


@pytest.mark.parametrize(
    ("accepted", "packed"),
    [
        ("", False),
        ("gzip", True),
        ("GZIP", True),
        ("x-gzip", True),
        ("deflate, gzip;q=1.0, *;q=0.5", True),
        ("gzip;q=0.001", True),
        ("gzip ; q=1", True),
        ("*", True),
        ("br, *;q=0.1", True),
        ("gzip;q=0", False),
        ("gzip;q=0.000", False),
        ("gzip; q=0, *", False),
        ("*;q=0", False),
        ("identity;q=1, *;q=0", False),
        ("br", False),
        ("identity", False),
        ("agzip", False),
        ("gzipped", False),
    ],
)
def test_compression_is_the_clients_choice(accepted, packed):
    assert accepts_gzip(accepted) is packed


@pytest.mark.parametrize("url", READS)
def test_head_tells_what_get_would(url):
    client = Client()
    for headers in ({}, {"Accept-Encoding": "gzip"}):
        got, head = client.get(url, headers=headers), client.head(url, headers=headers)
        assert (head.status_code, head.content) == (200, b"")
        assert dict(head.headers) == dict(got.headers)
        assert head.headers["Content-Length"] == str(len(got.content))
    held = client.head(url, headers={"If-None-Match": got.headers["ETag"]})
    assert held.status_code == 304


@pytest.mark.parametrize("url", READS)
def test_a_key_makes_no_difference_to_a_read(url):
    plain = ask(url)
    for key in ("nonsense", "", "ü".encode().decode("latin-1"), "x" * 5000):
        assert ask(url, headers={"apikey": key}) == plain, key


@pytest.mark.parametrize("url", STORED)
def test_tags_follow_the_content(url):
    before = ask(url).headers["etag"]
    for category in ("image_generation", "text_generation"):
        make_record(category, "Org/Model-7B", description="other " * 300)
    changed = ask(url, headers={"If-None-Match": before})
    assert changed.status == 200
    assert changed.headers["etag"] != before
    for category in ("image_generation", "text_generation"):
        make_record(category, "Org/Model-7B", description="words " * 300)
    assert ask(url).headers["etag"] == before


def test_last_modified_is_when_the_category_was_last_changed():
    Category.objects.filter(pk="clip").update(last_updated=1_700_000_000)
    for url in (f"{V2}/clip", f"{V1}/clip", f"{V2}/clip/model/Org/Model-7B"):
        assert ask(url).headers["last-modified"] == "Tue, 14 Nov 2023 22:13:20 GMT"


# Errors


@pytest.mark.parametrize(("url", "status"), REFUSED)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_errors_are_json_that_no_cache_keeps(client, url, status, method):
    answer = client.generic(method, url)
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in answer.headers
    if method == "GET":
        assert list(answer.json()) == ["detail"]
        assert answer.json()["detail"]


@pytest.mark.parametrize("path", ["/api/nowhere", "/nowhere", "/api/model_references/v2", "/api/nowhere/"])
def test_an_unknown_route_is_not_found_by_any_method(path):
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        answer = ask(path, method=method)
        assert (answer.status, answer.json()) == (404, {"detail": "Not Found"}), method


@pytest.mark.parametrize(
    "url", [url.partition("?")[0] for url in READS] + ["/api/docs", "/api/heartbeat", "/api"]
)
def test_a_wrong_method_is_told_with_the_right_ones(url):
    for method in ("PATCH", "TRACE", "PROPFIND"):
        answer = ask(url, method=method)
        assert (answer.status, answer.json()) == (405, {"detail": "Method Not Allowed"}), method
        assert {"GET", "HEAD", "OPTIONS"} <= set(answer.headers["allow"].split(", "))
        assert method not in answer.headers["allow"]


@pytest.mark.parametrize("url", [f"{V2}/search", f"{V2}/info", f"{V2}/model_categories", "/api/openapi.json"])
def test_what_can_only_be_read_takes_no_other_method(url):
    for method in ("POST", "PUT", "DELETE"):
        answer = ask(url, method=method, body=b"{}", headers={"Content-Type": "application/json"})
        assert (answer.status, answer.json()) == (405, {"detail": "Method Not Allowed"}), method
        assert answer.headers["allow"] == "GET, HEAD, OPTIONS"


@pytest.mark.parametrize(
    "url", [f"{V2}/clip", f"{V2}/clip/model/none", f"{V1}/clip", f"{V2}/search", "/api/heartbeat"]
)
def test_options_tells_the_methods(url):
    answer = ask(url, method="OPTIONS")
    assert answer.status == 200
    assert {"GET", "HEAD", "OPTIONS"} <= set(answer.headers["allow"].split(", "))


@pytest.mark.parametrize(
    ("module", "name", "url"),
    [(records, "record_document", f"{V2}/clip/model/x"), (search, "search_all", f"{V2}/search")],
)
def test_a_failure_of_our_own_is_json_without_details(monkeypatch, module, name, url):
    def fail(*arguments):
        raise ZeroDivisionError("secret")

    monkeypatch.setattr(module, name, fail)
    answer = Client(raise_request_exception=False).get(url)
    assert (answer.status_code, answer.json()) == (500, {"detail": "Internal Server Error"})
    assert answer.headers["Cache-Control"] == "no-store"


def test_too_many_parameters_are_a_bad_request(client):
    answer = client.get(f"{V2}/search?" + "&".join("tags_any=x" for _ in range(5000)))
    assert (answer.status_code, answer.json()) == (400, {"detail": "Bad Request"})


# Spelling of paths


@pytest.mark.parametrize(
    ("url", "location"),
    [
        (f"{V2}/image_generation/", f"{V2}/image_generation"),
        (f"{V2}/image_generation/?a=b&c=%20", f"{V2}/image_generation?a=b&c=%20"),
        (f"{V2}/clip/model/Org/Model-7B/", f"{V2}/clip/model/Org/Model-7B"),
        (f"{V2}/clip/model/100%25%3F%23/", f"{V2}/clip/model/100%25%3F%23"),
        (f"{V2}/clip/model/%C3%BC%20x/", f"{V2}/clip/model/%C3%BC%20x"),
        (f"{V2}/search/?tags_any=a&tags_any=b", f"{V2}/search?tags_any=a&tags_any=b"),
        (f"{V1}/db.json/", f"{V1}/db.json"),
        (f"{V2}/metadata/last_updated/", f"{V2}/metadata/last_updated"),
        ("/api/heartbeat/", "/api/heartbeat"),
        ("/api/docs/", "/api/docs"),
        ("/model_references/v2/clip/", "/model_references/v2/clip"),
    ],
)
def test_one_slash_too_many_is_redirected_with_method_and_query(url, location):
    for method in ("GET", "HEAD", "POST", "PUT", "DELETE"):
        answer = ask(url, method=method, body=b"{}")
        assert answer.status == 307, method
        # Absolute or relative, it must lead there.
        parts = urlsplit(answer.headers["location"])
        assert parts.netloc in ("", "testserver")
        assert parts.path + ("?" + parts.query if parts.query else "") == location
        assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "url",
    [f"{V2}/image_generation//", f"{V2}//", "/api//", "//example.org/", f"{V2}/clip/bogus/", "/api/nowhere/"],
)
def test_other_slashes_are_not_redirected(url):
    assert ask(url).status == 404


def test_the_redirect_leads_to_the_answer():
    redirected = ask(f"{V2}/clip/model/Org/Model-7B/?a=b")
    assert ask(redirected.headers["location"]).json()["name"] == "Org/Model-7B"


# Other origins

LISTED, OTHER = "https://app.example", "https://evil.example"
PREFLIGHT = {"Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "apikey, x-mine"}


@pytest.mark.parametrize("url", [f"{V2}/clip", f"{V2}/search", f"{V2}/clip/model/new", "/api/nowhere"])
@pytest.mark.parametrize(
    ("allowed", "origin", "welcome"),
    [
        ([LISTED], LISTED, True),
        ([LISTED], OTHER, False),
        ([LISTED], LISTED.replace("https", "http"), False),
        ([LISTED], f"{LISTED}:8443", False),
        ([LISTED], "null", False),
        ([], LISTED, False),
        (["*"], OTHER, True),
    ],
)
def test_pages_of_listed_origins_may_read_and_others_get_the_answer_without_leave(
    settings, url, allowed, origin, welcome
):
    settings.CORS_ALLOW_ALL_ORIGINS = "*" in allowed
    settings.CORS_ALLOWED_ORIGINS = [] if "*" in allowed else allowed

    plain, simple = ask(url), ask(url, headers={"Origin": origin})
    assert (simple.status, simple.body) == (plain.status, plain.body)
    assert simple.headers.get("access-control-allow-origin") == (origin if welcome else None)
    assert simple.headers.get("access-control-allow-credentials") == ("true" if welcome else None)

    preflight = ask(url, method="OPTIONS", headers={"Origin": origin, **PREFLIGHT})
    if not welcome:
        assert preflight.status == 400
        assert preflight.headers["content-type"].startswith("text/plain")
        assert "access-control-allow-origin" not in preflight.headers
        return
    assert preflight.status == 200
    assert preflight.headers["access-control-allow-origin"] == origin
    assert preflight.headers["access-control-allow-credentials"] == "true"
    assert preflight.headers["access-control-allow-headers"] == "apikey, x-mine"
    assert preflight.headers["access-control-max-age"] == "600"
    methods = preflight.headers["access-control-allow-methods"].split(", ")
    assert sorted(methods) == ["DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT"]


def test_answers_that_depend_on_the_origin_say_so(settings):
    settings.CORS_ALLOWED_ORIGINS = [LISTED]
    served = HotReads(django_application)
    for headers in ({}, {"Origin": LISTED}, {"Origin": OTHER}):
        vary = ask(f"{V2}/clip", headers=headers, application=served).headers["vary"].lower()
        assert {"accept-encoding", "origin"} <= {name.strip() for name in vary.split(",")}, headers


def test_pages_may_read_the_headers_that_tell_of_revisions(settings):
    settings.CORS_ALLOWED_ORIGINS = [LISTED]
    exposed = ask(f"{V2}/clip", headers={"Origin": LISTED}).headers["access-control-expose-headers"]
    assert {"ETag", "Location", "X-Model-Reference-Revision"} <= set(exposed.split(", "))
