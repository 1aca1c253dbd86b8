"""Proposing in Chromium: with and without script, at a desk and on a phone, by keyboard alone."""

import json
from collections.abc import Callable
from functools import cache

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from pytest_django import Settings

from moderation.models import PendingChange
from moderation.services import batch_decide, change_propose
from moderation.services.remarks import comment_add
from references.models import ModelRecord
from references.services import record_put
from tests.browser.conftest import NewPage
from tests.moderation.factories import ADA, RITA, propose_update

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

DESK, PHONE = 1440, 360
NEW = "/propose/image_generation"
NEW_TEXT = "/propose/text_generation"
EDIT = f"{NEW}/edit/stable_diffusion"
DELETE = f"{NEW}/delete/stable_diffusion"
PAGES = {
    "new": NEW,
    "new text model": NEW_TEXT,
    "edit": EDIT,
    "copy": f"{NEW}?copy=stable_diffusion",
    "delete": DELETE,
    "delete text model": f"{NEW_TEXT}/delete/NeverSleep/Lumimaid-v0.2-8B",
    "list": "/models/image_generation",
    "cards": "/models/image_generation?view=cards",
    "groups": "/models/text_generation",
    "risk": "/deletion-risk/image_generation",
    "record": "/models/image_generation/stable_diffusion",
    "my changes": "/my-changes",
}
AsRita = Callable[..., Page]


@cache
def axe() -> Axe:
    return Axe()


@pytest.fixture
def as_rita(new_page: NewPage, settings: Settings) -> AsRita:
    """Opens pages as a requestor who has signed in with a key."""
    settings.QUEUE_REQUESTOR_IDS = frozenset({"101"})
    settings.STATIC_API_KEYS = {"key": "Rita#101"}

    def open_page(path: str, **options: object) -> Page:
        page = new_page("/sign-in", **options)
        page.get_by_label("AI-Horde key").fill("key")
        page.get_by_role("button", name="Sign in").click()
        page.goto(path)
        return page

    return open_page


def faults(page: Page) -> list[tuple[str, str]]:
    # A click does not wait for the style sheet of the page it leads to.
    page.wait_for_load_state()
    violations = axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [(each["id"], each["nodes"][0]["html"]) for each in violations]


def button(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).last.click()


def fill_new(page: Page, name: str) -> None:
    page.get_by_label("Name required").first.fill(name)
    page.get_by_label("Baseline").select_option("flux_1")
    page.get_by_label("NSFW").select_option("No")


def steps(page: Page) -> list[Callable[[], object]]:
    """What shows the pages that only a form leads to."""
    return [
        lambda: (page.goto(NEW), button(page, "Preview the changes")),
        lambda: button(page, "JSON"),
        lambda: (page.get_by_label("The whole record").fill("{"), button(page, "Form")),
        lambda: (page.goto(NEW), fill_new(page, "Stable-Diffusion"), button(page, "Add a file")),
        lambda: (
            page.get_by_label("File name").fill("a.bin"),
            page.get_by_label("File URL").fill("http://civitai.com/models/1"),
            button(page, "Preview the changes"),
        ),
        lambda: (page.goto(DELETE), button(page, "Propose the removal")),
        lambda: (
            page.goto("/models/image_generation"),
            page.locator("td.tick input").nth(2).check(),
            page.locator("#selection button").click(),
        ),
    ]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [DESK, PHONE])
def test_no_page_has_a_fault_that_axe_finds_or_is_wider_than_the_screen(
    as_rita: AsRita, width: int, theme: str
):
    page = as_rita("/", width=width, color_scheme=theme)
    found: dict[str, object] = {}
    widths = {}
    for name, path in PAGES.items():
        page.goto(path)
        found[name] = faults(page)
        widths[name] = page.evaluate("document.documentElement.scrollWidth")
    for number, step in enumerate(steps(page)):
        step()
        found[f"step {number}"] = faults(page)
        widths[f"step {number}"] = page.evaluate("document.documentElement.scrollWidth")
    assert {name: each for name, each in found.items() if each} == {}
    assert {name: each for name, each in widths.items() if each > width} == {}


