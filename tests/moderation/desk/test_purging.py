"""Purging: a dry run first, then the words typed; just what was looked at goes."""

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from moderation.conflicts import digest
from moderation.desk import purging
from moderation.models import AuditEvent, PendingChange
from moderation.services import batch_decide
from tests.moderation.factories import ADA, RAVI, apply_at_once, approve, propose_create
from tests.references.pages.html import Page

pytestmark = pytest.mark.django_db
PURGE = "/admin/purge/"


@pytest.fixture
def ada(sign_in) -> Client:
    return sign_in("Ada")


@pytest.fixture
def queue() -> dict[str, PendingChange]:
    """A change in each status, one of them by someone else."""
    changes = {name: propose_create(name) for name in ("pending", "approved", "rejected")}
    changes["applied"] = apply_at_once(propose_create("applied"))
    approve(changes["approved"])
    batch_decide(
        actor=ADA, title="Review", rejected_ids=[changes["rejected"].change_id], reject_reason="Blurry"
    )
    changes["ravi"] = propose_create("by Ravi", by=RAVI, category="lora")
    return changes


def form_of(page: Page, **changed: str) -> dict:
    """The form that confirms a dry run, as a browser would send it."""
    start = page.elements.index(("form", page.all("form", action=PURGE, method="post")[0]))
    fields = [attributes for tag, attributes in page.elements[start:] if tag == "input"]
    sent: dict = {}
    for field in fields:
        if field.get("type") == "hidden" and field["name"] not in ("csrfmiddlewaretoken", "next"):
            sent.setdefault(field["name"], []).append(field["value"])
        if field.get("name") == "confirm":
            break
    return {**sent, **changed}


def left() -> set[str]:
    return set(PendingChange.objects.values_list("model_name", flat=True))


def test_only_approvers_come_in(sign_in, client, queue):
    for visitor in (client, sign_in("Rita")):
        assert visitor.get(PURGE).headers["Location"] == f"/admin/login/?next={PURGE}"
        assert visitor.post(PURGE, {"purge_all": "on", "confirm": "purge 5"}).status_code == 302
    assert PendingChange.objects.count() == 5


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ({"statuses": ["pending"]}, {"pending", "by Ravi"}),
        ({"statuses": ["applied", "rejected"]}, {"applied", "rejected"}),
        ({"categories": "lora"}, {"by Ravi"}),
        ({"model_name": "REJ"}, {"rejected"}),
        ({"requested_by": "102, 999"}, {"by Ravi"}),
        ({"batch_id": "1"}, {"applied"}),
        ({"statuses": "pending", "requested_by": "101"}, {"pending"}),
        ({"purge_all": "on"}, {"pending", "approved", "rejected", "applied", "by Ravi"}),
    ],
)
def test_a_dry_run_names_what_would_go_and_removes_nothing(ada, queue, filters, names):
    events = AuditEvent.objects.count()
    page = Page(ada.get(PURGE, filters))
    ids = {change.change_id for change in queue.values() if change.model_name in names}
    assert f"{len(names)} change{'' if len(names) == 1 else 's'} would go" in page.text
    assert {link for link in page.links if link.startswith("/admin/queue/") and link[-2].isdigit()} == {
        f"/admin/queue/{number}/" for number in ids
    }
    assert purging.ids_written(sorted(ids)) in page.text
    assert (len(left()), AuditEvent.objects.count()) == (5, events)


def test_asking_without_any_filter_says_what_is_missing(ada, queue):
    # What the form sends where script leaves empty fields out.
    response = ada.get(PURGE, {"act": "show"})
    assert response.status_code == 400
    assert "Give a filter, or say that everything is to go." in Page(response).text
    assert {"name": "act", "value": "show"}.items() <= Page(ada.get(PURGE)).all("button", name="act")[
        0
    ].items()


def test_wrong_words_lead_back_to_where_they_are_typed(ada, queue):
    page = Page(ada.get(PURGE, {"purge_all": "on"}))
    assert "autofocus" not in page.all("input", name="confirm")[0]
    assert "Purge: dry run, 5 changes" in page.text
    again = Page(ada.post(PURGE, form_of(page, confirm="purge")))
    assert "autofocus" in again.all("input", name="confirm")[0]
    assert len(left()) == 5


