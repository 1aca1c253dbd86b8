"""The queue and its changes in Chromium: by mouse, by keyboard alone, and without script."""

import re
from collections.abc import Callable
from functools import cache

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect
from pytest_django import Settings

from moderation.models import PendingChange
from moderation.services import batch_decide
from moderation.services.remarks import comment_add, reason_save
from references.models import ModelRecord
from references.services import record_put
from tests.browser.conftest import NewPage
from tests.hordedouble import running_horde
from tests.moderation.factories import (
    ADA,
    IMAGES,
    RAVI,
    RITA,
    approve,
    propose_create,
    propose_delete,
    propose_update,
)

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
QUEUE = "/admin/queue/"
PHONE = 360
KEY = "key-approver"

OpenDesk = Callable[..., Page]


@pytest.fixture
def changes(catalogue: None) -> dict[str, PendingChange]:
    """A queue with something of everything, the oldest first."""
    made = {
        f"edit {number}": edited(f"Model {number:02}", description=f"Words {number}")
        for number in range(1, 5)
    }
    made["files"] = edited(
        "stable_diffusion",
        nsfw=True,
        tags=["scenes", "new"],
        config={
            "download": [
                {
                    "file_name": "model.safetensors",
                    "file_url": "https://example.org/m",
                    "sha256sum": "cd" * 32,
                },
                {"file_name": "more.safetensors", "file_url": "https://example.org/n", "sha256sum": "FIXME"},
            ]
        },
    )
    made["rival"] = propose_delete("stable_diffusion", by=RAVI)
    made["stale"] = edited("Model 20", description="Mine", tags=["a"])
    record_put(category=IMAGES, name="Model 20", record={**stored("Model 20"), "description": "Theirs"})
    made["new"] = propose_create("A name without any space that goes on and on_" + "x" * 60, by=ADA)
    made["waiting"] = edited("Model 30", description="Waits")
    made["rejected"] = edited("Model 31", description="No")
    approve(made["waiting"], title="November")
    batch_decide(
        actor=ADA,
        title="R",
        rejected_ids=[made["rejected"].change_id],
        reject_reason="The licence is not clear.",
    )
    comment_add(actor=ADA, change_id=made["files"].change_id, text="Is the hash right?")
    reason_save(text="The licence is not clear.")
    return made


def stored(name: str) -> dict:
    return ModelRecord.objects.get(category=IMAGES, name=name).as_dict()


def edited(name: str, **fields: object) -> PendingChange:
    held = {key: value for key, value in stored(name).items() if key != "name"}
    return propose_update(name, by=RITA, **{**held, **fields})


@pytest.fixture
def open_desk(new_page: NewPage, changes: dict, settings: Settings) -> OpenDesk:
    """Opens a page of the desk as Ada, who is an approver."""
    settings.QUEUE_REQUESTOR_IDS = frozenset({"101"})
    settings.QUEUE_APPROVER_IDS = frozenset({"900"})

    def opened(path: str = QUEUE, **options: object) -> Page:
        page = new_page("/sign-in", **options)
        with running_horde() as horde:
            settings.HORDE_URL = horde.url
            page.locator("[name=apikey]").fill(KEY)
            page.get_by_role("main").get_by_role("button", name="Sign in").click()
            expect(page.get_by_role("heading", level=1)).not_to_have_text("Sign in")
        page.goto(path)
        return page

    return opened


def pages_of(changes: dict[str, PendingChange]) -> dict[str, str]:
    def path(name: str, query: str = "") -> str:
        return f"{QUEUE}{changes[name].change_id}/{query}"

    return {
        "inbox": QUEUE,
        "all": f"{QUEUE}?show=all&choose=page",
        "narrowed": f"{QUEUE}?show=all&status=pending&by=101&q=model",
        "nothing": f"{QUEUE}?q=nothing+like+this",
        "reasons": f"{QUEUE}reasons/",
        "records": "/admin/records/",
        "rows": "/admin/references/imagegeneration/?q=model&nsfw__exact=0",
        "row": f"/admin/moderation/pendingchange/{changes['files'].change_id}/change/",
        "files": path("files"),
        "inline": path("files", "?view=inline"),
        "json": path("files", "?view=raw"),
        "stale": path("stale"),
        "removal": path("rival"),
        "creation": path("new"),
        "waiting": path("waiting"),
        "rejected": path("rejected"),
    }


@cache
def axe() -> Axe:
    return Axe()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, PHONE])
