"""The pages that show the OpenAPI document, in a browser that tells what went wrong."""

import re

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# Redoc draws the whole document at once, which takes a busy machine its time.
PATIENCE = 90_000
DARK = "dark-mode"


@pytest.mark.parametrize(
    ("path", "last_shown"),
    [("/api/docs", "a.tablelinks, .opblock"), ("/api/redoc", "a[href*='redocly.com']")],
)
def test_the_documentation_is_shown_and_asks_nobody_else(new_page, live_server, path, last_shown):
    page = new_page("/api/heartbeat")
    asked, told = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: told.append(message.text))
    page.on("pageerror", lambda error: told.append(str(error)))
    page.goto(path)
    expect(page.get_by_text("Horde Model Reference API").first).to_be_visible(timeout=PATIENCE)
    expect(page.locator(last_shown).first).to_be_attached(timeout=PATIENCE)
    # Redoc shows a logo of its makers until that has failed to load.
    expect(page.locator("img[alt='redocly logo']")).to_have_count(0)
    page.wait_for_load_state("networkidle")
    assert told == []
    ours = (live_server.url, f"blob:{live_server.url}", "data:")
    assert [url for url in asked if not url.startswith(ours)] == []


@pytest.mark.parametrize("path", ["/api/docs", "/api/redoc"])
def test_the_documentation_leads_back_to_the_catalogue(new_page, path):
    page = new_page(path, width=360)
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Horde Model Reference").click()
    expect(page).to_have_title("Catalogue · Horde Model Reference")


@pytest.mark.parametrize(
    ("path", "system", "chosen", "is_dark"),
    [
        ("/api/docs", "dark", "", True),
        ("/api/docs", "light", "", False),
        ("/api/docs", "light", "dark", True),
        ("/api/docs", "dark", "light", False),
        ("/api/redoc", "light", "dark", True),
        ("/api/redoc", "dark", "light", False),
    ],
)
def test_the_documentation_has_the_colours_of_the_site(new_page, live_server, path, system, chosen, is_dark):
    page = new_page("/api/heartbeat", color_scheme=system)
    if chosen:
        page.context.add_cookies([{"name": "theme", "value": chosen, "url": live_server.url}])
    page.goto(path)
    expect(page.get_by_role("heading", name="Horde Model Reference API")).to_be_visible(timeout=PATIENCE)
    assert page.evaluate("name => document.documentElement.classList.contains(name)", DARK) is is_dark
    bar, body = page.evaluate(
        "[...document.querySelectorAll('.docs-bar, body')].map(e => getComputedStyle(e).backgroundColor)"
    )[::-1]
    assert bar == body == ("rgb(28, 32, 34)" if is_dark else "rgb(255, 255, 255)")
    heading = page.get_by_role("heading", name="Horde Model Reference API")
    brightest = max(map(int, re.findall(r"\d+", heading.evaluate("e => getComputedStyle(e).color"))[:3]))
    assert (brightest > 200) is is_dark
