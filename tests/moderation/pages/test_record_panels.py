"""What the catalogue says of a record's past and of what is proposed for it, to whom."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from moderation.models import PendingChange
from moderation.pages import record_panels
from references.horde import HordeUnavailable
from references.vocabulary import ReplicateMode
from tests.moderation.factories import (
    IMAGES,
    RAVI,
    apply_at_once,
    approve,
    make_live,
    propose_create,
    propose_update,
)
from tests.references.pages.html import Page

pytestmark = pytest.mark.django_db
RECORD = f"/models/{IMAGES}/painter"
LIST = f"/models/{IMAGES}"
HOSTILE = "<script>alert('x')</script>"


@pytest.fixture(autouse=True)
def quiet_horde(monkeypatch: pytest.MonkeyPatch) -> None:
    """The AI-Horde has never said anything about usage."""

    def refuse(*args: object, **kwargs: object) -> None:
        raise HordeUnavailable("down")

    monkeypatch.setattr("references.pages.usage.usage_data", refuse)


@pytest.fixture
def visitor(client: Client) -> Client:
    client.defaults["HTTP_ACCEPT"] = "text/html"
    return client


def badges(page: Page) -> list[str]:
    """Where the badges of a list lead."""
    return [badge["href"] for badge in page.all("a") if "badge" in (badge.get("class") or "")]


def test_the_history_tells_everyone_what_was_written_but_not_who_did(visitor):
    make_live("painter", description="first")
    apply_at_once(propose_update("painter", description="second", nsfw=True))
    page = Page(visitor.get(RECORD))
    assert "History Changed critical description" in page.text
    assert "description first second" in page.text
    assert "nsfw critical false true" in page.text
    for word in ("Ada#900", "Rita#101", "the service,", "/admin/"):
        assert word not in page.text
    assert not any(link.startswith("/admin/") for link in page.links)


def test_readers_of_the_queue_see_who_wrote_it(sign_in):
    make_live("painter")
    apply_at_once(propose_update("painter", description="second"))
    ada = Page(sign_in("Ada").get(RECORD))
    assert "Ada#900, just now" in ada.text
    assert f"/admin/audit/models/{IMAGES}/painter" in ada.links
    rita = Page(sign_in("Rita").get(RECORD))
    assert "Ada#900" not in rita.text
    assert f"/admin/audit/models/{IMAGES}/painter" not in rita.links


def test_only_the_last_writes_are_shown_and_cost_the_same(visitor, monkeypatch):
    monkeypatch.setattr(record_panels, "STEPS_SHOWN", 2)
    make_live("painter", description="step 0")
    counts = []
    for wave in (1, 2):
        for number in (1, 2):
            apply_at_once(propose_update("painter", description=f"step {wave}-{number}"))
        visitor.get(RECORD)
        with CaptureQueriesContext(connection) as captured:
            page = Page(visitor.get(RECORD))
        counts.append(len(captured))
    assert counts[0] == counts[1]
    assert ("step 2-2" in page.text, "step 1-1" in page.text) == (True, False)
    assert "The last 2; the log goes further back." in page.text


def test_without_a_log_there_is_no_history(visitor, settings):
    make_live("painter")
    assert "History" in Page(visitor.get(RECORD)).text
    settings.AUDIT_ENABLED = False
    assert "History" not in Page(visitor.get(RECORD)).text


def test_open_changes_are_for_those_who_may_read_the_queue(sign_in, visitor):
    make_live("painter", description="old")
    own = propose_update("painter", description="by Rita")
    other = propose_update("painter", description="by Ravi", by=RAVI)
    approve(other)
    propose_create("elsewhere")
    assert "Proposed changes" not in Page(visitor.get(RECORD)).text
    assert "Proposed changes" not in Page(sign_in("Paul").get(RECORD)).text
    rita = Page(sign_in("Rita").get(RECORD))
    assert "Proposed changes Pending Edit by Rita#101" in rita.text
    assert "by Ravi" not in rita.text
    assert reverse("moderation:my_change", args=[own.change_id]) in rita.links
    ada = Page(sign_in("Ada").get(RECORD))
    assert "Approved Edit by Ravi#102" in ada.text
    assert "description old by Ravi" in ada.text
    assert {f"/admin/queue/{own.change_id}/", f"/admin/queue/{other.change_id}/"} <= set(ada.links)


@pytest.mark.parametrize(("role", "readers"), [("requestor", ["Rita"]), ("any", ["Rita", "Paul"])])
def test_the_read_role_opens_the_queue_to_more_people(sign_in, visitor, settings, role, readers):
    settings.QUEUE_READ_ROLE = role
    make_live("painter")
    propose_update("painter", description="by Ravi", by=RAVI)
    for name in ("Rita", "Paul"):
        page = Page(sign_in(name).get(RECORD))
        assert ("Pending Edit by Ravi#102" in page.text) == (name in readers)
        assert not any("/queue/" in link or "/my-changes/" in link for link in page.links)
        assert (badges(Page(sign_in(name).get(LIST))) == [RECORD]) == (name in readers)
    assert "Proposed changes" not in Page(visitor.get(RECORD)).text


def test_many_open_changes_are_cut_short(sign_in, monkeypatch):
    monkeypatch.setattr(record_panels, "CHANGES_SHOWN", 2)
    make_live("painter")
    for number in range(3):
        propose_update("painter", description=f"proposal {number}")
    page = Page(sign_in("Ada").get(RECORD))
    assert ("proposal 2" in page.text, "proposal 0" in page.text) == (True, False)
    assert "The newest 2; there are more." in page.text


def test_models_with_open_changes_have_a_badge_that_leads_there(sign_in, visitor):
    for name in ("painter", "sketcher", "calm"):
        make_live(name)
    one = propose_update("sketcher", description="x")
    propose_update("painter", description="x")
    propose_update("painter", description="y", by=RAVI)
    apply_at_once(propose_update("calm", description="x"))
    ada = Page(sign_in("Ada").get(LIST))
    assert "painter 2 pending changes" in ada.text
    assert "sketcher pending change" in ada.text
    assert badges(ada) == [RECORD, f"/admin/queue/{one.change_id}/"]
    rita = Page(sign_in("Rita").get(LIST))
    assert "painter pending change" in rita.text
    assert all(link.startswith("/my-changes/") for link in badges(rita))
    assert badges(Page(visitor.get(LIST))) == badges(Page(sign_in("Paul").get(LIST))) == []


def test_badges_take_one_query_for_a_whole_page(sign_in):
    ada = sign_in("Ada")
    counts = []
    for wave in range(2):
        for number in range(4):
            make_live(f"{wave}-{number}")
            propose_update(f"{wave}-{number}", description="new")
        ada.get(LIST)
        with CaptureQueriesContext(connection) as captured:
            page = Page(ada.get(LIST))
        counts.append(len([each for each in captured if "pendingchange" in each["sql"]]))
    assert len(badges(page)) == 8
    assert counts == [1, 1]


def test_visitors_cost_the_queue_no_query(visitor):
    make_live("painter")
    propose_update("painter", description="new")
    visitor.get(LIST)
    with CaptureQueriesContext(connection) as captured:
        visitor.get(LIST)
    assert [each["sql"] for each in captured if "pendingchange" in each["sql"]] == []


@pytest.mark.parametrize(
    ("setting", "value"), [("QUEUE_ENABLED", False), ("REPLICATE_MODE", ReplicateMode.REPLICA)]
)
def test_without_a_queue_nothing_of_it_shows(sign_in, settings, setting, value):
    make_live("painter")
    propose_update("painter", description="new")
    ada = sign_in("Ada")
    setattr(settings, setting, value)
    page = Page(ada.get(RECORD))
    assert "Proposed changes" not in page.text
    assert badges(Page(ada.get(LIST))) == []


def test_stored_words_stay_words(sign_in):
    make_live("painter", description=HOSTILE)
    propose_update("painter", description=f"{HOSTILE}2")
    page = Page(sign_in("Ada").get(RECORD))
    assert [each for each in page.all("script") if not each.get("src", "").startswith("/static/")] == []
    assert f"description {HOSTILE} {HOSTILE}2" in page.text
    assert PendingChange.objects.pending().count() == 1
