"""Calls the API as the people of these tests do."""

import json
from typing import Any

from django.http import HttpResponse
from django.test import Client

V1 = "/api/model_references/v1"
V2 = "/api/model_references/v2"
QUEUE = f"{V2}/pending_queue"
PEOPLE = {
    "key-plain": "Paul#555",
    "key-requestor": "Rita#101",
    "key-requestor2": "Ravi#102",
    "key-approver": "Ada#900",
}
PLAIN, REQUESTOR, REQUESTOR2, APPROVER = PEOPLE
# An id that no change has, and one that no database has room for.
UNKNOWN, HUGE = 999_999_999, "9" * 40

_client = Client()


def send(
    method: str,
    path: str,
    body: Any = b"",
    *,
    key: str | None = None,
    content_type: str = "application/json",
    **headers: str,
) -> HttpResponse:
    """The answer to one request. Bytes are the body as it is; underscores in names of headers are hyphens."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return _client.generic(
        method,
        path,
        body if isinstance(body, bytes) else json.dumps(body),
        content_type=content_type,
        headers=sent | ({} if key is None else {"apikey": key}),
    )


def told(response: HttpResponse) -> tuple[int, Any]:
    """Status and body."""
    return response.status_code, response.json() if response.content else None


def read(path: str, *, key: str = APPROVER) -> Any:
    """What a read of the queue answers."""
    response = send("GET", f"{QUEUE}/{path}", key=key)
    assert response.status_code == 200, response.content
    return response.json()


def act(path: str, body: Any = b"", *, key: str = APPROVER) -> tuple[int, Any]:
    """What an act on the queue answers."""
    return told(send("POST", f"{QUEUE}/{path}", body, key=key))


def problems(response: HttpResponse) -> tuple[int, list[tuple[str, list]]]:
    """Status, and type and place of what is wrong with the request."""
    return response.status_code, [(problem["type"], problem["loc"]) for problem in response.json()["detail"]]


def image(name: str, **fields: Any) -> dict[str, Any]:
    """The least that is an image record."""
    return {"name": name, "baseline": "stable_diffusion_xl", "nsfw": False, **fields}


def legacy_image(name: str, **fields: Any) -> dict[str, Any]:
    return {"name": name, "baseline": "stable diffusion 1", "nsfw": False, **fields}
