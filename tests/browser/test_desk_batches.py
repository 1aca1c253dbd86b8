"""The way of approved changes through the desk in Chromium: dry run, apply, purge, audit, revert."""

import re
from functools import cache
from importlib import import_module

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings as django_settings
from django.test import Client
from playwright.sync_api import Page, expect
from pytest_django import Settings

from moderation.models import PendingChange
from moderation.services import batch_apply, batch_decide
from tests.browser.conftest import NewPage
from tests.moderation.factories import (
    ADA,
    BEN,
    IMAGES,
    RAVI,
    approve,
    make_live,
    propose_create,
    propose_delete,
    propose_update,
)

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PHONE = 360
LONG = "lab/A-rather-long-name_of-a-model-that-goes-on-and-on_The-Final-Cut"
PAGES = {
    "batches": "/admin/batches/",
    "open batch": "/admin/batches/2/",
    "applied batch": "/admin/batches/1/",
    "net effect": "/admin/batches/1/?view=net",
    "dry run": "/admin/apply/",
    "purge": "/admin/purge/",
    "purge dry run": "/admin/purge/?purge_all=on",
    "purge without a filter": "/admin/purge/?model_name=+",
    "events": "/admin/audit/",
    "events narrowed": "/admin/audit/?act=apply&model=painter",
    "no event": "/admin/audit/?act=purge",
    "pending": "/admin/audit/?view=pending",
    "batches of the log": "/admin/audit/?view=batches",
    "history": f"/admin/audit/models/{IMAGES}/painter",
    "record": f"/models/{IMAGES}/painter",
    "list with badges": f"/models/{IMAGES}?q=painter",
}


@cache
def axe() -> Axe:
    return Axe()


@pytest.fixture
def desk(catalogue: None, settings: Settings) -> None:
    """One applied batch, and an open one in which a change is stale."""
    settings.QUEUE_REQUESTOR_IDS = frozenset({"101"})
    settings.QUEUE_APPROVER_IDS = frozenset({"900"})
    make_live("painter", description="Paints", tags=["a", "b"])
    make_live("old brush")
    first = [
        propose_update("painter", description="Paints better", tags=["a", "c"], nsfw=True),
        propose_create(LONG, category="lora"),
        propose_delete("old brush"),
    ]
    refused = propose_create("refused")
    ids = [change.change_id for change in first]
    batch_decide(
        actor=ADA,
        title="Spring cleaning",
        approved_ids=ids,
        rejected_ids=[refused.change_id],
        reject_reason="Licence not clear",
    )
    batch_apply(actor=ADA, batch_id=1, job_id="spring")
    stale = propose_update("painter", description="By Ravi", by=RAVI)
    make_live("painter", description="By somebody else")
    approve(stale, propose_create("newcomer"), propose_create("second newcomer"), title="Autumn", by=BEN)
    propose_update("painter", description="Still waiting")


@pytest.fixture
def desk_page(desk: None, new_page: NewPage, live_server: object) -> NewPage:
    """Opens pages as Ada, an approver, sees them."""

    def open_page(path: str = "/admin/batches/", **options: object) -> Page:
        page = new_page("/", **options)
        page.context.add_cookies([{"name": "sessionid", "value": session_key(), "url": live_server.url}])
        page.goto(path)
        return page

    return open_page


def session_key() -> str:
    session = import_module(django_settings.SESSION_ENGINE).SessionStore()
    session["horde_user"] = {"user_id": "900", "username": "Ada#900"}
    session.create()
    return session.session_key


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, PHONE])
def test_no_page_has_a_fault_that_axe_finds(desk_page: NewPage, width: int, theme: str):
    page = desk_page(width=width, color_scheme=theme)
    found = {}
    for name, path in PAGES.items():
        page.goto(path)
        # What is folded is looked at, too.
        page.evaluate("document.querySelectorAll('main details').forEach(each => { each.open = true })")
        violations = axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
        if violations:
            found[name] = [(each["id"], each["nodes"][0]["html"]) for each in violations]
    assert found == {}


@pytest.mark.parametrize("width", [320, PHONE, 768, 1024])
def test_no_page_is_wider_than_the_screen(desk_page: NewPage, width: int):
    page = desk_page(width=width)
    widths = {}
    for name, path in PAGES.items():
        page.goto(path)
        page.evaluate("document.querySelectorAll('main details').forEach(each => { each.open = true })")
        widths[name] = page.evaluate("document.documentElement.scrollWidth")
    assert {name: found for name, found in widths.items() if found > width} == {}


def test_the_policy_of_pages_lets_through_all_they_need(desk_page: NewPage):
    page = desk_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    for path in PAGES.values():
        page.goto(path, wait_until="networkidle")
    assert [text for text in complaints if "400 (Bad Request)" not in text] == []