def test_the_policy_of_pages_lets_through_all_they_need(as_rita: AsRita):
    page = as_rita("/")
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    for path in PAGES.values():
        page.goto(path, wait_until="networkidle")
    for step in steps(page):
        step()
        page.wait_for_load_state("networkidle")
    # Browsers report each answer that refuses what was sent.
    assert [text for text in complaints if "422 (Unprocessable Entity)" not in text] == []


@pytest.mark.parametrize("width", [DESK, PHONE])
@pytest.mark.parametrize("script", [True, False])
def test_a_model_is_proposed_with_and_without_script(as_rita: AsRita, script: bool, width: int):
    page = as_rita("/models/image_generation", width=width, java_script_enabled=script)
    page.get_by_role("link", name="Propose a model").click()
    fill_new(page, "Fresh one")
    button(page, "Add a file")
    page.get_by_label("File name").fill("a.bin")
    button(page, "Add a file")
    page.get_by_label("File name").nth(1).fill("b.bin")
    page.get_by_label("File URL").nth(1).fill("https://huggingface.co/b.bin")
    button(page, "Remove file 1")
    button(page, "JSON")
    text = page.get_by_label("The whole record").input_value()
    assert [file["file_name"] for file in json.loads(text)["config"]["download"]] == ["b.bin"]
    page.get_by_label("The whole record").fill(text.replace('"Fresh one"', '"Fresh two"'))
    button(page, "Form")
    expect(page.get_by_label("Name required").first).to_have_value("Fresh two")
    button(page, "Preview the changes")
    expect(page.get_by_role("heading", level=1)).to_have_text("Fresh two")
    expect(page.get_by_text("The hash is missing, so workers cannot check the file.")).to_be_visible()
    page.get_by_label("Note to the approver").fill("Checked")
    button(page, "Send proposal")
    expect(page.get_by_text("Sent as change")).to_be_visible()
    change = PendingChange.objects.get()
    notes = "Checked\n\nAddresses checked by the proposer: no."
    assert (change.model_name, change.notes) == ("Fresh two", notes)
    assert not ModelRecord.objects.filter(name="Fresh two").exists()


@pytest.mark.parametrize("width", [DESK, PHONE])
@pytest.mark.parametrize("script", [True, False])
def test_a_map_is_written_in_rows_with_and_without_script(as_rita: AsRita, script: bool, width: int):
    page = as_rita(NEW_TEXT, width=width, java_script_enabled=script)
    page.get_by_label("Name required").first.fill("Fresh")
    page.get_by_label("Parameters required").fill("7")
    settings = page.get_by_role("group", name="Settings")
    rows = settings.locator(".map-row")
    expect(rows).to_have_count(2)
    settings.get_by_label("Name 1").select_option("sampler_order")
    settings.get_by_label("Value 1").fill("6\n0")
    settings.get_by_label("Name 2").select_option("temperature")
    settings.get_by_label("Value 2").fill("0.7")
    button(page, "Add a row to Settings")
    expect(rows).to_have_count(4)
    settings.get_by_label("Name 3").select_option("singleline")
    button(page, "Add a row to Settings")
    settings.get_by_label("Value 3").select_option("Yes")
    settings.get_by_label("Name 4").select_option("temperature")
    settings.get_by_label("Value 4").fill("1")
    button(page, "Preview the changes")
    summary = page.get_by_role("alert")
    expect(summary).to_contain_text("Settings: row 4: This name is there twice.")
    summary.get_by_role("link").click()
    expect(settings.get_by_label("Name 4")).to_be_focused()
    # axe itself is a script.
    assert not script or faults(page) == []
    button(page, "Remove row 4 of Settings")
    expect(rows).to_have_count(5)
    button(page, "Preview the changes")
    button(page, "Send proposal")
    expect(page.get_by_text("Sent as change")).to_be_visible()
    sent = PendingChange.objects.get().payload_as_dict()["settings"]
    assert sent == {"sampler_order": [6, 0], "temperature": 0.7, "singleline": True}


