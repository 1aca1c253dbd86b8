"""The log at the desk: all events under conditions, page by page, and to take away."""

import csv
import io
import json

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from moderation.desk import audit, audit_events
from moderation.desk.audit_words import ACTS
from moderation.models import AuditEvent, PendingChange
from moderation.services import batch_decide, change_apply, change_reopen, change_withdraw, queue_purge
from moderation.states import Action
from tests.moderation.factories import (
    ADA,
    BEN,
    RAVI,
    RITA,
    apply_at_once,
    approve,
    make_live,
    propose_create,
    propose_delete,
    propose_update,
)
from tests.references.pages.html import Page

pytestmark = pytest.mark.django_db
AUDIT = "/admin/audit/"
HOSTILE = "<script>alert('x')</script>"


@pytest.fixture
def ada(sign_in) -> Client:
    return sign_in("Ada")


@pytest.fixture
def busy() -> dict[str, PendingChange]:
    """A queue in which everything has happened once."""
    make_live("painter", description="first")
    changes = {
        "edit": propose_update("painter", description="second", nsfw=True),
        "new": propose_create("newcomer", category="lora", by=RAVI),
        "refused": propose_create("unwanted"),
        "withdrawn": propose_create("regretted"),
    }
    ids = {name: change.change_id for name, change in changes.items()}
    batch_decide(
        actor=ADA,
        title="Spring",
        approved_ids=[ids["edit"], ids["new"]],
        rejected_ids=[ids["refused"]],
        reject_reason="Licence not clear",
    )
    change_withdraw(actor=RITA, change_id=ids["withdrawn"])
    change_apply(actor=BEN, change_id=ids["edit"], job_id="job-1")
    change_reopen(actor=ADA, change_id=ids["new"], reason="Look again")
    queue_purge(actor=ADA, change_ids=[ids["refused"]])
    return changes


def body(response) -> str:
    return b"".join(response.streaming_content).decode()


def rows(client: Client, **conditions: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(body(client.get(f"{AUDIT}events.csv", conditions)))))


@pytest.mark.parametrize("path", [AUDIT, f"{AUDIT}events.json", f"{AUDIT}events.csv"])
def test_only_approvers_come_in(sign_in, client, path):
    for visitor in (client, sign_in("Rita")):
        assert visitor.get(path).headers["Location"] == f"/admin/login/?next={path}"


def test_every_act_has_words():
    assert set(ACTS) == set(Action)


def test_all_events_are_listed_the_newest_first(ada, busy):
    page = Page(ada.get(AUDIT))
    assert f"Purged unwanted Image generation change {busy['refused'].change_id}" in page.text
    assert "Reopened newcomer LoRA" in page.text
    assert "Look again" in page.text
    assert "The queue batch 2 1 change of batch 1 left behind, now in batch 2" in page.text
    assert "Changed painter Image generation" in page.text
    assert "description, nsfw" in page.text
    assert page.text.index("Purged") < page.text.rindex("Reopened") < page.text.rindex("Batch split")
    assert f"/admin/queue/{busy['edit'].change_id}/" in page.links
    assert f"/admin/queue/{busy['refused'].change_id}/" not in page.links
    assert "/admin/audit/models/image_generation/painter" in page.links


def test_people_are_named_also_where_the_log_has_only_their_id(ada, busy):
    acts = {row["event_id"]: (row["act"], row["username"]) for row in rows(ada)}
    assert ("reopen", "Ada#900") in acts.values()
    assert ("enqueue", "Ravi#102") in acts.values()
    assert ("apply", "Ben#901") in acts.values()


