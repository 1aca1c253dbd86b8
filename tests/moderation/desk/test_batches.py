"""The open batch in front, older ones behind it, and each batch with its changes and net effect."""

import csv
import io
import json

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from moderation.desk import applying_preview, batch_views, batches
from moderation.models import AuditEvent, Batch, PendingChange
from moderation.services import batch_apply, batch_decide, change_apply, queue_purge
from tests.moderation.factories import (
    ADA,
    BEN,
    IMAGES,
    RAVI,
    apply_at_once,
    approve,
    make_live,
    propose_create,
    propose_delete,
    propose_update,
)
from tests.references.pages.html import Page

pytestmark = pytest.mark.django_db
BATCHES = "/admin/batches/"
HOSTILE = "<script>alert('x')</script>"


@pytest.fixture
def ada(sign_in) -> Client:
    return sign_in("Ada")


def followed(client: Client, response) -> Page:
    """The page that the answer to a form leads to."""
    assert response.status_code == 303
    return Page(client.get(response.headers["Location"]))


def body(response) -> str:
    return b"".join(response.streaming_content).decode()


@pytest.mark.parametrize("path", [BATCHES, f"{BATCHES}1/", f"{BATCHES}1/export.json"])
def test_only_approvers_come_in(sign_in, client, path):
    approve(propose_create("painter"))
    for visitor in (client, sign_in("Rita")):
        assert visitor.get(path).headers["Location"] == f"/admin/login/?next={path}"


@pytest.mark.parametrize("path", [f"{BATCHES}1/revert/", f"{BATCHES}1/reopen/1/"])
def test_nobody_else_acts_on_a_batch(sign_in, client, path):
    change = propose_create("painter")
    approve(change)
    for visitor in (client, sign_in("Rita")):
        path = path.replace("reopen/1/", f"reopen/{change.change_id}/")
        assert visitor.post(path).headers["Location"] == "/admin/login/?next=/admin/queue/"
    change.refresh_from_db()
    assert (change.status, PendingChange.objects.count()) == ("approved", 1)


def test_the_open_batch_is_in_front_with_its_changes(ada):
    make_live("painter", description="old")
    critical, stale = propose_update("painter", nsfw=True), propose_create("newcomer")
    approve(critical, title="Spring")
    approve(stale, title="Late joiner", by=BEN)
    make_live("newcomer", description="somebody was faster")
    page = Page(ada.get(BATCHES))
    assert "Open batch 1" in page.text
    assert "Late joiner Apply all 2… Opened by Ada#900" in page.text
    assert (
        f"painter critical {critical.change_id} · Edit · Image generation · approved as “Spring”" in page.text
    )
    assert "newcomer stale" in page.text
    boxes = [box["value"] for box in page.all("input", name="change_ids")]
    assert boxes == [str(critical.change_id), str(stale.change_id)]
    assert "Ben#901" in page.text


def test_without_an_open_batch_the_page_says_so(ada):
    assert "No batch is open." in Page(ada.get(BATCHES)).text
    apply_at_once(propose_create("painter"))
    page = Page(ada.get(BATCHES))
    assert "No batch is open." in page.text
    assert "1 · A batch" in page.text


def test_older_batches_go_down_by_cursor_without_gap_or_repeat(ada, monkeypatch):
    monkeypatch.setattr(batches, "BATCH_PAGE_SIZE", 2)
    for name in ("one", "two", "three", "four", "five"):
        apply_at_once(propose_create(name))
    approve(propose_create("open"))
    seen, path = [], BATCHES
    while path:
        page = Page(ada.get(path))
        seen += [link for link in page.links if link.startswith(f"{BATCHES}") and link[-2].isdigit()]
        path = next((link for link in page.links if link.startswith(f"{BATCHES}?cursor=")), "")
    numbers = [int(link.split("/")[-2]) for link in dict.fromkeys(seen)]
    assert numbers == [6, 5, 4, 3, 2, 1]


@pytest.mark.parametrize("cursor", ["nonsense", "0", "99999999999999999999", "-1"])
def test_a_cursor_that_means_nothing_breaks_nothing(ada, cursor):
    approve(propose_create("painter"))
    assert ada.get(BATCHES, {"cursor": cursor}).status_code == 200


@pytest.mark.parametrize(
    "path", ["9/", "0/", "99999999999999999999/", "9/export.csv", "999999999999999999/export.json"]
)
def test_a_batch_that_is_not_there_is_not_found(ada, path):
    assert ada.get(BATCHES + path).status_code == 404


def test_a_batch_shows_each_change_with_its_events(ada):
    make_live("painter", description="old words")
    change = propose_update("painter", description="new words")
    rejected = propose_create("unwanted")
    batch_decide(
        actor=ADA,
        title="Spring",
        approved_ids=[change.change_id],
        rejected_ids=[rejected.change_id],
        reject_reason="Licence not clear",
    )
    batch_apply(actor=BEN, batch_id=1)
    page = Page(ada.get(f"{BATCHES}1/"))
    assert "Applied 1 Waiting 0 Rejected 1" in page.text
    assert "description old words new words" in page.text
    assert "3 events Proposed Edit Rita#101" in page.text
    assert "Applied Ben#901" in page.text
    assert "“Licence not clear”" in page.text