@pytest.mark.parametrize(("scripted", "width"), [(True, 1440), (False, 1440), (True, PHONE), (False, PHONE)])
def test_what_fits_is_applied_and_a_conflict_takes_a_tick_and_a_word(
    desk_page: NewPage, scripted: bool, width: int
):
    page = desk_page(java_script_enabled=scripted, width=width)
    page.get_by_role("link", name="Apply all 3…").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Dry run")
    expect(page.get_by_text("Model 'painter' was changed after this change was proposed")).to_be_visible()
    expect(page.get_by_role("checkbox", name=re.compile("Apply change .*second newcomer"))).to_be_checked()
    page.get_by_role("button", name="Apply the ticked").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("2 changes applied")
    expect(page.get_by_role("status").first).to_contain_text("1 change of batch 2 stayed behind")
    if scripted:
        expect(page.locator(".result-panel")).to_be_focused()
    page.get_by_role("link", name="Apply what waits, 1 change…").click()
    page.get_by_role("checkbox", name=re.compile("Overwrite what is live")).check()
    page.get_by_role("button", name="Apply the ticked").click()
    expect(page.get_by_role("alert")).to_contain_text("type overwrite below")
    expect(page.get_by_role("checkbox", name=re.compile("Overwrite what is live"))).to_be_checked()
    page.get_by_label("To overwrite, type overwrite").fill("overwrite")
    page.get_by_role("button", name="Apply the ticked").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("1 change applied")
    page.get_by_role("link", name="Batches").first.click()
    expect(page.get_by_text("No batch is open.")).to_be_visible()


def test_a_selection_of_the_open_batch_is_looked_at_alone(desk_page: NewPage):
    page = desk_page()
    page.get_by_role("checkbox", name=re.compile("Choose change .*, newcomer$")).check()
    page.get_by_role("button", name="Apply the chosen…").click()
    expect(page.get_by_role("checkbox")).to_have_count(1)
    expect(page.get_by_text("2 approved changes of the batch are not part of this dry run.")).to_be_visible()


@pytest.mark.parametrize("scripted", [True, False])
def test_purging_takes_a_dry_run_and_the_words(desk_page: NewPage, scripted: bool):
    page = desk_page(java_script_enabled=scripted)
    page.get_by_role("link", name="Purge…").click()
    page.get_by_role("checkbox", name="Rejected").check()
    page.get_by_role("button", name="Show what would go").click()
    expect(page.get_by_role("status").first).to_contain_text("1 change would go")
    page.get_by_label("Type purge 1 to confirm").fill("purge")
    page.get_by_role("button", name="Purge 1 change").click()
    expect(page.get_by_role("alert")).to_contain_text("type purge 1 to confirm")
    page.get_by_label("Type purge 1 to confirm").fill("purge 1")
    page.get_by_role("button", name="Purge 1 change").click()
    expect(page.get_by_role("status").first).to_contain_text("Purged 1 change")
    assert PendingChange.objects.filter(status="rejected").count() == 0


@pytest.mark.parametrize("scripted", [True, False])
def test_from_the_log_to_a_batch_its_net_effect_and_its_undoing(desk_page: NewPage, scripted: bool):
    page = desk_page("/admin/audit/", java_script_enabled=scripted)
    page.get_by_label("Act").select_option("Applied")
    page.get_by_label("Model").fill("painter")
    page.get_by_role("button", name="Show").click()
    expect(page).to_have_url(re.compile(r"act=apply.*model=painter"))
    expect(page.locator("tbody tr")).to_have_count(1)
    page.get_by_role("link", name="batch 1").click()
    page.get_by_role("link", name="Net effect").click()
    row = page.get_by_role("row", name=re.compile("^description"))
    expect(row.locator("del")).to_have_text("Paints")
    expect(row.locator("ins")).to_have_text("Paints better")
    page.get_by_text("Undo this batch…").click()
    page.get_by_role("button", name="Propose to undo it").click()
    expect(page.get_by_role("status").first).to_contain_text(
        "3 proposals to undo batch 1 now wait in the queue"
    )
    expect(page.get_by_text("Undoing this batch is proposed already")).to_be_visible()


def test_folds_and_their_forms_are_reached_by_keyboard(desk_page: NewPage):
    page = desk_page("/admin/batches/2/")
    page.locator("summary", has_text="Reopen…").first.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.type("Look again")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").first).to_contain_text("is pending again.")
    assert Client().get("/admin/batches/2/").status_code == 302


def test_the_exports_are_files(desk_page: NewPage):
    page = desk_page("/admin/audit/")
    with page.expect_download() as begun:
        page.get_by_role("link", name="CSV").click()
    assert begun.value.suggested_filename == "audit-events.csv"
    with open(begun.value.path(), encoding="utf-8") as file:
        assert file.readline().startswith("event_id,time,timestamp,act,category")
