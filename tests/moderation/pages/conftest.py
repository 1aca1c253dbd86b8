"""What the tests of these pages share: an AI-Horde, allowlists, and people who are signed in."""

from collections.abc import Callable, Iterator

import pytest
from django.test import Client
from pytest_django import Settings

from references.horde import HordeUnavailable, users
from tests.hordedouble import HordeDouble, running_horde

KEYS = {"Rita": "key-requestor", "Ada": "key-approver", "Paul": "key-plain"}
SignIn = Callable[..., Client]


@pytest.fixture(autouse=True)
def allowlists(settings: Settings) -> None:
    """Rita proposes, Ada approves."""
    settings.QUEUE_REQUESTOR_IDS = frozenset({"101"})
    settings.QUEUE_APPROVER_IDS = frozenset({"900"})


@pytest.fixture(autouse=True)
def quiet_usage(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless a test has usage, the AI-Horde has never said how much its models are used."""

    def refuse(*args: object, **kwargs: object) -> None:
        raise HordeUnavailable("down")

    if "usage" not in request.fixturenames:
        for module in ("references.pages.usage", "moderation.pages.dependents", "moderation.desk.model_use"):
            monkeypatch.setattr(f"{module}.usage_data", refuse)


@pytest.fixture
def horde(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[HordeDouble]:
    monkeypatch.setattr(users, "CHECK_TIMEOUT", 0.5)
    with running_horde() as horde:
        settings.HORDE_URL = horde.url
        yield horde


@pytest.fixture
def sign_in(db: None, horde: HordeDouble) -> SignIn:
    """Signs someone in; answers their browser. Rita is a requestor, Ada an approver, Paul has no role."""

    def signed_in(name: str) -> Client:
        client = Client(headers={"Accept": "text/html"})
        assert client.post("/sign-in", {"apikey": KEYS[name]}).status_code == 303
        return client

    return signed_in