@pytest.mark.parametrize(
    ("conditions", "acts"),
    [
        ({"act": "approve"}, ["approve", "approve"]),
        ({"act": "batch_split"}, ["batch_split"]),
        ({"act": "update"}, ["update"]),
        ({"act": "create"}, ["create"]),
        ({"category": "lora"}, ["reopen", "approve", "enqueue"]),
        ({"model": "PAINT"}, ["apply", "update", "approve", "enqueue", "create"]),
        ({"model": "paint", "act": "apply"}, ["apply"]),
        ({"category": "lora", "model": "paint"}, []),
        ({"user": "901"}, ["batch_split", "apply", "update"]),
        ({"user": "system"}, ["create"]),
        ({"user": "90"}, []),
    ],
)
def test_conditions_let_through_what_fits_all_of_them(ada, busy, conditions, acts):
    assert [row["act"] for row in rows(ada, **conditions)] == acts
    page = Page(ada.get(AUDIT, conditions))
    assert ("No event fits." in page.text) == (not acts)
    assert len(page.all("a", **{"class": "chip"})) == len(conditions)


def test_the_order_of_the_acts_of_one_apply_is_that_of_the_log(ada, busy):
    assert [row["act"] for row in rows(ada, user="901")] == ["batch_split", "apply", "update"]


@pytest.mark.parametrize(
    "conditions",
    [{"act": "bogus"}, {"category": "bogus"}, {"before": "x"}, {"before": "9" * 30}, {"view": "bogus"}],
)
def test_conditions_that_mean_nothing_are_not_made(ada, busy, conditions):
    assert "Purged unwanted" in Page(ada.get(AUDIT, conditions)).text


def test_a_payload_that_looks_like_another_act_is_not_taken_for_it(ada):
    propose_create("trickster", description='{"after":{"action":"purge"')
    assert rows(ada, act="purge") == []


def test_pages_go_back_by_event_without_gap_or_repeat(ada, monkeypatch):
    monkeypatch.setattr(audit_events.events_page, "__kwdefaults__", {"limit": 3, "window": 10_000})
    names = [f"model-{number}" for number in range(8)]
    for name in names:
        make_live(name)
    seen, path = [], AUDIT
    while path:
        page = Page(ada.get(path))
        seen += page.names_of_rows()
        path = next((link for link in page.links if "before=" in link), "")
        assert ("Older ones may, too." in page.text) is False
    assert seen == names[::-1]


def test_a_rare_condition_looks_back_a_bounded_way_and_says_so(ada, busy, monkeypatch):
    monkeypatch.setattr(audit_events.events_page, "__kwdefaults__", {"limit": 50, "window": 4})
    last = AuditEvent.objects.order_by("event_id").last().event_id
    page = Page(ada.get(AUDIT, {"act": "create"}))
    assert f"0 events fit back to event {last - 3}. Older ones may, too." in page.text
    assert f"/admin/audit/?act=create&before={last - 3}" in page.links


@pytest.mark.parametrize("window", [1, 2, 3])
def test_looking_back_misses_nothing_between_two_looks(ada, monkeypatch, window):
    monkeypatch.setattr(audit_events.events_page, "__kwdefaults__", {"limit": 50, "window": window})
    names = [f"model-{number}" for number in range(7)]
    for name in names:
        make_live(name)
    seen, path = [], f"{AUDIT}?act=create"
    while path:
        page = Page(ada.get(path))
        seen += page.names_of_rows()
        path = next((link for link in page.links if "before=" in link), "")
    assert seen == names[::-1]
    assert "Older ones may, too." not in page.text


def test_a_page_takes_the_same_few_queries_however_long_the_log_is(ada, monkeypatch):
    counts = []
    monkeypatch.setattr(audit_events.events_page, "__kwdefaults__", {"limit": 5, "window": 10_000})
    for wave in range(2):
        for number in range(6):
            apply_at_once(propose_create(f"{wave}-{number}"))
        for conditions in ({}, {"model": "0", "category": "image_generation", "user": "900"}):
            with CaptureQueriesContext(connection) as captured:
                ada.get(AUDIT, conditions)
            counts.append(len(captured))
    assert counts[:2] == counts[2:]
    assert max(counts) <= 5