def test_a_value_is_asked_for_as_what_its_name_holds(as_rita: AsRita):
    page = as_rita(NEW)
    row = page.get_by_role("group", name="Requirements").locator(".map-row").first
    name, value = row.get_by_label("Name 1"), row.get_by_label("Value 1")

    def named(text: str) -> tuple[str, str]:
        name.fill(text)
        name.blur()
        return value.evaluate("field => field.localName"), value.evaluate("field => field.value")

    value.fill("karras")
    assert named("clip_skip") == ("input", "karras")
    assert named("singleline") == ("select", "")
    assert named("schedulers") == ("textarea", "karras")
    expect(row.get_by_text("One on each line.")).to_be_visible()
    assert named("anything") == ("textarea", "karras")
    assert value.get_attribute("name") == "r.requirements.0.value"
    expect(row.get_by_text("One on each line.")).to_have_count(0)


def test_a_row_is_written_by_keyboard_alone(as_rita: AsRita):
    page = as_rita(EDIT)
    rows = page.get_by_role("group", name="Requirements")
    rows.get_by_label("Name 2").focus()
    page.keyboard.type("max_steps")
    page.keyboard.press("Tab")
    page.keyboard.type("8")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    focused = page.evaluate("document.activeElement.textContent")
    assert focused == "Add a row to Requirements"
    page.keyboard.press("Enter")
    expect(rows.get_by_label("Name 4")).to_be_focused()
    expect(rows.get_by_label("Value 2")).to_have_value("8")
    page.wait_for_load_state()
    for _ in range(3):
        page.keyboard.press("Shift+Tab")
    expect(rows.get_by_role("button", name="Remove row 2")).to_be_focused()
    page.keyboard.press("Enter")
    expect(rows.get_by_role("button", name="Add a row")).to_be_focused()


def test_a_setting_may_be_called_as_what_objects_of_scripts_have(as_rita: AsRita):
    page = as_rita(EDIT)
    rows, errors = page.get_by_role("group", name="Requirements"), []
    page.on("pageerror", lambda error: errors.append(error.message))
    rows.get_by_label("Name 2").fill("max_steps")
    rows.get_by_label("Value 2").click()
    rows.get_by_label("Name 2").fill("constructor")
    rows.get_by_label("Value 2").click()
    expect(rows.locator(".map-row").nth(1).locator(".map-value")).to_have_attribute("data-kind", "scalar")
    button(page, "Add a row to Requirements")
    expect(rows.get_by_label("Name 2")).to_have_value("constructor")
    assert errors == []


@pytest.mark.parametrize("width", [DESK, PHONE])
@pytest.mark.parametrize("script", [True, False])
def test_a_model_is_edited_copied_and_removed_with_and_without_script(
    as_rita: AsRita, script: bool, width: int
):
    record = "/models/image_generation/stable_diffusion"
    page = as_rita(record, width=width, java_script_enabled=script)
    page.get_by_role("link", name="Propose changes").click()
    page.get_by_label("Description").first.fill("Other words")
    button(page, "Preview the changes")
    expect(page.get_by_role("cell", name="Other words")).to_be_visible()
    button(page, "Send proposal")

    page.goto(record)
    page.get_by_role("link", name="Copy").click()
    page.get_by_label("Name required").first.fill("The copy")
    button(page, "Preview the changes")
    expect(page.get_by_text("stable_diffusion in image_generation has a file with")).to_have_count(0)
    button(page, "Send proposal")

    page.goto(record)
    page.get_by_role("link", name="Propose removal").click()
    expect(page.get_by_text("Past month")).to_be_visible()
    page.get_by_label("Type the name to confirm").fill("stable_diffusion")
    button(page, "Propose the removal")
    expect(page.get_by_text("Sent as change")).to_be_visible()
    sent = PendingChange.objects.oldest_first().values_list("operation", "model_name")
    assert list(sent) == [
        ("update", "stable_diffusion"),
        ("create", "The copy"),
        ("delete", "stable_diffusion"),
    ]


