"""The OpenAPI document and the pages that show it, as they are asked for."""

import time
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import pytest
from django.test import Client

from config import openapi
from config.openapi import openapi_document


def test_the_document_is_built_once_however_many_ask_for_it_first(monkeypatch: pytest.MonkeyPatch):
    builds = []

    class Generator:
        def get_schema(self, public: bool) -> dict:
            builds.append(public)
            time.sleep(0.05)
            return {"openapi": "3.1.0"}

    monkeypatch.setattr(openapi, "ApiSchemaGenerator", Generator)
    monkeypatch.setattr(openapi, "_document", cache(openapi._document.__wrapped__))
    with ThreadPoolExecutor(4) as threads:
        bodies = [document.body for document in threads.map(lambda _: openapi_document(), range(4))]
    assert (bodies, builds) == ([b'{"openapi": "3.1.0"}'] * 4, [True])


@pytest.mark.parametrize("prefix", ["", "/api"])
@pytest.mark.parametrize("path", ["openapi.json", "docs", "redoc"])
def test_the_document_and_its_pages_are_read_only(prefix: str, path: str):
    client = Client(enforce_csrf_checks=True)
    response = client.post(f"{prefix}/{path}")
    assert (response.status_code, response.json()) == (405, {"detail": "Method Not Allowed"})
    assert response.headers["Allow"] == "GET, HEAD, OPTIONS"
    asked = client.options(f"{prefix}/{path}")
    assert (asked.status_code, asked.content, asked.headers["Allow"]) == (200, b"", "GET, HEAD, OPTIONS")


@pytest.mark.parametrize("page", ["/api/docs", "/api/redoc"])
def test_the_pages_set_no_cookie_and_go_by_none(client: Client, page: str):
    response = client.get(page)
    assert (response.status_code, dict(response.cookies)) == (200, {})
    assert "cookie" not in response.headers.get("Vary", "").lower()
