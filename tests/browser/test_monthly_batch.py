"""A month's work of an approver in Chromium: nine changes are looked at, eight go live, one is refused.

Once with the mouse and once with the keyboard alone, each on a desk and on a phone. What it takes is counted, and
told with `-s`; more than the budget is a fault of the pages.
"""

import re
from collections.abc import Iterator

import pytest
from django.test import Client
from playwright.sync_api import Locator, Page, expect
from pytest_django import Settings

from moderation.models import PendingChange
from references.models import ModelRecord
from tests.browser.conftest import NewPage
from tests.hordedouble import running_horde
from tests.moderation.factories import IMAGES, RAVI, RITA, propose_create, propose_delete, propose_update

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
KEY = "key-approver"
TEXTS = "text_generation"
GB = 10**9
REASON = "The licence is not clear."
# Clicks beside typing; and keys without those that spell the key and the reason.
MOST_CLICKS, MOST_KEYS = 18, 60
WIDTHS = pytest.mark.parametrize("width", [1440, 360])


class Hand:
    """Works a page, and counts: what is clicked, which keys are pressed, which letters are typed."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.clicks = self.keys = self.letters = 0

    def click(self, target: Locator) -> None:
        self.clicks += 1
        target.click()

    def press(self, *keys: str) -> None:
        for key in keys:
            self.keys += 1
            self.page.keyboard.press(key)

    def press_until(self, key: str, target: Locator) -> None:
        """Presses the key until the focus is there."""
        for _ in range(MOST_KEYS):
            self.press(key)
            if target.evaluate("each => each === document.activeElement"):
                return
        pytest.fail(f"{key} does not lead there")

    def type(self, words: str) -> None:
        self.letters += len(words)
        self.page.keyboard.type(words)

    def arrived(self, heading: str | re.Pattern) -> None:
        """Waits until the page with this heading is there, and its script too."""
        expect(self.page.get_by_role("heading", level=1)).to_have_text(heading)
        self.page.wait_for_load_state()

    def told(self, how: str, width: int) -> None:
        print(f"\n{how} at {width} px: {self.clicks} clicks, {self.keys} keys, {self.letters} letters")  # noqa: T201


@pytest.fixture
def changes(catalogue: None, settings: Settings) -> list[PendingChange]:
    """The queue, the oldest first; the sixth is the one to refuse."""
    settings.QUEUE_REQUESTOR_IDS = frozenset({"101", "102"})
    settings.QUEUE_APPROVER_IDS = frozenset({"900"})
    return [
        propose_create("Fresh paint", description="New"),
        propose_create("Fresher paint", by=RAVI),
        propose_create("lab/Fresh-Writer-7B", category=TEXTS, parameters=7 * GB),
        edited("Model 01", description="Better words"),
        edited("Model 02", tags=["a", "b"], nsfw=True),
        edited("Model 03", description="Spam"),
        edited("NeverSleep/Lumimaid-v0.2-8B", category=TEXTS, description="A maid"),
        propose_delete("Model 04"),
        propose_delete("NeverSleep/Lumimaid-v0.2-70B", category=TEXTS, by=RAVI),
    ]


def edited(name: str, *, category: str = IMAGES, **fields: object) -> PendingChange:
    held = ModelRecord.objects.get(category=category, name=name).as_dict()
    del held["name"]
    return propose_update(name, category=category, by=RITA, **{**held, **fields})


@pytest.fixture
def known_keys(settings: Settings) -> Iterator[None]:
    with running_horde() as horde:
        settings.HORDE_URL = horde.url
        yield


def everything_is_done(changes: list[PendingChange]) -> None:
    """In the database, and for everyone who reads the API."""
    stored = PendingChange.objects.in_bulk()
    statuses = [stored[change.change_id].status for change in changes]
    assert statuses == ["applied"] * 5 + ["rejected"] + ["applied"] * 3
    assert stored[changes[5].change_id].reject_reason == REASON
    assert {one.applied_by for one in stored.values() if one.status == "applied"} == {"900"}
    assert {one.batch_id for one in stored.values()} == {1, None}
    images = Client().get(f"/api/model_references/v2/{IMAGES}").json()
    assert images["Fresh paint"]["description"] == "New"
    assert "Fresher paint" in images
    assert images["Model 01"]["description"] == "Better words"
    assert (images["Model 02"]["tags"], images["Model 02"]["nsfw"]) == (["a", "b"], True)
    assert images["Model 03"]["description"] == "Made for pictures of towns, machines and the sea."
    assert "Model 04" not in images
    texts = Client().get(f"/api/model_references/v2/{TEXTS}").json()
    assert texts["lab/Fresh-Writer-7B"]["parameters"] == 7 * GB
    assert texts["NeverSleep/Lumimaid-v0.2-8B"]["description"] == "A maid"
    assert "NeverSleep/Lumimaid-v0.2-70B" not in texts


@WIDTHS
def test_with_the_mouse(new_page: NewPage, changes: list, known_keys: None, width: int):
    page = new_page("/admin/queue/?sort=oldest", width=width)
    hand, names = Hand(page), [change.model_name for change in changes]
    main = page.get_by_role("main")

    def button(name: str) -> Locator:
        return main.get_by_role("button", name=name, exact=True)

    hand.click(page.get_by_role("link", name="Sign in with an AI-Horde key"))
    hand.click(page.get_by_label("AI-Horde key"))
    hand.type(KEY)
    hand.click(button("Sign in"))
    hand.arrived("Queue")
    hand.click(page.get_by_role("link", name=names[0], exact=True))
    hand.arrived(names[0])
    # Once there and back: the others are looked at as they come.
    hand.click(page.get_by_role("link", name="Next"))
    hand.arrived(names[1])
    hand.click(page.get_by_role("link", name="Previous"))
    for place, name in enumerate(names):
        hand.arrived(name)
        expect(page.get_by_text(f"1 of {9 - place}", exact=True)).to_be_visible()
        if place == 5:
            hand.click(
                page.get_by_label("Reason, or more of it").or_(page.get_by_label("Reason", exact=True))
            )
            hand.type(REASON)
            hand.click(button("Reject"))
        else:
            hand.click(button("Approve"))
    hand.arrived("Queue")
    hand.click(page.get_by_role("link", name="Apply…"))
    hand.arrived("Dry run")
    expect(page.get_by_role("checkbox", name=re.compile("^Apply change"))).to_have_count(8)
    hand.click(button("Apply the ticked"))
    hand.arrived("8 changes applied")
    hand.told("mouse", width)
    everything_is_done(changes)
    assert hand.keys == 0
    assert hand.clicks <= MOST_CLICKS


@WIDTHS
def test_with_the_keyboard_alone(new_page: NewPage, changes: list, known_keys: None, width: int):
    page = new_page("/admin/queue/?sort=oldest", width=width)
    hand, names = Hand(page), [change.model_name for change in changes]
    # The field of the other way to sign in has the focus; the link is before it.
    hand.press_until("Shift+Tab", page.get_by_role("link", name="Sign in with an AI-Horde key"))
    hand.press("Enter")
    field = page.get_by_label("AI-Horde key")
    expect(field).to_be_visible()
    hand.press_until("Tab", field)
    hand.type(KEY)
    hand.press("Enter")
    hand.arrived("Queue")
    hand.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    hand.press("Escape", "j", "x", "x", "Enter")
    hand.arrived(names[0])
    hand.press("d")
    page.wait_for_url("**view=inline*")
    hand.press("j")
    hand.arrived(names[1])
    hand.press("k")
    for place, name in enumerate(names):
        hand.arrived(name)
        if place == 5:
            hand.press("r")
            hand.type(REASON)
            hand.press("Tab", "Enter")
        else:
            hand.press("a", "Enter")
    hand.arrived("Queue")
    hand.press("g", "p")
    hand.arrived("Dry run")
    hand.press("a")
    expect(page.get_by_role("button", name="Apply the ticked")).to_be_focused()
    hand.press("Enter")
    hand.arrived("8 changes applied")
    hand.told("keyboard", width)
    everything_is_done(changes)
    hand.press("g", "a")
    hand.arrived("Audit")
    hand.press(
        "g",
        "q",
    )
    hand.arrived("Queue")
    hand.press("/")
    expect(page.get_by_role("searchbox").last).to_be_focused()
    assert hand.clicks == 0
    assert hand.keys <= MOST_KEYS
