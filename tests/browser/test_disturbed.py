"""Long changes, sessions that end in the middle, and text that turns around, in Chromium."""

import pytest
from playwright.sync_api import expect

from moderation.services import batch_decide
from tests.browser.conftest import NewPage
from tests.browser.hands import arrived, named, press_on, signed_in, tab_to
from tests.moderation.factories import ADA, make_live, propose_update

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
WIDTHS = pytest.mark.parametrize("width", [1440, 360])


@WIDTHS
def test_the_decision_is_one_step_away_however_long_a_change_is(people: None, new_page: NewPage, width: int):
    make_live("painter", description="Paints")
    long = propose_update("painter", description="\n".join(f"Line {number}" for number in range(300)))
    page = signed_in(new_page, "ada", width=width)
    page.goto(f"/admin/queue/{long.change_id}/")
    page.wait_for_load_state()
    page.mouse.wheel(0, 3000)
    page.wait_for_function("scrollY > 2000")
    way = page.get_by_role("navigation", name="To review").get_by_role("link", name="Decide")
    expect(way).to_be_in_viewport()
    way.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Decide")).to_be_in_viewport()
    tab_to(page, page.get_by_label("Batch title"))


@WIDTHS
def test_a_session_that_ends_while_somebody_writes_takes_nothing_away(
    people: None, new_page: NewPage, width: int
):
    page = signed_in(new_page, "rita", width=width)
    page.goto("/propose/image_generation?copy=stable_diffusion")
    page.wait_for_load_state()
    tab_to(page, page.get_by_role("textbox", name="Name").first)
    page.keyboard.press("Control+a")
    page.keyboard.type("Half written")
    page.context.clear_cookies(name="sessionid")
    press_on(page, named(page, "button", "Preview the changes"))
    arrived(page, "Sign in")
    expect(page.get_by_role("status").first).to_contain_text("Nothing was sent: you are no longer signed in.")
    tab_to(page, page.get_by_label("AI-Horde key"))
    page.keyboard.type("rita")
    page.keyboard.press("Enter")
    arrived(page, "Propose a model")
    press_on(page, named(page, "button", "Restore it"))
    expect(page.get_by_role("textbox", name="Name").first).to_have_value("Half written")


def test_text_that_turns_its_direction_leaves_the_text_beside_it_alone(people: None, new_page: NewPage):
    change = propose_update("stable_diffusion", description="Words")
    batch_decide(actor=ADA, title="T", rejected_ids=[change.change_id], reject_reason="No \u202e")
    page = signed_in(new_page, "ada", width=360)
    page.goto("/admin/audit/?act=reject")
    who = page.locator(".table-events").get_by_text("Ada#900").first
    lefts = who.evaluate(
        """(place) => {
          const words = [...place.childNodes].find((node) => node.data?.includes("Ada#900"));
          const start = words.data.indexOf("Ada#900");
          return [0, 1, 2].map((step) => {
            const range = new Range();
            range.setStart(words, start + step);
            range.setEnd(words, start + step + 1);
            return range.getBoundingClientRect().left;
          });
        }"""
    )
    assert lefts == sorted(lefts)