def test_no_page_has_a_fault_that_axe_finds(open_desk: OpenDesk, changes: dict, width: int, theme: str):
    page = open_desk(width=width, color_scheme=theme)
    found = {}
    for name, path in pages_of(changes).items():
        page.goto(path)
        violations = axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
        if violations:
            found[name] = [(each["id"], each["nodes"][0]["html"]) for each in violations]
    assert found == {}


@pytest.mark.parametrize("width", [320, PHONE, 768, 1024])
def test_no_page_is_wider_than_the_screen(open_desk: OpenDesk, changes: dict, width: int):
    page = open_desk(width=width)
    widths = {}
    for name, path in pages_of(changes).items():
        page.goto(path)
        widths[name] = page.evaluate("document.documentElement.scrollWidth")
    assert {name: found for name, found in widths.items() if found > width} == {}


def test_the_policy_of_pages_lets_through_all_they_need(open_desk: OpenDesk, changes: dict):
    page = open_desk()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    for path in pages_of(changes).values():
        page.goto(path, wait_until="networkidle")
    assert complaints == []


def states(changes: dict[str, PendingChange], *names: str) -> list[str]:
    found = PendingChange.objects.in_bulk([changes[name].change_id for name in names])
    return [found[changes[name].change_id].status for name in names]


@pytest.mark.parametrize("width", [1440, PHONE])
@pytest.mark.parametrize("with_script", [True, False])
def test_a_review_from_the_inbox_to_the_last_decision(
    open_desk: OpenDesk, changes: dict, width: int, with_script: bool
):
    page = open_desk(f"{QUEUE}?sort=oldest", width=width, java_script_enabled=with_script)
    for name in ("Model 01", "Model 02"):
        page.get_by_role("checkbox", name=re.compile(name)).check()
    page.get_by_label("Batch title").fill("December")
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_text("2 changes are approved, in batch 1: December.")).to_be_visible()
    expect(page.get_by_text("3 changes to apply")).to_be_visible()
    assert states(changes, "edit 1", "edit 2") == ["approved", "approved"]

    page.get_by_role("link", name="Model 03").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Model 03")
    expect(page.locator("ins").first).to_have_text("Words 3")
    page.get_by_label("Saved reason").select_option("The licence is not clear.")
    page.get_by_label("Reason, or more of it").fill("See the card.")
    page.get_by_role("button", name="Reject").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Model 04")
    expect(page.get_by_text(f"Change {changes['edit 3'].change_id} is rejected.")).to_be_visible()
    rejected = PendingChange.objects.get(pk=changes["edit 3"].change_id)
    assert rejected.reject_reason == "The licence is not clear. See the card."

    page.get_by_role("textbox", name="Comment").fill("Looks right.")
    page.get_by_role("button", name="Comment").click()
    expect(page.get_by_role("list").filter(has_text="Looks right.")).to_be_visible()
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("stable_diffusion")
    assert states(changes, "edit 4") == ["approved"]


def arrived(page: Page, heading: str) -> None:
    """Waits until the page with this heading is there, and its script too."""
    expect(page.get_by_role("heading", level=1)).to_have_text(heading)
    page.wait_for_load_state()


def test_the_keyboard_alone_reviews_the_queue(open_desk: OpenDesk, changes: dict):
    page = open_desk(f"{QUEUE}?sort=oldest")
    press = page.keyboard.press
    press("j")
    expect(page.get_by_role("link", name="Model 01")).to_be_focused()
    press("x")
    press("j")
    press("j")
    press("k")
    expect(page.get_by_role("link", name="Model 02")).to_be_focused()
    press("x")
    expect(page.get_by_text("2 chosen")).to_be_visible()
    press("a")
    expect(page.get_by_role("button", name="Approve")).to_be_focused()
    press("Enter")
    expect(page.get_by_text("2 changes are approved")).to_be_visible()
    page.wait_for_load_state()
    assert states(changes, "edit 1", "edit 2") == ["approved", "approved"]

    press("j")
    press("Enter")
    arrived(page, "Model 03")
    press("d")
    page.wait_for_url("**view=inline*")
    press("j")
    arrived(page, "Model 04")
    press("k")
    arrived(page, "Model 03")
    press("r")
    expect(page.get_by_label("Saved reason")).to_be_focused()
    press("Tab")
    page.keyboard.type("Just no.")
    press("Tab")
    press("Enter")
    arrived(page, "Model 04")
    assert PendingChange.objects.get(pk=changes["edit 3"].change_id).reject_reason == "Just no."

    press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type("gqa?")
    expect(page.get_by_role("searchbox")).to_have_value("gqa?")
    press("Escape")
    press("g")
    press("a")
    page.wait_for_url("**/admin/audit/")
    press("g")
    press("q")
    page.wait_for_url("**/admin/queue/")


