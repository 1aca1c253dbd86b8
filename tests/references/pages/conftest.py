"""What the tests of the pages share."""

import time

import pytest
from django.test import Client
from pytest_django import Settings

from references.horde import HordeUnavailable
from references.horde.usage import STATUS_CALLS, USAGE_CALLS, WORKER_CALLS
from references.models import UsageSnapshot
from references.pages import panels
from tests.references.figures import recorded_bodies


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    """The pages as they are without other apps, and with one host of pictures."""
    for place in (
        "record_panels",
        "record_actions",
        "category_actions",
        "selection_actions",
        "row_badges",
        "navigation",
        "header",
    ):
        monkeypatch.setattr(panels, place, [])
    settings.SHOWCASE_HOSTS = ["raw.githubusercontent.com"]


@pytest.fixture
def browser(client: Client) -> Client:
    """A client that asks for pages."""
    client.defaults["HTTP_ACCEPT"] = "text/html"
    return client


@pytest.fixture
def usage(db: None) -> None:
    """What the AI-Horde was recorded to say, as if it came just now."""
    for kind in ("image", "text"):
        calls = (STATUS_CALLS[kind], USAGE_CALLS[kind], WORKER_CALLS[kind])
        for call, body in zip(calls, recorded_bodies(kind), strict=True):
            UsageSnapshot.objects.create(path=call.path, body=body, fetched_at=time.time())


@pytest.fixture(autouse=True)
def quiet_horde(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless a test has usage, the AI-Horde has never answered."""

    def refuse(*args: object, **kwargs: object) -> None:
        raise HordeUnavailable("down")

    if "usage" not in request.fixturenames:
        monkeypatch.setattr("references.pages.usage.usage_data", refuse)
