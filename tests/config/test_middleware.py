import pytest
from django.http import HttpResponse
from django.test import RequestFactory

from config.middleware import CrossOriginMiddleware, TrailingSlashMiddleware, is_preflight

LISTED = "https://app.example"


def view(request):
    return HttpResponse("the view's answer", headers={"Vary": "Accept-Encoding"})


@pytest.fixture
def slashes():
    return TrailingSlashMiddleware(view)


@pytest.fixture
def origins():
    return CrossOriginMiddleware(view)


def preflight(origin: str = LISTED, **headers: str):
    return RequestFactory().options(
        "/api/heartbeat", headers={"Origin": origin, "Access-Control-Request-Method": "PUT", **headers}
    )


@pytest.mark.parametrize(
    ("path", "location"),
    [
        ("/api/heartbeat/", "/api/heartbeat"),
        ("/api/heartbeat/?a=b/&c=%2F", "/api/heartbeat?a=b/&c=%2F"),
        ("/api/heartbeat/?", "/api/heartbeat"),
        ("/api/model_references/v2/clip/model/a%3Fb%25/", "/api/model_references/v2/clip/model/a%3Fb%25"),
        ("/heartbeat/", "/heartbeat"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_one_slash_too_many_leads_to_the_path_without(slashes, path, location, method):
    answer = slashes(RequestFactory().generic(method, path))
    assert (answer.status_code, answer.headers["Location"], answer.content) == (307, location, b"")


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/api/",
        "/api/heartbeat",
        "/api/heartbeat//",
        "/admin/",
        "/admin/references/",
        "/api/nowhere/",
        "//",
    ],
)
def test_other_paths_reach_their_view(slashes, path):
    request = RequestFactory().get("/")
    request.path_info = request.path = path
    assert slashes(request).content == b"the view's answer"


def test_a_preflight_is_an_options_request_that_asks_for_a_method():
    assert is_preflight(preflight())
    assert not is_preflight(RequestFactory().options("/"))
    assert not is_preflight(RequestFactory().get("/", headers={"Access-Control-Request-Method": "PUT"}))


def test_without_listed_origins_preflights_are_refused_and_answers_stay_as_they_are(origins, settings):
    settings.CORS_ALLOWED_ORIGINS, settings.CORS_ALLOW_ALL_ORIGINS = [], False
    refused = origins(preflight())
    assert (refused.status_code, refused.headers["Content-Type"]) == (400, "text/plain")
    plain = origins(RequestFactory().get("/", headers={"Origin": LISTED}))
    assert (plain.content, plain.headers["Vary"]) == (b"the view's answer", "Accept-Encoding")
    assert "Access-Control-Allow-Origin" not in plain.headers


def test_a_listed_origin_may_ask_for_any_header(origins, settings):
    settings.CORS_ALLOWED_ORIGINS = [LISTED]
    answer = origins(preflight(**{"Access-Control-Request-Headers": "X-Any, apikey"}))
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == LISTED
    assert answer.headers["Access-Control-Allow-Headers"] == "X-Any, apikey"
    assert answer.headers["Access-Control-Max-Age"] == "600"
    assert origins(preflight("https://other.example")).status_code == 400


def test_with_every_origin_listed_the_one_that_asks_is_named(origins, settings):
    settings.CORS_ALLOW_ALL_ORIGINS = True
    answer = origins(preflight("https://other.example"))
    assert answer.headers["Access-Control-Allow-Origin"] == "https://other.example"
    assert answer.headers["Access-Control-Allow-Credentials"] == "true"


def test_an_options_request_that_is_no_preflight_reaches_its_view(origins, settings):
    for listed in ([], [LISTED]):
        settings.CORS_ALLOWED_ORIGINS = listed
        answer = origins(RequestFactory().options("/", headers={"Origin": LISTED}))
        assert answer.content == b"the view's answer"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "status"),
    [("/api/heartbeat", 200), ("/metrics", 404), ("/api/heartbeats", 301), ("/", 301), ("/x/metrics", 301)],
)
def test_who_watches_the_service_may_ask_its_own_port_where_others_go_to_https(
    client, settings, path, status
):
    settings.SECURE_SSL_REDIRECT, settings.METRICS_ENABLED = True, False
    assert client.get(path).status_code == status


@pytest.mark.django_db
def test_a_request_for_another_host_is_one_line_of_warning(client, settings, caplog):
    settings.SECURE_SSL_REDIRECT = True
    assert client.get("/", headers={"host": "evil.example"}).status_code == 400
    noted = [record for record in caplog.records if "evil.example" in record.getMessage()]
    assert [(record.levelname, record.exc_info) for record in noted] == [("WARNING", None)]
