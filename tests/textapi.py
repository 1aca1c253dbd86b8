"""Asks the text toolkit as its clients do."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.http import HttpResponse
from django.test import Client

from tests.hordedouble import HordeDouble, running_horde

TEXT = "/api/model_references/v2/text_generation"
REQUESTOR = "key-requestor"

_client = Client()


@contextmanager
def known_keys(settings: Any) -> Iterator[HordeDouble]:
    """An AI-Horde that knows the keys, and allowlists with their owners."""
    settings.QUEUE_REQUESTOR_IDS = frozenset({"101"})
    settings.QUEUE_APPROVER_IDS = frozenset({"900"})
    with running_horde() as horde:
        settings.HORDE_URL = horde.url
        yield horde


def ask(method: str, path: str, body: Any = None, *, apikey: str | None = None) -> HttpResponse:
    return _client.generic(
        method,
        f"{TEXT}/{path}",
        b"" if body is None else json.dumps(body),
        content_type="application/json",
        headers={} if apikey is None else {"apikey": apikey},
    )


def got(path: str) -> tuple[int, Any]:
    """Status and body of a read."""
    response = ask("GET", path)
    return response.status_code, response.json()


def wrote(method: str, path: str, body: Any = None) -> tuple[int, Any]:
    """Status and body of a write by a requestor; None for an empty body."""
    response = ask(method, path, body, apikey=REQUESTOR)
    return response.status_code, response.json() if response.content else None


def problems(answer: Any) -> list[tuple[str, list]]:
    """Type and place of what a 422 complains of."""
    return [(problem["type"], problem["loc"]) for problem in answer["detail"]]