def test_purged_changes_stay_in_their_batch_without_a_page(ada):
    change = propose_create("painter")
    approve(change)
    queue_purge(actor=ADA, change_ids=[change.change_id])
    page = Page(ada.get(f"{BATCHES}1/"))
    assert "painter Approved purged" in page.text
    assert "Waiting 0" in page.text
    assert f"/admin/queue/{change.change_id}/" not in page.links
    assert page.all("form", action=f"{BATCHES}1/reopen/{change.change_id}/") == []


def test_the_net_effect_is_what_a_batch_came_to(ada):
    make_live("painter", description="first")
    make_live("old")
    approve(propose_update("painter", description="second"), propose_create("new"), propose_delete("old"))
    batch_apply(actor=ADA, batch_id=1)
    page = Page(ada.get(f"{BATCHES}1/?view=net"))
    assert "painter Changed Image generation" in page.text
    assert "description first second" in page.text
    assert "new Added" in page.text
    assert "old Removed" in page.text
    approve(propose_create("waiting"))
    assert "Nothing of it is live." in Page(ada.get(f"{BATCHES}2/?view=net")).text


def test_long_batches_have_pages(ada, monkeypatch):
    monkeypatch.setattr(batches, "MEMBER_PAGE_SIZE", 2)
    monkeypatch.setattr(batches, "NET_PAGE_SIZE", 2)
    approve(*(propose_create(name) for name in ("one", "two", "three")))
    batch_apply(actor=ADA, batch_id=1)
    for query in ("?", "?view=net&"):
        first = Page(ada.get(f"{BATCHES}1/{query}"))
        last = Page(ada.get(f"{BATCHES}1/{query}page=2"))
        beyond = Page(ada.get(f"{BATCHES}1/{query}page=99"))
        assert ("one" in first.text, "three" in first.text) == (True, False)
        assert ("two" in last.text, "three" in last.text) == (False, True)
        assert "three" in beyond.text


