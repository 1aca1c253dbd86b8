import pytest

from references.vocabulary import CanonicalFormat, ReplicateMode
from tests.references.api import V1, V2

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("path", ["/api", "/api/"])
def test_the_root_names_the_documentation(client, path):
    answer = client.get(path)
    assert answer.status_code == 200
    assert "/api/docs" in answer.json()["message"]


@pytest.mark.parametrize("base", [V1, V2])
def test_each_version_introduces_itself(client, base):
    message = client.get(f"{base}/info").json()["message"]
    assert isinstance(message, str)
    assert message.strip()


@pytest.mark.parametrize(
    ("mode", "canonical", "answer"),
    [
        (ReplicateMode.PRIMARY, CanonicalFormat.V2, ("PRIMARY", "v2", True)),
        (ReplicateMode.PRIMARY, CanonicalFormat.LEGACY, ("PRIMARY", "legacy", True)),
        (ReplicateMode.REPLICA, CanonicalFormat.V2, ("REPLICA", "v2", False)),
        (ReplicateMode.REPLICA, CanonicalFormat.LEGACY, ("REPLICA", "legacy", False)),
    ],
)
@pytest.mark.parametrize("prefix", ["/api", ""])
def test_the_deployment_tells_its_mode(client, settings, mode, canonical, answer, prefix):
    settings.REPLICATE_MODE, settings.CANONICAL_FORMAT = mode, canonical
    told = client.get(f"{prefix}/replicate_mode")
    assert told.status_code == 200
    assert told.json() == dict(zip(("replicate_mode", "canonical_format", "writable"), answer, strict=True))
    assert told.headers["Cache-Control"] == "no-store"


def test_the_heartbeat_of_a_deployment_that_never_called_the_horde(client):
    beat = client.get("/api/heartbeat")
    assert beat.status_code == 200
    assert beat.json() == {
        "status": "ok",
        "ai_horde": {"degraded": False, "consecutive_failures": 0, "seconds_until_retry": None},
    }
    assert beat.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "path",
    [
        "/api/replicate_mode",
        "/api/heartbeat",
        f"{V2}/info",
        f"{V2}/model_categories",
        f"{V2}/search",
        f"{V1}/info",
    ],
)
def test_a_replica_with_legacy_format_still_answers(client, settings, path):
    settings.REPLICATE_MODE, settings.CANONICAL_FORMAT = ReplicateMode.REPLICA, CanonicalFormat.LEGACY
    assert client.get(path).status_code == 200


@pytest.mark.parametrize("path", ["/api/docs", "/api/redoc"])
def test_the_documentation_is_a_page_that_needs_no_other_host(client, path, settings):
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    page = client.get(path)
    assert page.status_code == 200
    assert page.headers["Content-Type"].startswith("text/html")
    assert "openapi.json" in page.content.decode()
    assert "//cdn" not in page.content.decode()


def test_the_openapi_document_tells_its_version_and_its_server(client):
    document = client.get("/api/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    assert document["info"]["title"] == "Horde Model Reference API"
    assert document["servers"][0]["url"].endswith("/api")
