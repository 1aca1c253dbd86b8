"""The lists of stored rows in Chromium: nothing is cut off, and pages do not scroll sideways."""

import pytest

from moderation.models import PendingChange
from tests.browser.conftest import NewPage
from tests.browser.test_all_pages import serious_faults
from tests.furnished import APPROVER, people_know, session_of

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

CHANGES = "/admin/moderation/pendingchange/"
LISTS = (CHANGES, "/admin/moderation/auditevent/", "/admin/references/textgeneration/")


@pytest.fixture
def open_page(new_page: NewPage, settings: object) -> NewPage:
    """Opens pages as an approver, beside a queue of long names."""
    people_know(settings)
    PendingChange.objects.bulk_create(
        PendingChange(
            category="image_generation",
            model_name=f"lab/A-rather-long-name_{'that-goes-on' * 12}-{number}",
            operation="create",
            domain="v2",
            payload="{}",
            requested_by="101",
            requested_username="A_requestor_with_a_rather_long_name_of_one_word#101",
            requested_at=1_790_000_000,
            updated_at=1_790_000_000,
        )
        for number in range(30)
    )
    session = session_of(APPROVER)

    def open_signed_in(path: str, **options: object) -> object:
        page = new_page("/", **options)
        page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": page.url}])
        page.goto(path)
        return page

    return open_signed_in


def test_the_last_column_of_the_pending_changes_is_whole_on_a_desk(open_page: NewPage):
    page = open_page(CHANGES)
    last = page.locator("#result_list tbody td.field-requested_at").first
    assert last.inner_text() == "2026-09-21 14:13:20 UTC"
    region = page.get_by_role("region", name="Pending changes, row by row")
    assert region.evaluate("each => each.scrollWidth - each.clientWidth") == 0


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 360])
def test_lists_and_rows_keep_to_the_width_of_the_page(open_page: NewPage, width: int, theme: str):
    page = open_page(CHANGES, width=width, color_scheme=theme)
    row = page.locator("#result_list tbody a").first.get_attribute("href")
    for path in (*LISTS, row):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") == width, path
        assert serious_faults(page) == [], path


def test_rows_that_are_too_wide_scroll_by_keys(open_page: NewPage):
    page = open_page(CHANGES, width=360)
    region = page.get_by_role("region", name="Pending changes, row by row")
    region.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("document.querySelector('.scroll').scrollLeft > 0")
    assert region.evaluate("each => each === document.activeElement")
