"""What somebody with a keyboard and no mouse does."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import NewPage

MOST_TABS = 150


def tab_to(page: Page, target: Locator, *, key: str = "Tab") -> None:
    """Goes on until the focus is there; it has to be seen wherever it stops on the way."""
    for _ in range(MOST_TABS):
        page.keyboard.press(key)
        unseen = page.evaluate(
            """() => {
              const focused = document.activeElement ?? document.body;
              if (!focused) return "";
              const marked = focused.localName === "summary" && focused.querySelector(".button") || focused;
              const style = getComputedStyle(marked);
              const box = focused.getBoundingClientRect();
              const isSeen = box.bottom > 0 && box.top < innerHeight && parseFloat(style.outlineWidth) > 0
                && style.outlineStyle !== "none";
              return focused === document.body || isSeen ? "" : focused.outerHTML.slice(0, 120);
            }"""
        )
        assert unseen == ""
        if target.evaluate_all("found => found.includes(document.activeElement)"):
            return
    pytest.fail(f"{key} does not lead to {target}")


def arrived(page: Page, heading: str | re.Pattern) -> None:
    """Waits until the page with this heading is there, and its script too."""
    expect(page.get_by_role("heading", level=1)).to_have_text(heading)
    page.wait_for_load_state()


def press_on(page: Page, target: Locator) -> None:
    tab_to(page, target)
    page.keyboard.press("Enter")


def named(page: Page, role: str, name: str) -> Locator:
    return page.get_by_role(role, name=name, exact=True)


def signed_in(new_page: NewPage, key: str, *, width: int) -> Page:
    page = new_page("/sign-in", width=width)
    tab_to(page, page.get_by_label("AI-Horde key"))
    page.keyboard.type(key)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).not_to_have_text("Sign in")
    page.wait_for_load_state()
    return page
