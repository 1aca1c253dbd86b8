"""PostgreSQL goes away under load and comes back: the outage is told plainly, and nothing answered is lost."""

import socket
import time
from functools import partial
from pathlib import Path

import pytest
from pytest_django import DjangoDbBlocker

from config.databases import POSTGRES_OPTIONS
from moderation.models import PendingChange
from moderation.states import Status
from tests.deployment.backends import ALL_IS_WELL, Postgres, migrated
from tests.deployment.clients import (
    ANSWER_PATIENCE,
    OUT_OF_REACH,
    READS,
    Writer,
    assert_plain_refusal,
    reading,
    writing,
)
from tests.moderation.processes import at_once, live_server

pytestmark = pytest.mark.deployment

READERS = 12
CONNECT_TIMEOUT = int(POSTGRES_OPTIONS["connect_timeout"])


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_an_outage_ends_without_anybody_s_help(
    mode: str, postgres: Postgres, tmp_path: Path, django_db_blocker: DjangoDbBlocker
) -> None:
    store = migrated(postgres.url, tmp_path)
    with live_server(store, workers=2) as site:
        writer = Writer(site)
        writer.begin()
        with reading(writer, READERS) as crowd, writing(writer) as faults:
            crowd.await_answers(30, ok=True)
            stopping_at = time.monotonic()
            postgres.stop(mode)
            served = crowd.successes
            crowd.await_answers(30, ok=False)
            # Of each reader one answer may have been on its way.
            assert crowd.successes - served <= READERS
            postgres.start()
            started_at, applied = time.monotonic(), len(writer.applied)
            while len(writer.applied) < applied + 3 and not faults:
                crowd.await_answers(10, ok=True)
        assert faults == crowd.faults == []
        moments = [failure.begun for failure in crowd.failures]
        # A read that began just before may have met the end.
        assert stopping_at - ANSWER_PATIENCE < min(moments) < max(moments) < started_at
    with store.connected(django_db_blocker):
        changes = PendingChange.objects.in_bulk(writer.proposed)
        assert [*changes] == writer.proposed
        assert {changes[change_id].status for change_id in writer.applied} == {Status.APPLIED}
    assert ALL_IS_WELL in store.manage("rebuild_from_audit", "--check")


def test_a_server_that_lets_nobody_in_is_not_waited_for(postgres: Postgres, tmp_path: Path) -> None:
    store = migrated(postgres.url, tmp_path)
    with live_server(store, workers=1) as site:
        writer = Writer(site)
        writer.begin()
        postgres.stop("fast")
        with socket.create_server(("127.0.0.1", postgres.port)):
            begun = time.monotonic()
            for read in at_once(*[partial(site.send, "GET", path) for path in READS]):
                assert read.status_code in OUT_OF_REACH
                assert_plain_refusal(read.status_code, read.headers["Cache-Control"], read.content)
            # A request tries more than once.
            assert time.monotonic() - begun < 8 * CONNECT_TIMEOUT
            assert not writer.write()
        postgres.start()
        assert [site.send("GET", path).status_code for path in READS] == [200] * len(READS)
        assert writer.write()
    assert ALL_IS_WELL in store.manage("rebuild_from_audit", "--check")
