"""Writes that wait for a long one, as an import is: reads go on."""

import sqlite3
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from functools import partial
from pathlib import Path

import pytest
from django.conf import settings

from config.limits import RETRY_AFTER
from tests.deployment.backends import ALL_IS_WELL, migrated
from tests.deployment.clients import V2
from tests.moderation.factories import IMAGES
from tests.moderation.processes import REQUESTOR, Site, at_once, live_server

pytestmark = pytest.mark.deployment

CROWD = 12
READS = 20
PATIENCE = 60


def proposed(site: Site, number: int) -> tuple[int, str, str | None]:
    record = {"name": f"model {number}", "baseline": "stable_diffusion_xl", "nsfw": False}
    answer = site.send("POST", f"{V2}/{IMAGES}", record, key=REQUESTOR)
    return answer.status_code, answer.json().get("detail", ""), answer.headers.get("Retry-After")


def done_of(proposals: list[Future], number: int) -> list[Future]:
    """So many of them, once these have an answer."""
    done: set[Future] = set()
    while len(done) < number:
        more, _ = wait(set(proposals) - done, PATIENCE, return_when=FIRST_COMPLETED)
        assert more, f"{len(done)} answers, not {number}"
        done |= more
    return list(done)


def test_reads_go_on_while_writes_wait_for_the_store(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite3"
    store = migrated(f"sqlite:///{path}", tmp_path)
    with live_server(store, workers=1) as site, ThreadPoolExecutor(CROWD) as threads:
        # The key is known from here on.
        assert site.send("GET", f"{V2}/me/roles", key=REQUESTOR).status_code == 200
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        proposals = [threads.submit(proposed, site, number) for number in range(CROWD)]
        refused = done_of(proposals, CROWD - settings.WRITE_PLACES)
        reads = at_once(*[partial(site.send, "GET", f"{V2}/{IMAGES}")] * READS)
        # The others still wait for the store, and no read waited for them.
        assert sum(proposal.done() for proposal in proposals) == len(refused)
        other.execute("ROLLBACK")
        other.close()
        assert {read.status_code for read in reads} == {200}
        busy = (503, "Too many writes are under way.", str(RETRY_AFTER))
        assert [proposal.result() for proposal in refused] == [busy] * len(refused)
        waited = [proposal.result()[0] for proposal in proposals if proposal not in refused]
        assert waited == [202] * settings.WRITE_PLACES
    assert ALL_IS_WELL in store.manage("rebuild_from_audit", "--check")
