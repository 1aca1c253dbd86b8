"""People with a keyboard and no mouse, in Chromium: proposing and withdrawing, applying, undoing, and the password."""

import re

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import expect

from moderation.models import PendingChange
from moderation.services import batch_apply
from tests.browser.conftest import NewPage
from tests.browser.hands import arrived, named, press_on, signed_in, tab_to
from tests.moderation.factories import ADA, approve, make_live, propose_create, propose_update

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
WIDTHS = pytest.mark.parametrize("width", [1440, 360])


@WIDTHS
def test_a_model_is_found_changed_sent_and_the_change_withdrawn(people: None, new_page: NewPage, width: int):
    page = signed_in(new_page, "rita", width=width)
    page.goto("/")
    tab_to(page, page.get_by_role("searchbox").first)
    page.keyboard.type("Lumimaid-v0.2-8B")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search?q=*")
    press_on(page, page.get_by_role("main").get_by_role("link", name=re.compile("Lumimaid-v0.2-8B")))
    arrived(page, "NeverSleep/Lumimaid-v0.2-8B")
    press_on(page, named(page, "link", "Propose changes"))
    arrived(page, "Propose changes")

    rows = page.get_by_role("group", name="Settings")
    press_on(page, rows.get_by_role("button", name="Add a row"))
    expect(rows.get_by_label("Name 3")).to_be_focused()
    page.wait_for_load_state()
    page.keyboard.type("temp")
    expect(rows.get_by_label("Name 3")).to_have_value("temperature")
    tab_to(page, rows.get_by_label("Value 3"))
    page.keyboard.type("0.7")
    press_on(page, named(page, "button", "Preview the changes"))
    arrived(page, "NeverSleep/Lumimaid-v0.2-8B")
    press_on(page, named(page, "button", "Send proposal"))
    expect(page.get_by_role("status").first).to_contain_text("Sent as change")
    page.wait_for_load_state()
    change = PendingChange.objects.get()
    assert change.payload_as_dict()["settings"] == {"temperature": 0.7}

    press_on(page, page.get_by_role("navigation", name="Main").get_by_role("link", name="My changes"))
    arrived(page, "My changes")
    press_on(page, page.get_by_role("main").get_by_role("link", name="NeverSleep/Lumimaid-v0.2-8B"))
    arrived(page, "NeverSleep/Lumimaid-v0.2-8B")
    press_on(page, named(page, "button", "Withdraw"))
    expect(page.get_by_role("status").first).to_contain_text("is withdrawn.")
    change.refresh_from_db()
    assert change.status == "rejected"


@WIDTHS
def test_a_batch_is_applied_and_the_words_for_it_are_typed(people: None, new_page: NewPage, width: int):
    make_live("painter", description="Paints")
    stale = propose_update("painter", description="Mine")
    make_live("painter", description="Theirs")
    approve(stale, propose_create("newcomer"), title="Autumn")
    page = signed_in(new_page, "ada", width=width)
    page.goto("/admin/queue/")
    page.wait_for_load_state()
    page.keyboard.press("g")
    page.keyboard.press("p")
    arrived(page, "Dry run")
    tab_to(page, page.get_by_role("checkbox", name=re.compile("Overwrite what is live")))
    page.keyboard.press("Space")
    press_on(page, named(page, "button", "Apply the ticked"))
    expect(page.get_by_role("alert")).to_contain_text("type overwrite below")
    expect(page.get_by_role("checkbox", name=re.compile("Overwrite what is live"))).to_be_checked()
    tab_to(page, page.get_by_label("To overwrite, type overwrite"))
    page.keyboard.type("overwrite")
    page.keyboard.press("Enter")
    arrived(page, "2 changes applied")
    assert page.title() == "2 changes applied · Horde Model Reference"
    expect(page.locator(".result-panel")).to_be_focused()


@WIDTHS
def test_an_applied_batch_is_found_in_the_audit_and_undone(people: None, new_page: NewPage, width: int):
    make_live("painter", description="Paints")
    approve(propose_update("painter", description="Mine"), title="Autumn")
    batch_apply(actor=ADA, batch_id=1, job_id="autumn")
    page = signed_in(new_page, "ada", width=width)
    page.goto("/admin/queue/")
    page.wait_for_load_state()
    page.keyboard.press("g")
    page.keyboard.press("a")
    arrived(page, "Audit")
    press_on(page, page.get_by_role("link", name="batch 1").first)
    arrived(page, "Autumn")
    press_on(page, page.locator("summary", has_text="Undo this batch…"))
    press_on(page, named(page, "button", "Propose to undo it"))
    expect(page.get_by_role("status").first).to_contain_text("to undo batch 1 now wait")
    assert PendingChange.objects.pending().get().payload_as_dict()["description"] == "Paints"