def test_a_key_with_nothing_chosen_means_the_change_in_hand(open_desk: OpenDesk, changes: dict):
    page = open_desk(f"{QUEUE}?sort=oldest")
    page.keyboard.press("j")
    page.keyboard.press("r")
    expect(page.get_by_text("1 chosen")).to_be_visible()
    expect(page.get_by_role("checkbox", name=re.compile("Model 01"))).to_be_checked()
    expect(page.get_by_label("Saved reason")).to_be_focused()


def test_the_keys_are_listed(open_desk: OpenDesk):
    page = open_desk()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    page.keyboard.press("j")
    expect(page.locator("[data-row]:focus-within")).to_have_count(0)
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Keys")).to_be_hidden()
    page.get_by_role("button", name="Keys").click()
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    page.get_by_role("button", name="Close").click()
    expect(page.get_by_role("dialog", name="Keys")).to_be_hidden()


def test_ranges_and_whole_pages_are_chosen_at_once(open_desk: OpenDesk):
    page = open_desk(f"{QUEUE}?sort=oldest")
    page.get_by_role("checkbox", name=re.compile("Model 01")).click()
    page.get_by_role("checkbox", name=re.compile("Model 04")).click(modifiers=["Shift"])
    expect(page.get_by_text("4 chosen")).to_be_visible()
    page.get_by_role("link", name="Choose all").click()
    expect(page.get_by_text("8 chosen")).to_be_visible()
    page.get_by_role("link", name="Choose none").click()
    expect(page.get_by_text("None chosen")).to_be_visible()


def test_a_page_is_chosen_without_script_too(open_desk: OpenDesk):
    page = open_desk(java_script_enabled=False)
    page.get_by_role("link", name="Choose all").click()
    assert page.locator("input[name=change]:checked").count() == 8


def test_results_are_told_when_they_come(open_desk: OpenDesk):
    page = open_desk()
    page.get_by_role("checkbox").first.check()
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_role("status").filter(has_text="is approved, in batch 1")).to_be_visible()
    page.get_by_role("checkbox").first.check()
    page.get_by_role("button", name="Reject").click()
    expect(page.get_by_text("Rejecting needs a reason")).to_be_visible()
    expect(page.get_by_text("1 chosen")).to_be_visible()


def test_a_role_that_is_withdrawn_ends_the_visit(open_desk: OpenDesk, settings: Settings):
    page = open_desk()
    settings.QUEUE_APPROVER_IDS = frozenset()
    page.get_by_role("link", name="Critical").click()
    expect(page.get_by_text("Ada#900 is not an approver")).to_be_visible()


def test_focus_is_seen(open_desk: OpenDesk):
    page = open_desk()
    page.keyboard.press("j")
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineWidth")
    assert outline == "2px"


def test_what_is_marked_stays_marked_in_a_chosen_row(open_desk: OpenDesk):
    page = open_desk(f"{QUEUE}?show=competing&choose=page", color_scheme="dark")
    row = page.locator(".is-chosen").first
    colours = [
        part.evaluate("each => getComputedStyle(each).backgroundColor")
        for part in (row, row.get_by_text("competing", exact=True))
    ]
    assert colours[0] != colours[1]


@pytest.mark.parametrize("width", [1440, PHONE])
def test_a_superuser_comes_in_by_password_and_finds_the_desk_from_anywhere(
    new_page: NewPage, changes: dict, width: int
):
    User.objects.create_superuser("root", password="a long password")
    page = new_page("/admin/", width=width)
    assert axe().run(page, options={"resultTypes": ["violations"]}).response["violations"] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.get_by_label("Username").fill("root")
    page.get_by_role("textbox", name="Password").fill("a long password")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Queue")
    page.get_by_role("link", name="Catalogue").click()
    page.get_by_role("link", name="Desk").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Queue")
    page.get_by_role("button", name="Sign out").click()
    page.goto("/")
    expect(page.get_by_role("link", name="Desk")).to_have_count(0)


def test_the_search_of_the_plain_lists_stands_in_one_line(open_desk: OpenDesk):
    page = open_desk("/admin/references/imagegeneration/")
    tops = [
        page.get_by_role("main").get_by_role(role, name=re.compile("^Search")).bounding_box()["y"]
        for role in ("searchbox", "button")
    ]
    assert abs(tops[0] - tops[1]) < 2
    page.get_by_role("searchbox").fill("Veiled")
    page.keyboard.press("Enter")
    expect(page.get_by_text("1 of 59.")).to_be_visible()