@pytest.mark.parametrize("script", [True, False])
def test_ticked_models_are_proposed_for_removal_together(as_rita: AsRita, script: bool):
    page = as_rita("/deletion-risk/image_generation", java_script_enabled=script)
    ticks = page.locator("td.tick input")
    for number in (0, 1, 2):
        ticks.nth(number).check()
    page.locator("#selection button").click()
    page.get_by_label("Remove", exact=False).nth(1).uncheck()
    page.get_by_label("Type how many models").fill("2")
    button(page, "Propose the removals")
    expect(page.get_by_text("2 removals proposed.")).to_be_visible()
    assert PendingChange.objects.filter(operation="delete").count() == 2


def test_ticks_are_counted_and_made_all_at_once(as_rita: AsRita):
    page = as_rita("/models/image_generation")
    propose = page.locator("#selection button")
    expect(propose).to_be_disabled()
    page.locator("td.tick input").first.check()
    expect(propose).to_have_text("Propose removal of the ticked (1)")
    page.get_by_label("All on this page").check()
    expect(propose).to_have_text("Propose removal of the ticked (40)")


def test_a_proposal_is_made_by_keyboard_alone(as_rita: AsRita):
    page = as_rita(EDIT)
    page.keyboard.press("Tab")
    for _ in range(80):
        focused = page.evaluate("document.activeElement.id || document.activeElement.textContent.trim()")
        hidden = page.evaluate(
            """() => {
              const bar = document.querySelector(".send-bar").getBoundingClientRect();
              const on = document.activeElement.getBoundingClientRect();
              return !document.activeElement.closest(".send-bar") && on.top > bar.top;
            }"""
        )
        assert not hidden, f"{focused} has the focus where the buttons hide it"
        if focused == "f-version":
            page.keyboard.press("Control+a")
            page.keyboard.type("7")
        if focused == "Preview the changes":
            break
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_label("Note to the approver").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Sent as change")).to_be_visible()
    assert PendingChange.objects.get().payload_as_dict()["version"] == "7"


def test_enter_in_a_field_leads_to_the_preview_and_faults_get_the_focus(as_rita: AsRita):
    page = as_rita(NEW)
    page.get_by_label("Name required").first.fill("Fresh")
    page.keyboard.press("Enter")
    summary = page.get_by_role("alert")
    expect(summary).to_be_focused()
    expect(summary).to_contain_text("2 things to put right.")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.url.endswith("#f-baseline")
    expect(page.get_by_label("Name required").first).to_have_value("Fresh")


def test_a_draft_survives_a_reload_and_can_be_thrown_away(as_rita: AsRita):
    page = as_rita(NEW)
    fill_new(page, "Left behind")
    page.reload()
    expect(page.get_by_label("Name required").first).to_have_value("")
    button(page, "Restore it")
    expect(page.get_by_label("Name required").first).to_have_value("Left behind")
    button(page, "Add a file")
    page.get_by_label("File name").fill("a.bin")
    page.goto("/")
    page.goto(NEW)
    button(page, "Restore it")
    expect(page.get_by_label("File name")).to_have_value("a.bin")
    page.goto(NEW)
    button(page, "Discard it")
    page.reload()
    expect(page.get_by_text("You left a draft here")).to_be_hidden()


def test_what_was_sent_is_no_draft_any_more(as_rita: AsRita):
    page = as_rita(NEW)
    fill_new(page, "Sent")
    button(page, "Preview the changes")
    button(page, "Send proposal")
    expect(page.get_by_text("Sent as change")).to_be_visible()
    page.goto(NEW)
    expect(page.get_by_text("You left a draft here")).to_be_hidden()


