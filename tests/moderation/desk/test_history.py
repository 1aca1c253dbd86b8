"""The history of one model: each write against the one before, who made it, and how to undo it."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from moderation.desk import history
from moderation.models import AuditEvent, PendingChange
from moderation.services import batch_revert, change_revert, change_withdraw, queue_purge
from tests.moderation.factories import (
    ADA,
    BEN,
    IMAGES,
    apply_at_once,
    make_live,
    propose_create,
    propose_delete,
    propose_update,
)
from tests.references.pages.html import Page

pytestmark = pytest.mark.django_db
HISTORY = f"/admin/audit/models/{IMAGES}/"
HOSTILE = "<script>alert('x')</script>"


@pytest.fixture
def ada(sign_in) -> Client:
    return sign_in("Ada")


def test_only_approvers_come_in(sign_in, client):
    change = apply_at_once(propose_create("painter"))
    path = f"/admin/audit/changes/{change.change_id}/revert/"
    for visitor in (client, sign_in("Rita")):
        assert visitor.get(f"{HISTORY}painter").headers["Location"] == f"/admin/login/?next={HISTORY}painter"
        assert visitor.post(path).status_code == 302
    assert PendingChange.objects.pending().count() == 0


def test_every_step_is_shown_against_the_one_before(ada):
    make_live("painter", description="first")
    edit = apply_at_once(propose_update("painter", description="second", nsfw=True), by=BEN)
    apply_at_once(propose_update("painter", description="third", nsfw=True))
    page = Page(ada.get(f"{HISTORY}painter"))
    text = page.text
    assert text.index("description second third") < text.index("description first second")
    assert "nsfw critical false true" in text
    assert f"Ben#901 Change {edit.change_id} by Rita#101, batch 1" in " ".join(text.split()).replace(
        " ,", ","
    )
    assert "the service" in text
    assert "The record as it came:" in text
    assert f"/admin/queue/{edit.change_id}/" in page.links
    assert f"/models/{IMAGES}/painter" in page.links


def test_a_removed_model_keeps_its_history(ada):
    make_live("painter")
    apply_at_once(propose_delete("painter"))
    page = Page(ada.get(f"{HISTORY}painter"))
    assert "not live" in page.text
    assert "The record as it went:" in page.text
    assert f"/models/{IMAGES}/painter" not in page.links


def test_names_with_slashes_have_a_history(ada):
    make_live("Org/Model-7B")
    assert "Org/Model-7B" in Page(ada.get(f"{HISTORY}Org/Model-7B")).text


@pytest.mark.parametrize("path", [f"{HISTORY}nobody", "/admin/audit/models/bogus/painter"])
def test_what_was_never_there_is_not_found(ada, path):
    assert ada.get(path).status_code == 404


def test_open_changes_are_in_front(ada):
    make_live("painter")
    change = propose_update("painter", description="new")
    assert f"Pending Edit, change {change.change_id}" in Page(ada.get(f"{HISTORY}painter")).text


def test_a_long_history_has_pages_that_cost_the_same(ada, monkeypatch):
    monkeypatch.setattr(history, "PAGE_SIZE", 2)
    make_live("painter", description="step 0")
    counts = []
    for wave in (1, 2):
        for number in (1, 2, 3):
            apply_at_once(propose_update("painter", description=f"step {wave}-{number}"))
        with CaptureQueriesContext(connection) as captured:
            page = Page(ada.get(f"{HISTORY}painter"))
        counts.append(len(captured))
    assert counts[0] == counts[1] <= 6
    assert ("step 2-3" in page.text, "step 1-3" in page.text) == (True, False)
    seen, path = "", f"{HISTORY}painter"
    for _ in range(9):
        page = Page(ada.get(path))
        seen += page.text
        older = [link for link in page.links if "cursor=" in link]
        if not older:
            break
        path = older[0]
    steps = ["step 2-3", "step 2-2", "step 2-1", "step 1-3", "step 1-2", "step 1-1"]
    shown = [
        seen.count(f"description {old} {new}") for new, old in zip(steps, [*steps[1:], "step 0"], strict=True)
    ]
    assert shown == [1] * 6
    assert "The record as it came:" in page.text


def test_undoing_a_step_queues_a_proposal(ada):
    make_live("painter", description="first")
    change = apply_at_once(propose_update("painter", description="second"))
    path = f"/admin/audit/changes/{change.change_id}/revert/"
    assert len(Page(ada.get(f"{HISTORY}painter")).all("form", action=path)) == 1
    response = ada.post(path)
    proposed = PendingChange.objects.pending().get()
    assert response.headers["Location"] == f"/admin/queue/{proposed.change_id}/"
    assert proposed.payload_as_dict()["description"] == "first"
    assert (proposed.requested_by, proposed.notes) == ("900", f"Reverts change {change.change_id}.")
    page = Page(ada.get(f"{HISTORY}painter"))
    assert (
        f"Change {proposed.change_id} proposes what was there before change {change.change_id}." in page.text
    )


@pytest.mark.parametrize("route", ["change", "batch"])
def test_what_is_being_undone_already_is_not_proposed_again(ada, route):
    make_live("painter", description="first")
    change = apply_at_once(propose_update("painter", description="second"))
    if route == "batch":
        (waiting,) = batch_revert(actor=ADA, batch_id=change.batch_id)
    else:
        waiting = change_revert(actor=ADA, change_id=change.change_id)
    path = f"/admin/audit/changes/{change.change_id}/revert/"
    words = f"Undoing it is proposed already: change {waiting.change_id} ."
    for seen in (f"{HISTORY}painter", f"/admin/queue/{change.change_id}/"):
        page = Page(ada.get(seen))
        assert words in page.text
        assert f"/admin/queue/{waiting.change_id}/" in page.links
        assert "Propose to undo" not in page.text
    assert ada.post(path).headers["Location"] == f"{HISTORY}painter"
    answer = ada.post(f"/admin/queue/{change.change_id}/", {"act": "revert"})
    assert answer.headers["Location"] == f"/admin/queue/{waiting.change_id}/"
    assert PendingChange.objects.pending().count() == 1
    change_withdraw(actor=ADA, change_id=waiting.change_id)
    assert "Propose to undo" in Page(ada.get(f"{HISTORY}painter")).text


def test_what_cannot_be_undone_says_why(ada):
    change = propose_create("painter")
    response = ada.post(f"/admin/audit/changes/{change.change_id}/revert/")
    assert response.headers["Location"] == f"{HISTORY}painter"
    page = Page(ada.get(f"{HISTORY}painter"))
    assert f"Nothing was proposed. Change {change.change_id} is pending." in page.text
    assert ada.post("/admin/audit/changes/4711/revert/").status_code == 404


def test_a_purged_change_is_named_but_not_offered_for_undoing(ada):
    change = apply_at_once(propose_create("painter"))
    queue_purge(actor=ADA, change_ids=[change.change_id])
    page = Page(ada.get(f"{HISTORY}painter"))
    assert f"Change {change.change_id}" in page.text
    assert page.all("form", action=f"/admin/audit/changes/{change.change_id}/revert/") == []


def test_a_write_by_another_job_is_not_taken_for_that_of_a_change(ada):
    apply_at_once(propose_create("painter"), job_id="job-1")
    make_live("painter", description="by an import")
    page = Page(ada.get(f"{HISTORY}painter"))
    assert AuditEvent.objects.of_model(IMAGES, "painter").count() == 2
    assert page.text.count("Propose to undo") == 1


def test_stored_words_stay_words(ada):
    make_live(HOSTILE, description=HOSTILE)
    apply_at_once(propose_update(HOSTILE, description=f"{HOSTILE}2"))
    page = Page(ada.get(f"{HISTORY}%3Cscript%3Ealert('x')%3C/script%3E"))
    assert [each for each in page.all("script") if not each.get("src", "").startswith("/static/")] == []
    assert f"description {HOSTILE} {HOSTILE}2" in page.text