def test_without_a_filter_there_is_no_dry_run(ada, queue):
    page = Page(ada.get(PURGE))
    assert "Nothing is removed yet." not in page.text
    response = ada.get(PURGE, {"model_name": " "})
    assert response.status_code == 400
    assert "Give a filter, or say that everything is to go." in Page(response).text


@pytest.mark.parametrize(
    "filters", [{"statuses": "bogus"}, {"batch_id": "0"}, {"change_ids": "4, x"}, {"batch_id": "9" * 30}]
)
def test_a_filter_that_means_nothing_is_an_error_and_not_everything(ada, queue, filters):
    response = ada.get(PURGE, {"purge_all": "on", **filters})
    assert response.status_code == 400
    assert "Nothing is removed yet." not in Page(response).text
    assert ada.post(PURGE, {"purge_all": "on", **filters, "confirm": "purge 5"}).status_code == 400
    assert len(left()) == 5


def test_it_goes_once_the_words_are_typed(ada, queue):
    page = Page(ada.get(PURGE, {"statuses": ["applied", "rejected"]}))
    for word in ("", "purge", "purge 3", "2"):
        response = ada.post(PURGE, form_of(page, confirm=word))
        assert response.status_code == 409
        assert "Nothing was purged: type purge 2 to confirm." in Page(response).text
    response = ada.post(PURGE, form_of(page, confirm="Purge 2"))
    assert response.status_code == 303
    ids = purging.ids_written(sorted(queue[name].change_id for name in ("applied", "rejected")))
    assert f"Purged 2 changes: {ids}." in Page(ada.get(PURGE)).text
    assert left() == {"pending", "approved", "by Ravi"}
    events = AuditEvent.objects.filter(category=AuditEvent.QUEUE).in_order()
    acts = [event.payload_as_dict()["after"]["action"] for event in events]
    assert acts[-3:] == ["enqueue", "purge", "purge"]


def test_what_came_in_since_the_dry_run_is_looked_at_first(ada, queue):
    page = Page(ada.get(PURGE, {"statuses": "pending"}))
    propose_create("latecomer")
    response = ada.post(PURGE, form_of(page, confirm="purge 2"))
    assert response.status_code == 409
    shown = Page(response)
    assert "the queue has moved since the dry run" in shown.text
    assert "3 changes would go" in shown.text
    assert len(left()) == 6


def test_open_changes_are_pointed_out(ada, queue):
    page = Page(ada.get(PURGE, {"purge_all": "on"}))
    assert "3 of which still wait for a decision or to be applied" in page.text
    assert "of which" not in Page(ada.get(PURGE, {"statuses": "applied"})).text


def test_nothing_that_fits_is_said(ada, queue):
    assert "Nothing would go." in Page(ada.get(PURGE, {"model_name": "no such name"})).text


def test_long_dry_runs_show_some_and_count_the_rest(ada, monkeypatch):
    monkeypatch.setattr(purging, "CHANGES_SHOWN", 2)
    counts = []
    for wave in range(2):
        for number in range(4):
            propose_create(f"{wave}-{number}")
        with CaptureQueriesContext(connection) as captured:
            page = Page(ada.get(PURGE, {"statuses": "pending"}))
        counts.append(len(captured))
    assert "And 6 more." in page.text
    assert counts[0] == counts[1] <= 6


def test_numbers_in_a_row_are_written_and_read_as_ranges():
    assert purging.ids_written([4, 7, 8, 9, 12]) == "4, 7–9, 12"
    assert purging.ids_read("4, 7–9,12 , 8") == [4, 7, 8, 9, 12]
    for text in ("x", "1-", "-3", "5-x", "1-999999999", ",,"):
        with pytest.raises(ValidationError):
            purging.ids_read(text)


def test_a_purge_of_nothing_removes_nothing(ada, queue):
    sent = {"purge_all": "on", "change_ids": "9999", "confirm": "purge 0", "seen": digest({"ids": []})}
    response = ada.post(PURGE, sent)
    assert response.status_code == 409
    assert "Nothing was purged: there is no such change." in Page(response).text
    assert len(left()) == 5