def test_the_whole_log_is_exported_as_it_is(ada, busy, monkeypatch):
    monkeypatch.setattr(audit_events, "EXPORT_WINDOW", 3)
    response = ada.get(f"{AUDIT}events.json")
    assert response.headers["Content-Disposition"] == 'attachment; filename="audit-events.json"'
    exported = json.loads(body(response))
    stored = list(AuditEvent.objects.order_by("-event_id"))
    assert exported["conditions"] == {}
    assert [event["event_id"] for event in exported["events"]] == [event.event_id for event in stored]
    assert [event["hash"] for event in exported["events"]] == [event.hash for event in stored]
    assert exported["events"][0]["payload"] == stored[0].payload_as_dict()
    narrow = json.loads(body(ada.get(f"{AUDIT}events.json", {"act": "apply"})))
    assert narrow["conditions"] == {"act": "apply"}
    assert [event["request_id"] for event in narrow["events"]] == ["job-1"]


def test_links_to_the_exports_carry_the_conditions(ada, busy):
    page = Page(ada.get(AUDIT, {"act": "apply", "model": "pain t"}))
    assert "/admin/audit/events.json?act=apply&model=pain+t" in page.links
    assert "/admin/audit/events.csv?act=apply&model=pain+t" in page.links


def test_the_csv_computes_nothing(ada):
    make_live("=cmd|' /C calc'!A0")
    assert rows(ada)[0]["model_name"] == "'=cmd|' /C calc'!A0"


def test_an_empty_log_is_exported_too(ada):
    assert json.loads(body(ada.get(f"{AUDIT}events.json")))["events"] == []
    assert rows(ada) == []
    assert "The log is empty." in Page(ada.get(AUDIT)).text


def test_pending_now_has_pages(ada, monkeypatch):
    monkeypatch.setattr(audit, "PENDING_PAGE_SIZE", 2)
    changes = [propose_create(name) for name in ("alpha", "beta", "gamma")]
    approve(propose_create("decided"))
    first = Page(ada.get(AUDIT, {"view": "pending"}))
    assert first.names_of_rows() == [""] * 2
    assert ("gamma" in first.text, "alpha" in first.text, "decided" in first.text) == (True, False, False)
    last = Page(ada.get(AUDIT, {"view": "pending", "page": "2"}))
    assert f"/admin/queue/{changes[0].change_id}/" in last.links
    PendingChange.objects.pending().delete()
    assert "Nothing is pending." in Page(ada.get(AUDIT, {"view": "pending"})).text


def test_batches_go_down_by_cursor(ada, monkeypatch):
    assert "No batch yet." in Page(ada.get(AUDIT, {"view": "batches"})).text
    monkeypatch.setattr(audit, "BATCH_PAGE_SIZE", 2)
    for name in ("one", "two", "three"):
        apply_at_once(propose_create(name))
    first = Page(ada.get(AUDIT, {"view": "batches"}))
    assert "/admin/audit/?view=batches&cursor=2" in first.links
    last = Page(ada.get(AUDIT, {"view": "batches", "cursor": "2"}))
    assert "1 · A batch" in last.text
    assert "2 · A batch" not in last.text


def test_the_page_says_how_the_chain_is_checked_and_when_no_log_is_kept(ada, settings):
    text = Page(ada.get(AUDIT)).text
    assert "manage.py rebuild_from_audit --check" in text
    assert "keeps no log" not in text
    settings.AUDIT_ENABLED = False
    assert "This deployment keeps no log at present" in Page(ada.get(AUDIT)).text


def test_stored_words_stay_words(ada):
    change = propose_create("other", description=HOSTILE)
    make_live(HOSTILE)
    change_id = change.change_id
    batch_decide(actor=ADA, title=HOSTILE, rejected_ids=[change_id], reject_reason=HOSTILE)
    approve(propose_delete(HOSTILE), title=HOSTILE)
    for view in ("", "?view=pending", "?view=batches"):
        page = Page(ada.get(AUDIT + view))
        assert [each for each in page.all("script") if not each.get("src", "").startswith("/static/")] == []
    assert page.text.count(HOSTILE) == 1
    assert Page(ada.get(AUDIT)).text.count(HOSTILE) >= 3