@pytest.mark.parametrize("script", [True, False])
def test_what_others_changed_meanwhile_is_shown_and_taken_in(as_rita: AsRita, script: bool):
    page = as_rita(EDIT, java_script_enabled=script)
    page.get_by_label("Version", exact=True).first.fill("7")
    live = ModelRecord.objects.get(name="stable_diffusion").as_dict()
    record_put(category="image_generation", name="stable_diffusion", record={**live, "description": "Theirs"})
    button(page, "Preview the changes")
    expect(page.get_by_role("alert")).to_contain_text("was changed while you were writing")
    expect(page.get_by_role("cell", name="Theirs")).to_be_visible()
    button(page, "Take their changes into mine")
    expect(page.get_by_label("Description").first).to_have_value("Theirs")
    expect(page.get_by_label("Version", exact=True).first).to_have_value("7")
    button(page, "Preview the changes")
    expect(page.get_by_role("button", name="Send proposal")).to_be_visible()


@pytest.mark.parametrize("script", [True, False])
def test_on_a_phone_every_entry_of_the_navigation_can_be_seen(
    as_rita: AsRita, script: bool, settings: Settings
):
    settings.QUEUE_APPROVER_IDS = frozenset({"101"})
    page = as_rita("/my-changes", width=PHONE, java_script_enabled=script)
    entries = page.get_by_role("navigation", name="Main").get_by_role("link")
    expect(entries).to_have_text(["Catalogue", "Statistics", "Deletion risk", "Docs", "My changes", "Desk"])
    for box in (entry.bounding_box() for entry in entries.all()):
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= PHONE


@pytest.mark.parametrize(("script", "width"), [(True, DESK), (False, PHONE)])
def test_a_question_is_answered_with_and_without_script(as_rita: AsRita, script: bool, width: int):
    change = propose_update("stable_diffusion", by=RITA)
    comment_add(actor=ADA, change_id=change.change_id, text="Where is this from?")
    page = as_rita("/my-changes", width=width, java_script_enabled=script)
    expect(page.get_by_text("to answer")).to_be_visible()
    page.get_by_role("link", name="1 comment").click()
    page.get_by_label("Your answer").fill("From its own page.")
    button(page, "Send comment")
    expect(page.get_by_text("From its own page.")).to_be_visible()
    expect(page.get_by_role("heading", name="Comments 2")).to_be_visible()


def test_long_addresses_fit_on_a_phone_and_are_asked_about(as_rita: AsRita):
    page = as_rita(NEW, width=PHONE)
    button(page, "Add a file")
    page.get_by_label("Name required").first.fill("Fresh")
    page.locator("#f-baseline").select_option("flux_1")
    page.locator("#f-nsfw").select_option("false")
    page.locator("#f-config-download-0-file_name").fill("a.bin")
    page.locator("#f-config-download-0-file_url").fill(f"https://huggingface.co/{'long-' * 30}a.bin")
    button(page, "Preview the changes")
    expect(page.get_by_role("heading", level=1)).to_have_text("Fresh")
    assert faults(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE
    page.get_by_label("I have opened every new address").check()
    button(page, "Send proposal")
    expect(page.get_by_text("Addresses checked by the proposer: yes.")).to_be_visible()


def test_a_rejected_change_is_edited_and_proposed_again(as_rita: AsRita):
    change = change_propose(
        actor=RITA,
        category="image_generation",
        name="Fresh",
        operation="create",
        payload={"name": "Fresh", "baseline": "flux_1", "nsfw": False, "version": "1"},
        route="create_v2_image_generation",
    )
    batch_decide(actor=ADA, title="Review", rejected_ids=[change.change_id], reject_reason="No licence")
    page = as_rita(f"/my-changes/{change.change_id}")
    page.get_by_role("link", name="Edit and propose again").click()
    expect(page.get_by_label("Version", exact=True).first).to_have_value("1")
    page.get_by_label("Version", exact=True).first.fill("2")
    button(page, "Preview the changes")
    button(page, "Send proposal")
    again = PendingChange.objects.pending().get()
    assert (again.model_name, again.payload_as_dict()["version"]) == ("Fresh", "2")
