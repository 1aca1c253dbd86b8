"""Who a key says one is."""

from collections.abc import Iterator
from typing import Any

import pytest

from references.horde import users
from references.vocabulary import ReplicateMode
from tests.hordedouble import HordeDouble, running_horde
from tests.moderation.api.callers import APPROVER, PLAIN, REQUESTOR, V1, V2, send, told

pytestmark = pytest.mark.django_db

ROLES = f"{V2}/me/roles"


@pytest.fixture
def horde(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[HordeDouble]:
    monkeypatch.setattr(users, "CHECK_TIMEOUT", 0.3)
    with running_horde() as double:
        settings.HORDE_URL = double.url
        settings.QUEUE_REQUESTOR_IDS = frozenset({"101"})
        settings.QUEUE_APPROVER_IDS = frozenset({"900"})
        yield double


@pytest.mark.parametrize(
    ("key", "user_id", "username", "roles"),
    [
        (PLAIN, "555", "Paul#555", []),
        (REQUESTOR, "101", "Rita#101", ["requestor"]),
        (APPROVER, "900", "Ada#900", ["approver", "requestor"]),
    ],
)
@pytest.mark.usefixtures("people")
def test_a_key_tells_who_one_is_and_what_one_may_do(key, user_id, username, roles):
    expected = {
        "user_id": user_id,
        "username": username,
        "roles": roles,
        "is_approver": "approver" in roles,
        "is_requestor": "requestor" in roles,
    }
    for version in (V1, V2):
        response = send("GET", f"{version}/me/roles", key=key)
        assert told(response) == (200, expected)
        assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.usefixtures("people")
def test_roles_are_told_on_every_kind_of_deployment(settings):
    settings.REPLICATE_MODE = ReplicateMode.REPLICA
    settings.QUEUE_ENABLED = False
    settings.QUEUE_APPROVER_IDS = settings.QUEUE_REQUESTOR_IDS = frozenset()
    assert told(send("GET", ROLES, key=APPROVER))[1]["roles"] == []


@pytest.mark.parametrize(
    ("mode", "key", "status", "detail"),
    [
        ("ok", None, 401, "Not authenticated"),
        ("ok", "", 401, "Not authenticated"),
        ("ok", "unknown", 401, "Invalid API key"),
        ("ok", "nohash", 401, "Invalid API key"),
        ("html", PLAIN, 401, "Invalid API key"),
        ("403", PLAIN, 401, "Invalid API key"),
        ("500", PLAIN, 503, "Auth service unavailable"),
        ("429", PLAIN, 503, "Auth service unavailable"),
        ("down", PLAIN, 503, "Auth service unavailable"),
        ("slow", PLAIN, 503, "Auth service timed out"),
    ],
)
def test_a_refusal_tells_whose_fault_it_is(horde, mode, key, status, detail):
    horde.users["nohash"] = "Nobody"
    horde.mode = mode
    for path in (ROLES, f"{V2}/clip/pending"):
        assert told(send("GET", path, key=key)) == (status, {"detail": detail})


@pytest.mark.parametrize(("username", "user_id"), [("a#b#77", "77"), ("Anon#0", "0")])
def test_the_id_follows_the_last_hash(horde, username, user_id):
    horde.users["key"] = username
    assert told(send("GET", ROLES, key="key"))[1]["user_id"] == user_id


def test_a_write_whose_key_cannot_be_checked_is_unavailable_and_leaves_nothing(horde):
    horde.mode = "down"
    assert send("POST", f"{V2}/clip", {"name": "N"}, key=REQUESTOR).status_code == 503
    horde.mode = "ok"
    assert send("POST", f"{V2}/clip", {"name": "N"}, key=REQUESTOR).json()["change_id"] >= 1
    assert horde.calls["find_user"] == 2
