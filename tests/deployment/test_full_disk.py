"""SQLite's disk is full: writes are refused as a whole, reads go on, and writes do once there is room."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.deployment.backends import ALL_IS_WELL, migrated
from tests.deployment.clients import QUEUE, READS, V2, Writer, assert_plain_refusal
from tests.deployment.disks import SizeLimit, SmallDisk, size_limit, small_disk
from tests.moderation.factories import IMAGES
from tests.moderation.processes import APPROVER, REQUESTOR, Site, Store, live_server

pytestmark = pytest.mark.deployment

# Proposals of this size fill what room is left in files that are there already.
DESCRIPTION = "long " * 4000
MANY = 2000


@pytest.fixture(params=[small_disk, size_limit])
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SmallDisk | SizeLimit]:
    folder = tmp_path / "disk"
    folder.mkdir()
    with request.param(folder) as disk:
        yield disk


@pytest.fixture
def store(disk: SmallDisk | SizeLimit, tmp_path: Path) -> Store:
    return migrated(f"sqlite:///{disk.folder}/store.sqlite3", tmp_path)


def propose(site: Site, name: str) -> requests.Response:
    record = {"name": name, "baseline": "stable_diffusion_xl", "nsfw": False, "description": DESCRIPTION}
    return site.send("POST", f"{V2}/{IMAGES}", record, key=REQUESTOR)


def approve(site: Site, *ids: int) -> requests.Response:
    decision = {"batch_title": "A batch", "approved_ids": ids}
    return site.send("POST", f"{QUEUE}/batches", decision, key=APPROVER)


def apply(site: Site, change_id: int) -> requests.Response:
    return site.send("POST", f"{QUEUE}/changes/{change_id}/apply", {}, key=APPROVER)


def queued(site: Site) -> list[tuple[int, str]]:
    listed = site.send("GET", f"{QUEUE}/changes?limit=500", key=APPROVER)
    assert listed.status_code == 200
    return sorted((item["change_id"], item["status"]) for item in listed.json()["items"])


def assert_refused(answer: requests.Response) -> None:
    assert answer.status_code == 503, answer.text
    assert_plain_refusal(answer.status_code, answer.headers["Cache-Control"], answer.content)


def test_a_full_disk_refuses_writes_alone(disk: SmallDisk | SizeLimit, store: Store) -> None:
    with live_server(store, workers=2) as site:
        writer = Writer(site)
        writer.begin()
        first, second = (propose(site, name).json()["change_id"] for name in ("first", "second"))
        assert approve(site, first).ok
        disk.fill()
        proposed = []
        for number in range(MANY):
            answer = propose(site, f"filling {number}")
            if answer.status_code != 202:
                break
            proposed.append(answer.json()["change_id"])
        assert_refused(answer)
        before = queued(site)
        live = [site.send("GET", path).content for path in READS]
        for number in range(5):
            assert_refused(propose(site, f"refused {number}"))
            assert_refused(apply(site, first))
            assert_refused(approve(site, second))
        assert queued(site) == before
        assert [site.send("GET", path).content for path in READS] == live
        assert site.send("GET", f"{V2}/{IMAGES}/model/first").status_code == 404
        disk.free()
        assert apply(site, first).status_code == 200
        assert site.send("GET", f"{V2}/{IMAGES}/model/first").status_code == 200
        assert approve(site, second).status_code == 200
        assert writer.write()
    assert ALL_IS_WELL in store.manage("rebuild_from_audit", "--check")
