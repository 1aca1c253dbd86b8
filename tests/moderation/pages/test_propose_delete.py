"""Proposing removals: one model with what depends on it, and several at once."""

import time
from urllib.parse import urlencode

import pytest
from django.test import Client

from moderation.models import PendingChange
from moderation.pages import propose_delete as pages
from references.horde import HordeUnavailable
from references.horde.usage import STATUS_CALLS, USAGE_CALLS
from references.models import ModelRecord, UsageSnapshot
from tests.factories import make_record
from tests.moderation.factories import IMAGES, RAVI, make_live, propose_delete, propose_update
from tests.moderation.pages.conftest import KEYS
from tests.references.figures import recorded_bodies
from tests.references.pages.html import Page

pytestmark = pytest.mark.django_db
DELETE = f"/propose/{IMAGES}/delete/painter"
BULK = f"/propose/{IMAGES}/bulk"


@pytest.fixture
def rita(sign_in) -> Client:
    return sign_in("Rita")


@pytest.fixture
def usage(db: None) -> None:
    for kind in ("image", "text"):
        for call, body in zip((STATUS_CALLS[kind], USAGE_CALLS[kind]), recorded_bodies(kind), strict=False):
            UsageSnapshot.objects.create(path=call.path, body=body, fetched_at=time.time())


def test_a_removal_is_proposed_once_the_name_is_typed(rita):
    make_live("painter")
    response = rita.post(DELETE, {"confirm": " painter ", "note": "Nobody uses it"})
    change = PendingChange.objects.get()
    assert response.headers["Location"] == f"/my-changes/{change.change_id}"
    assert (change.operation, change.model_name, change.notes) == ("delete", "painter", "Nobody uses it")
    assert change.request_metadata_as_dict() == {"route": "delete_v2_model"}
    assert ModelRecord.objects.filter(name="painter").exists()


@pytest.mark.parametrize("typed", ["", "Painter", "paint"])
def test_another_name_proposes_nothing_and_keeps_the_note(rita, typed):
    make_live("painter")
    response = rita.post(DELETE, {"confirm": typed, "note": "Nobody uses it"})
    assert response.status_code == 422
    page = Page(response)
    assert "This is not the name of the model." in page.text
    assert "Nobody uses it" in page.text
    assert PendingChange.objects.count() == 0


def test_what_depends_on_a_text_model_is_shown(rita):
    for name in ("Org/New-13B", "Org/New-7B", "Other/Thing-7B"):
        make_record(
            "text_generation", name, parameters=7, text_model_group=name.split("/")[1][:-3].rstrip("-")
        )
    text = Page(rita.get("/propose/text_generation/delete/Org/New-13B")).text
    assert "aphrodite/Org/New-13B" in text
    assert "koboldcpp/New-13B" in text
    assert "Org/New-7B" in text
    assert "Other/Thing-7B" not in text


def test_use_comes_from_the_stored_figures(rita, usage):
    make_live("stable_diffusion")
    text = Page(rita.get(f"/propose/{IMAGES}/delete/stable_diffusion")).text
    assert "Workers" in text
    assert "Past month" in text


def test_a_horde_that_never_answered_is_not_waited_for(rita, monkeypatch):
    waits = []

    def never(kind: str, *, wait: float) -> None:
        waits.append(wait)
        raise HordeUnavailable("down")

    monkeypatch.setattr("moderation.pages.dependents.usage_data", never)
    make_live("painter")
    assert "How much it is used is not known at the moment." in Page(rita.get(DELETE)).text
    assert waits == [0]


def test_a_proposal_that_waits_already_is_mentioned(rita):
    make_live("painter")
    waiting = propose_delete("painter")
    page = Page(rita.get(DELETE))
    assert "1 open proposal about this model already waits for an approver: change" in page.text
    assert f"/my-changes/{waiting.change_id}" in page.links


def test_a_model_that_is_not_there_cannot_be_removed(rita):
    assert rita.get(DELETE).status_code == 404
    assert rita.post(DELETE, {"confirm": "painter"}).status_code == 404


def test_ticked_models_are_shown_with_their_totals_before_anything_is_sent(rita):
    make_live("one", size_on_disk_bytes=2_000_000_000)
    make_live("two", size_on_disk_bytes=3_000_000_000)
    page = Page(rita.post(BULK, {"name": ["one", "two", "one"]}))
    assert "Propose the removal of 2 models" in page.text
    assert "5.00 GB" in page.text
    assert [box["value"] for box in page.all("input", type="checkbox")] == ["one", "two"]
    assert PendingChange.objects.count() == 0


def test_each_ticked_model_becomes_a_proposal_of_its_own(rita):
    make_live("one")
    make_live("two")
    response = rita.post(BULK, {"name": ["one", "two"], "act": "send", "confirm": "2", "note": "Unused"})
    assert response.headers["Location"] == "/my-changes?status=pending"
    assert "2 removals proposed." in Page(rita.get("/my-changes?status=pending")).text
    changes = PendingChange.objects.oldest_first()
    assert [(change.model_name, change.operation, change.notes) for change in changes] == [
        ("one", "delete", "Unused"),
        ("two", "delete", "Unused"),
    ]


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"confirm": "3"}, "type how many models are ticked, 2"),
        ({"confirm": "2", "note": "x" * 501}, "The note is longer than 500 characters."),
        ({"confirm": "2", "name": ["one", "two", "gone"]}, "some of the models are no longer there"),
        ({"confirm": "0", "name": []}, "No model is ticked."),
    ],
)
def test_all_are_sent_or_none(rita, sent, words):
    make_live("one")
    make_live("two")
    response = rita.post(BULK, {"name": ["one", "two"], "act": "send", **sent})
    assert response.status_code == 422
    assert words in Page(response).text
    assert PendingChange.objects.count() == 0