@WIDTHS
def test_changes_are_rejected_and_purged_and_what_is_missing_has_the_focus(
    people: None, new_page: NewPage, width: int
):
    make_live("painter", description="Paints")
    one, two, three = (propose_update("painter", description=words) for words in ("Spam", "More", "Good"))
    page = signed_in(new_page, "ada", width=width)
    page.goto("/admin/queue/?sort=oldest")
    page.wait_for_load_state()
    page.keyboard.type("jxjxr")
    expect(page.get_by_label("Reason")).to_be_focused()
    press_on(page, named(page, "button", "Reject"))
    expect(
        page.get_by_text("Rejecting needs a reason: choose a saved one, or write one.")
    ).to_be_in_viewport()
    expect(page.get_by_label("Reason")).to_be_focused()
    page.wait_for_load_state()
    page.keyboard.type("No licence.")
    press_on(page, named(page, "button", "Reject"))
    expect(page.get_by_role("status").first).to_contain_text("2 changes are rejected.")
    refused = PendingChange.objects.filter(status="rejected")
    assert [each.reject_reason for each in refused] == ["No licence."] * 2
    assert {each.change_id for each in refused} == {one.change_id, two.change_id}

    page.wait_for_load_state()
    page.keyboard.type("gb")
    arrived(page, "Batches")
    press_on(page, named(page, "link", "Purge…"))
    arrived(page, "Purge")
    press_on(page, named(page, "button", "Show what would go"))
    expect(page.get_by_role("alert")).to_have_text("Give a filter, or say that everything is to go.")
    page.wait_for_load_state()
    tab_to(page, page.get_by_label("Rejected"))
    page.keyboard.press("Space")
    press_on(page, named(page, "button", "Show what would go"))
    page.wait_for_url("**/purge/?statuses=rejected*")
    page.wait_for_load_state()
    tab_to(page, page.get_by_label("Type purge 2 to confirm"))
    page.keyboard.type("purge")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_text("Nothing was purged: type purge 2 to confirm.")
    expect(page.get_by_label("Type purge 2 to confirm")).to_be_focused()
    page.wait_for_load_state()
    page.keyboard.type("purge 2")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").first).to_contain_text("Purged 2 changes")
    assert [each.change_id for each in PendingChange.objects.all()] == [three.change_id]


@WIDTHS
def test_a_superuser_signs_in_by_password_and_reads_the_plain_lists(
    people: None, new_page: NewPage, width: int
):
    User.objects.create_superuser("root", password="a long password")
    page = new_page("/admin/records/", width=width)
    tab_to(page, page.get_by_label("Username"))
    page.keyboard.type("root")
    tab_to(page, page.get_by_role("textbox", name="Password"))
    page.keyboard.type("wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("correct username and password")
    page.wait_for_load_state()
    tab_to(page, page.get_by_role("textbox", name="Password"))
    page.keyboard.type("a long password")
    page.keyboard.press("Enter")
    arrived(page, "Records")
    press_on(
        page, page.get_by_role("main").get_by_role("link", name=re.compile("Image generation", re.I)).first
    )
    page.wait_for_url("**/admin/references/imagegeneration/")
    tab_to(page, page.get_by_role("searchbox"))
    page.keyboard.type("Veiled")
    page.keyboard.press("Enter")
    page.wait_for_url("**/imagegeneration/?q=Veiled")
    press_on(page, named(page, "link", "Veiled"))
    expect(page.get_by_role("heading", level=1)).to_contain_text("image generation", ignore_case=True)


def test_results_outside_the_desk_enter_the_page_after_it_is_there(people: None, new_page: NewPage):
    propose_update("stable_diffusion", description="Words")
    page = signed_in(new_page, "rita", width=1440)
    page.goto(f"/my-changes/{PendingChange.objects.get().change_id}")
    page.add_init_script(
        """addEventListener("load", () => {
          const main = document.querySelector("main");
          const seen = (found) => { document.body.dataset.entered = found[0].addedNodes[0].textContent; };
          new MutationObserver(seen).observe(main, { childList: true, subtree: true });
        })"""
    )
    press_on(page, named(page, "button", "Withdraw"))
    expect(page.get_by_role("status").first).to_contain_text("is withdrawn.")
    expect(page.locator("body")).to_have_attribute("data-entered", re.compile("is withdrawn"))
