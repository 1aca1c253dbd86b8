"""A live server of two processes over an AI-Horde that accepts connections and does not answer."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from references.horde.usage import STATUS_CALLS, USAGE_CALLS
from tests.hordedouble import FIND_USER, HordeDouble, running_horde
from tests.moderation.processes import Site, live_server, throwaway_store

RISK = "model_references/statistics/image_generation/deletion-risk"
POPULAR = "model_references/v2/image_generation/popular"
ROLES = "model_references/v2/me/roles"
CLIP = "model_references/v2/clip"
REQUESTS = 16
READS = 50
# Seconds. No read may take nearly as long as what waits for the AI-Horde.
READ_PATIENCE = 5


@pytest.fixture
def horde() -> Iterator[HordeDouble]:
    with running_horde() as horde:
        yield horde


@pytest.fixture
def site(tmp_path: Path, horde: HordeDouble) -> Iterator[Site]:
    with throwaway_store(tmp_path) as store:
        store.manage("load_starter")
        with live_server(
            store, workers=2, HORDE_URL=horde.url, HORDE_MODEL_REFERENCE_STATIC_API_KEYS=""
        ) as site:
            yield site


def test_reads_are_answered_while_requests_wait_for_the_ai_horde(site, horde):
    horde.mode = "held"
    with ThreadPoolExecutor(3 * REQUESTS) as threads:
        risks = [threads.submit(site.send, "GET", RISK) for _ in range(REQUESTS)]
        popular = [threads.submit(site.send, "GET", POPULAR) for _ in range(REQUESTS)]
        keys = [threads.submit(site.send, "GET", ROLES, key=f"made-up-{n}") for n in range(REQUESTS)]
        horde.await_calls(STATUS_CALLS["image"].path, 1)
        horde.await_calls(FIND_USER, 1)
        for _ in range(READS):
            answer = requests.get(
                f"{site.base}/{CLIP}", headers={"Connection": "close"}, timeout=READ_PATIENCE
            )
            assert (answer.status_code, "ViT-L/14" in answer.json()) == (200, True)
        horde.released.set()
    assert {future.result().status_code for future in risks} <= {200, 503}
    assert {future.result().status_code for future in popular} == {200}
    assert {future.result().status_code for future in keys} <= {401, 503}
    assert horde.calls[STATUS_CALLS["image"].path] == horde.calls[USAGE_CALLS["image"].path] == 1
    assert horde.calls[FIND_USER] < REQUESTS
    assert site.send("GET", RISK).status_code == 200