def test_models_that_somebody_proposes_something_for_are_marked_in_the_list(rita):
    make_live("painter")
    make_live("sketcher")
    propose_update("painter", by=RAVI)
    propose_delete("painter", by=RAVI)
    text = Page(rita.post(BULK, {"name": ["painter", "sketcher"]})).text
    assert "2 open proposals about these models already wait for an approver" in text
    assert "painter 2 open proposals" in text
    assert "sketcher 2" not in text


def test_models_that_are_gone_are_named(rita):
    make_live("one")
    text = Page(rita.post(BULK, {"name": ["one", "gone"]})).text
    assert "Left out, because it is no longer in Image generation: gone ." in text


def test_no_more_than_a_reviewer_can_look_at_are_sent_at_once(rita, monkeypatch):
    monkeypatch.setattr(pages, "MOST_AT_ONCE", 1)
    make_live("one")
    make_live("two")
    response = rita.post(BULK, {"name": ["one", "two"], "act": "send", "confirm": "2"})
    assert "At most 1 models" in Page(response).text
    assert PendingChange.objects.count() == 0


def test_bulk_removals_are_for_requestors_and_take_a_token(client, sign_in, rita):
    make_live("one")
    sent = {"name": ["one"], "act": "send", "confirm": "1"}
    assert client.post(BULK, sent).headers["Location"].startswith("/sign-in")
    assert sign_in("Paul").post(BULK, sent).headers["Location"] == "/sign-in"
    rita.handler.enforce_csrf_checks = True
    assert rita.post(BULK, sent).status_code == 403
    assert PendingChange.objects.count() == 0


def test_whoever_signs_in_again_between_the_steps_is_led_to_the_list_and_told_why(rita):
    make_live("one")
    rita.post(BULK, {"name": ["one"]})
    rita.cookies.clear()
    sent = {"name": ["one"], "act": "send", "confirm": "1", "note": "Unused"}
    lost = rita.post(BULK, sent, headers={"Referer": f"http://testserver{BULK}"})
    asked = Page(rita.get(lost.headers["Location"]))
    assert "Nothing was sent: you are no longer signed in." in asked.text
    form = {"apikey": KEYS["Rita"], "next": asked.all("input", id="id_next")[0]["value"]}
    again = rita.post("/sign-in", form, follow=True)
    assert again.redirect_chain == [(BULK, 303), (f"/models/{IMAGES}", 303)]
    page = Page(again)
    assert (
        "Choose the models again: which ones were ticked, and a note about them, are not kept." in page.text
    )
    assert page.all("form", id="selection", action=BULK)
    assert PendingChange.objects.count() == 0
    assert "Choose the models again" not in Page(rita.get(f"/models/{IMAGES}")).text


def test_the_address_of_removals_alone_leads_to_the_list_for_requestors_only(client, sign_in, rita):
    assert rita.head(BULK).headers["Location"] == f"/models/{IMAGES}"
    assert client.get(BULK).headers["Location"] == f"/sign-in?{urlencode({'next': BULK})}"
    assert sign_in("Paul").get(BULK).headers["Location"] == "/sign-in"
    assert rita.get("/propose/nothing/bulk").status_code == 404
    assert rita.put(BULK).status_code == 405


def test_the_members_of_a_group_are_ticked_one_by_one(rita, usage):
    for name in ("Org/New-7B", "Org/New-13B", "Lone-7B"):
        make_record("text_generation", name, text_model_group=name.split("-")[0].split("/")[-1])
    page = Page(rita.get("/deletion-risk/text_generation"))
    ticked = {box["value"] for box in page.all("input", form="selection")}
    assert ticked == {"Org/New-7B", "Org/New-13B", "Lone-7B"}


def test_models_are_ticked_in_groups_too_alone_or_among_others(client, rita):
    for name in ("Org/New-7B", "Org/New-13B", "Lone-7B"):
        make_record("text_generation", name, text_model_group=name.split("-")[0].split("/")[-1])
    page = Page(rita.get("/models/text_generation?view=groups"))
    assert page.all("ul", **{"class": "groups"})
    ticked = {box["value"] for box in page.all("input", form="selection")}
    assert ticked == {"Org/New-7B", "Org/New-13B", "Lone-7B"}
    assert page.all("form", id="selection", action="/propose/text_generation/bulk")
    assert not Page(client.get("/models/text_generation?view=groups")).all("input", form="selection")


@pytest.mark.parametrize(
    "path", [f"/models/{IMAGES}", f"/models/{IMAGES}?view=cards", f"/deletion-risk/{IMAGES}"]
)
def test_lists_let_requestors_tick_models_and_nobody_else(client, rita, usage, path):
    make_live("painter")
    page = Page(rita.get(path))
    assert [(box["name"], box["value"]) for box in page.all("input", form="selection")] == [
        ("name", "painter")
    ]
    assert page.all("form", id="selection", action=BULK)
    assert not Page(client.get(path)).all("input", form="selection")
