"""Many clients read while changes are applied: no error, and nobody reads what is no longer true."""

import os
import time
from pathlib import Path

import pytest

from tests.deployment.backends import ALL_IS_WELL, Postgres, migrated
from tests.deployment.clients import Writer, reading
from tests.moderation.processes import Store, live_server

pytestmark = pytest.mark.deployment

CLIENTS = 64
SECONDS = float(os.environ.get("DEPLOYMENT_LOAD_SECONDS", "15"))


def test_readers_on_sqlite_see_each_change_once_it_is_answered(tmp_path: Path) -> None:
    assert_reads_are_true(migrated(f"sqlite:///{tmp_path / 'store.sqlite3'}", tmp_path))


def test_readers_on_postgresql_see_each_change_once_it_is_answered(
    postgres: Postgres, tmp_path: Path
) -> None:
    assert_reads_are_true(migrated(postgres.url, tmp_path))


def assert_reads_are_true(store: Store) -> None:
    with live_server(store, workers=2) as site:
        writer = Writer(site)
        writer.begin()
        with reading(writer, CLIENTS) as crowd:
            ends_at = time.monotonic() + SECONDS
            while time.monotonic() < ends_at:
                assert writer.write()
                time.sleep(1)
        assert crowd.faults == []
        assert set(crowd.statuses) == {200, 304}
        assert writer.failures == []
        assert all(reader.statuses[200] for reader in crowd.readers)
        assert "Traceback" not in site.logged()
    assert ALL_IS_WELL in store.manage("rebuild_from_audit", "--check")