def queries(client: Client, path: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert client.get(path).status_code == 200
    return len(captured)


@pytest.mark.parametrize("path", ["", "1/", "1/?view=net", "2/", "?cursor=2"])
def test_what_a_page_does_not_show_costs_it_nothing(ada, monkeypatch, path):
    for size in ("MEMBER_PAGE_SIZE", "NET_PAGE_SIZE", "OPEN_SHOWN"):
        monkeypatch.setattr(batches, size, 2)
    approve(*(propose_create(f"first {number}") for number in range(3)))
    batch_apply(actor=ADA, batch_id=1)
    approve(*(propose_create(f"second {number}") for number in range(3)))
    few = queries(ada, BATCHES + path)
    more = [propose_create(f"third {number}") for number in range(6)]
    approve(*more)
    PendingChange.objects.with_ids(change.change_id for change in more[3:]).update(
        status="applied",
        batch_id=1,
        applied_by="900",
        applied_username="Ada#900",
        applied_at=1,
        applied_job_id="j",
        applied_event_id=99,
    )
    assert queries(ada, BATCHES + path) == few <= 13


def test_reverting_queues_proposals_and_says_so(ada):
    make_live("painter", description="first")
    approve(propose_update("painter", description="second"))
    batch_apply(actor=ADA, batch_id=1)
    assert "Undoing writes nothing live." in Page(ada.get(f"{BATCHES}1/")).text
    page = followed(ada, ada.post(f"{BATCHES}1/revert/"))
    proposed = PendingChange.objects.pending().get()
    assert (proposed.model_name, proposed.payload_as_dict()["description"]) == ("painter", "first")
    assert proposed.requested_by == "900"
    assert f"1 proposal to undo batch 1 now waits in the queue: {proposed.change_id}." in page.text
    assert f"Undoing this batch is proposed already: change {proposed.change_id} ." in page.text


def test_reverting_twice_proposes_once(ada):
    make_live("painter", description="first")
    approve(propose_update("painter", description="second"))
    batch_apply(actor=ADA, batch_id=1)
    ada.post(f"{BATCHES}1/revert/")
    page = followed(ada, ada.post(f"{BATCHES}1/revert/"))
    assert PendingChange.objects.pending().count() == 1
    assert "Nothing was proposed" in page.text


def test_a_batch_that_changed_nothing_cannot_be_reverted(ada):
    approve(propose_create("painter"))
    page = followed(ada, ada.post(f"{BATCHES}1/revert/"))
    assert "Nothing was proposed. Batch 1 changed nothing." in page.text
    assert PendingChange.objects.pending().count() == 0


def test_reopening_takes_one_change_out_of_the_batch(ada):
    change, other = propose_create("painter"), propose_create("other")
    approve(change, other)
    page = followed(ada, ada.post(f"{BATCHES}1/reopen/{change.change_id}/", {"reason": "Look again"}))
    change.refresh_from_db()
    assert (change.status, change.batch_id) == ("pending", None)
    assert f"Change {change.change_id} is pending again." in page.text
    assert AuditEvent.objects.last().payload_as_dict()["after"]["reason"] == "Look again"
    page = followed(ada, ada.post(f"{BATCHES}1/reopen/{change.change_id}/"))
    assert f"Not reopened. Change {change.change_id} is pending." in page.text


def test_reopening_the_last_change_leads_back_to_the_batches(ada):
    change = propose_create("painter")
    approve(change)
    response = ada.post(f"{BATCHES}1/reopen/{change.change_id}/")
    assert response.headers["Location"] == BATCHES


def test_a_batch_is_exported_as_json_with_its_events(ada):
    make_live("painter")
    approve(propose_update("painter", description="new"), title="Spring")
    batch_apply(actor=ADA, batch_id=1)
    response = ada.get(f"{BATCHES}1/export.json")
    assert response.headers["Content-Disposition"] == 'attachment; filename="batch-1.json"'
    exported = json.loads(body(response))
    assert (exported["batch_title"], exported["applied_change_count"]) == ("Spring", 1)
    assert [event["action"] for event in exported["changes"][0]["events"]] == ["enqueue", "approve", "apply"]


def test_long_batches_are_exported_whole(ada, monkeypatch):
    monkeypatch.setattr(batches, "EXPORT_PAGE", 2)
    approve(*(propose_create(name) for name in ("one", "two", "three")))
    exported = json.loads(body(ada.get(f"{BATCHES}1/export.json")))
    assert [change["model_name"] for change in exported["changes"]] == ["one", "two", "three"]


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_a_long_batch_is_exported_some_at_a_time(ada, monkeypatch, kind):
    monkeypatch.setattr(batches, "EXPORT_PAGE", 2)
    approve(*(propose_create(f"model {number}") for number in range(5)))
    text = body(ada.get(f"{BATCHES}1/export.{kind}"))
    assert [text.count(f"model {number}") > 0 for number in range(5)] == [True] * 5
    places = [text.index(f"model {number}") for number in range(5)]
    assert places == sorted(places)


def test_a_batch_is_exported_as_csv_that_computes_nothing(ada):
    approve(propose_create("=HYPERLINK(1)", by=RAVI))
    response = ada.get(f"{BATCHES}1/export.csv")
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(body(response))))
    assert rows[0]["model_name"] == "'=HYPERLINK(1)"
    assert (rows[0]["category"], rows[0]["requested_username"]) == (IMAGES, "Ravi#102")
    assert rows[0]["applied_at"] == ""
    assert rows[0]["approved_at"].endswith("Z")


@pytest.mark.parametrize(
    ("path", "module", "compared"),
    [
        (f"{BATCHES}1/", batch_views, "diff_rows"),
        (f"{BATCHES}1/?view=net", batch_views, "state_rows"),
        ("/admin/apply/1/", applying_preview, "diff_rows"),
    ],
)
def test_a_page_compares_the_records_of_each_change_once(ada, monkeypatch, path, module, compared):
    make_live("painter")
    changes = [propose_update("painter", description="new"), propose_create("other")]
    approve(*changes)
    if module is batch_views:
        batch_apply(actor=ADA, batch_id=1)
    calls, compare = [], getattr(module, compared)
    monkeypatch.setattr(module, compared, lambda *states: calls.append(states) or compare(*states))
    assert ada.get(path).status_code == 200
    assert len(calls) == len(changes)


@pytest.mark.parametrize("path", ["", "1/", "1/?view=net"])
def test_stored_words_stay_words(ada, path):
    make_live("painter")
    approve(propose_update("painter", description=HOSTILE), title=HOSTILE)
    batch_apply(actor=ADA, batch_id=1)
    approve(propose_create("other", description=HOSTILE), title=HOSTILE)
    page = Page(ada.get(BATCHES + path))
    assert [
        script["src"] for script in page.all("script") if not script.get("src", "").startswith("/static/")
    ] == []
    assert HOSTILE in page.text


def test_a_batch_of_what_was_left_behind_names_the_one_it_came_from(ada):
    one, two, three = (propose_create(name) for name in ("one", "two", "three"))
    approve(one, two, three, title="December")
    change_apply(actor=ADA, change_id=one.change_id)
    assert "Split from batch 1" in Page(ada.get(f"{BATCHES}2/")).text
    assert "split from batch 1" in Page(ada.get(BATCHES)).text
    change_apply(actor=ADA, change_id=two.change_id)
    page = Page(ada.get(BATCHES))
    assert "split from batch 2 ." in page.text
    assert "Ada#900 · split from batch 1" in page.text
    assert "Split from" not in Page(ada.get(f"{BATCHES}1/")).text
    assert set(Batch.objects.values_list("title", flat=True)) == {"December"}
