"""The pages that show the OpenAPI document, in a browser that tells what went wrong."""

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PATIENCE = 30_000


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
