"""The catalogue in Chromium: readable by everyone, at any width, in both themes, with and without script."""

import re
from functools import cache

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from playwright.sync_api import Page, expect
from pytest_django import Settings

from references.legacy import CategorySource
from references.services import sources_import
from tests.browser.conftest import NewPage
from tests.furnished import REQUESTOR, people_know, session_of
from tests.references.pages.html import Page as ParsedPage
from tests.references.pages.weights import weight

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PAGES = {
    "home": "/",
    "table": "/models/image_generation",
    "cards": "/models/image_generation?view=cards",
    "conditions": "/models/image_generation?q=model&style=anime&sort=-size",
    "nothing fits": "/models/image_generation?q=nothing+like+this",
    "groups": "/models/text_generation?q=lumimaid",
    "empty category": "/models/lora",
    "image model": "/models/image_generation/stable_diffusion",
    "nsfw model": "/models/image_generation/Veiled",
    "text model": "/models/text_generation/NeverSleep/Lumimaid-v0.2-8B",
    "clip model": "/models/clip/ViT-L/14",
    "search": "/search?q=model",
    "image statistics": "/statistics/image_generation",
    "text statistics": "/statistics/text_generation",
    "image risk": "/deletion-risk/image_generation",
    "text risk": "/deletion-risk/text_generation",
    "not found": "/nothing",
}
PHONE = 360
RECORD = PAGES["image model"]


@cache
def axe() -> Axe:
    return Axe()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, PHONE])
def test_no_page_has_a_fault_that_axe_finds(new_page: NewPage, width: int, theme: str):
    page = new_page(width=width, color_scheme=theme)
    found = {}
    for name, path in PAGES.items():
        page.goto(path)
        violations = axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
        if violations:
            found[name] = [(each["id"], each["nodes"][0]["html"]) for each in violations]
    assert found == {}


@pytest.mark.parametrize("width", [320, PHONE, 768, 1024])
def test_no_page_is_wider_than_the_screen(new_page: NewPage, width: int):
    page = new_page(width=width)
    widths = {}
    for name, path in PAGES.items():
        page.goto(path)
        widths[name] = page.evaluate("document.documentElement.scrollWidth")
    assert {name: found for name, found in widths.items() if found > width} == {}


def test_the_policy_of_pages_lets_through_all_they_need(new_page: NewPage):
    page = new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    for path in PAGES.values():
        page.goto(path, wait_until="networkidle")
    assert [text for text in complaints if "404 (Not Found)" not in text] == []


def test_nothing_moves_while_a_page_loads(new_page: NewPage):
    page = new_page()
    page.add_init_script(
        "window.shift = 0; new PerformanceObserver(list => list.getEntries().forEach(e => window.shift += e.value))"
        ".observe({type: 'layout-shift', buffered: true})"
    )
    shifts = {}
    for name in ("home", "table", "cards", "image model", "image statistics"):
        page.goto(PAGES[name], wait_until="networkidle")
        page.mouse.wheel(0, 2000)
        page.wait_for_load_state("networkidle")
        shifts[name] = page.evaluate("window.shift")
    assert {name: shift for name, shift in shifts.items() if shift > 0.001} == {}


def test_filters_are_beside_the_list_on_a_desk_and_behind_a_button_on_a_phone(new_page: NewPage):
    desk = new_page(PAGES["table"])
    expect(desk.get_by_role("link", name=re.compile("^anime"))).to_be_visible()
    expect(desk.get_by_text("Filters", exact=True)).to_be_hidden()
    phone = new_page(PAGES["table"], width=PHONE)
    expect(phone.get_by_role("link", name=re.compile("^anime"))).to_be_hidden()
    phone.get_by_text("Filters", exact=True).click()
    phone.get_by_role("link", name=re.compile("^anime")).click()
    expect(phone).to_have_url(re.compile(r"\?style=anime$"))


def test_the_first_stop_of_the_keyboard_leads_past_the_header(new_page: NewPage):
    page = new_page(PAGES["table"])
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()


def test_every_stop_of_the_keyboard_can_be_seen(new_page: NewPage):
    page = new_page(PAGES["groups"])
    unseen = []
    for _ in range(60):
        page.keyboard.press("Tab")
        stop = page.evaluate(
            "(() => { let e = document.activeElement; if (e === document.body) return null;"
            " const ring = e.matches('.facets > summary') ? e.firstElementChild : e;"
            " const s = getComputedStyle(ring), r = ring.getBoundingClientRect();"
            " return [e.outerHTML.slice(0, 80), s.outlineStyle !== 'none' && r.width > 0 && r.height > 0]; })()"
        )
        if stop is None:
            break
        if not stop[1]:
            unseen.append(stop[0])
    assert unseen == []


def test_a_group_unfolds_by_keyboard(new_page: NewPage):
    page = new_page("/models/text_generation")
    variant = page.get_by_role("link", name="NeverSleep/Lumimaid-v0.2-70B")
    expect(variant).to_be_hidden()
    page.locator("summary.group-row").first.focus()
    page.keyboard.press("Enter")
    expect(variant).to_be_visible()


def test_a_slash_goes_to_the_search_box_but_can_be_typed_in_it(new_page: NewPage):
    page = new_page(PAGES["table"])
    page.keyboard.press("/")
    box = page.get_by_role("searchbox")
    expect(box).to_be_focused()
    page.keyboard.type("a/b")
    expect(box).to_have_value("a/b")


def test_choosing_an_order_is_enough(new_page: NewPage):
    page = new_page("/models/image_generation?style=anime")
    page.get_by_label("Sort").select_option("Largest")
    expect(page).to_have_url(re.compile(r"\?style=anime&sort=-size$"))


def test_who_goes_back_sees_what_the_list_of_that_address_was_asked_for(new_page: NewPage):
    page = new_page(PAGES["table"])
    page.get_by_label("Sort").select_option("Largest")
    expect(page).to_have_url(re.compile("sort=-size$"))
    page.go_back()
    expect(page).to_have_url(re.compile("/image_generation$"))
    expect(page.get_by_label("Sort")).to_have_value("name")


def test_a_checksum_is_copied_and_said_to_be(new_page: NewPage):
    page = new_page(RECORD, permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy the checksum").click()
    expect(page.locator("[data-live]")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == "ab" * 32
    page.get_by_role("button", name="Copy the record, Version 2").click()
    assert '"name": "stable_diffusion"' in page.evaluate("navigator.clipboard.readText()")


def test_a_phone_can_sort_by_what_it_has_no_column_for(new_page: NewPage):
    page = new_page(PAGES["image risk"], width=PHONE)
    expect(page.get_by_role("link", name="Workers", exact=True)).to_be_hidden()
    page.get_by_label("Sort").select_option("Most workers")
    expect(page).to_have_url(re.compile(r"\?sort=-workers$"))
    expect(page.get_by_label("Sort")).to_have_value("-workers")
    page.get_by_label("Sort").select_option("Smallest")
    expect(page).to_have_url(re.compile(r"\?sort=size$"))
    expect(page.locator("tbody .row-link").first).to_have_text("Model 01")


def test_the_variants_of_a_group_at_risk_fit_on_a_phone(new_page: NewPage):
    page = new_page(PAGES["text risk"], width=PHONE)
    page.get_by_text("2 variants").click()
    expect(page.get_by_role("link", name="NeverSleep/Lumimaid-v0.2-70B")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE


@pytest.mark.parametrize("width", [1440, PHONE])
def test_flagged_models_are_ticked_at_once_and_counted(
    new_page: NewPage, settings: Settings, live_server: object, width: int
):
    people_know(settings)
    page = new_page(width=width)
    session = {"name": settings.SESSION_COOKIE_NAME, "value": session_of(REQUESTOR), "url": live_server.url}
    page.context.add_cookies([session])
    page.goto("/deletion-risk/text_generation?mode=models")
    flagged = page.get_by_label("Flagged")
    propose = page.locator("#selection button")
    expect(page.locator(".selection")).to_contain_text("Flagged (0 of 3)")
    flagged.check()
    expect(propose).to_have_text("Propose removal of the ticked (3)")
    page.locator("td.tick input[data-flagged]").first.uncheck()
    expect(page.locator(".selection")).to_contain_text("Flagged (2 of 3)")
    assert flagged.evaluate("box => box.indeterminate")
    page.get_by_label("All on this page").check()
    expect(flagged).to_be_checked()
    page.get_by_label("All on this page").uncheck()
    expect(flagged).not_to_be_checked()
    expect(propose).to_be_disabled()


def background(page: Page) -> str:
    return page.evaluate("getComputedStyle(document.body).backgroundColor")


def test_a_theme_is_chosen_without_leaving_the_page_and_stays(new_page: NewPage):
    page = new_page(color_scheme="light")
    light = background(page)
    page.get_by_role("searchbox").fill("not lost")
    page.get_by_role("button", name="Dark").click()
    assert background(page) != light
    expect(page.get_by_role("searchbox")).to_have_value("not lost")
    page.goto("/search")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    expect(page.get_by_role("button", name="Dark")).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="Colours of the system").click()
    assert background(page) == light
    assert page.context.cookies() == []


def test_pictures_that_may_offend_are_not_even_fetched_before_they_are_asked_for(new_page: NewPage):
    page = new_page()
    fetched: list[str] = []
    page.on("request", lambda request: fetched.append(request.url))
    page.goto(PAGES["nsfw model"], wait_until="networkidle")
    page.goto(f"{PAGES['cards']}&q=veiled", wait_until="networkidle")
    assert [url for url in fetched if "veiled/1" in url] == []
    page.goto(PAGES["nsfw model"])
    page.get_by_text("Show 1 picture").click()
    expect(page.get_by_role("img", name="Made with Veiled, picture 1")).to_be_visible()
    page.wait_for_load_state("networkidle")
    assert len([url for url in fetched if "veiled/1" in url]) == 1


def test_a_picture_is_enlarged_and_put_back_by_keyboard(new_page: NewPage):
    page = new_page(RECORD)
    link = page.get_by_role("link", name="Made with stable_diffusion, picture 2")
    link.focus()
    page.keyboard.press("Enter")
    enlarged = page.get_by_role("dialog").get_by_role("img")
    expect(enlarged).to_have_attribute("src", re.compile("a/2.webp$"))
    page.keyboard.press("ArrowRight")
    expect(enlarged).to_have_attribute("src", re.compile("a/3.webp$"))
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(link).to_be_focused()


def test_everything_works_without_script(new_page: NewPage):
    page = new_page(PAGES["table"], java_script_enabled=False, color_scheme="light")
    page.get_by_role("searchbox").fill("model")
    page.get_by_label("Sort").select_option("Largest")
    page.get_by_role("button", name="Search").click()
    expect(page).to_have_url(re.compile(r"\?q=model&sort=-size$"))
    page.get_by_role("link", name=re.compile("^anime")).click()
    expect(page.locator(".chip")).to_have_count(2)
    page.get_by_role("button", name="Dark").click()
    expect(page).to_have_url(re.compile(r"\?q=model&sort=-size&style=anime$"))
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.get_by_role("link", name="Clear all").click()
    page.locator("tbody .row-link").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Model 57")
    expect(page.locator(".copy").first).to_be_hidden()


def test_on_paper_it_is_day_and_nothing_is_there_to_be_pressed(new_page: NewPage, live_server: object):
    page = new_page()
    page.context.add_cookies([{"name": "theme", "value": "dark", "url": live_server.url}])
    page.goto(PAGES["image statistics"])
    assert background(page) != "rgb(255, 255, 255)"
    page.emulate_media(media="print")
    assert background(page) == "rgb(255, 255, 255)"
    expect(page.locator(".site-header")).to_be_hidden()
    expect(page.get_by_role("link", name="Deletion risk")).to_have_count(0)
    # What the page is about stands in its tab alone.
    assert page.locator(".tabs a:visible").all_inner_texts() == ["Statistics"]


def test_what_is_chosen_is_told_in_the_colours_of_the_reader(new_page: NewPage):
    page = new_page(PAGES["table"], forced_colors="active")

    def drawn(selector: str) -> list[str]:
        return page.eval_on_selector_all(
            selector,
            "all => all.map(e => (s => s.backgroundColor + s.borderBottomColor)(getComputedStyle(e)))",
        )

    for chosen, others in (
        (".site-nav [aria-current]", ".site-nav a:not([aria-current])"),
        (".tabs [aria-current]", ".tabs a:not([aria-current])"),
        (".modes [aria-current]", ".modes a:not([aria-current])"),
        (".pager [aria-current]", ".pager a:not([aria-current])"),
    ):
        assert drawn(chosen)[0] not in drawn(others), chosen


@pytest.fixture
def all_real_models(real_sources: list[CategorySource], usage: None) -> None:
    sources_import(real_sources)


def test_pages_of_the_real_catalogue_are_light(all_real_models: None, settings: Settings):
    client = Client(headers={"accept": "text/html"})
    # Who may propose has a box to tick at each model.
    people_know(settings)
    client.cookies[settings.SESSION_COOKIE_NAME] = session_of(REQUESTOR)
    weights = {}
    for path in (
        "/",
        *(f"/models/text_generation?page={number}" for number in range(1, 15)),
        *(f"/models/image_generation?view={view}" for view in ("table", "cards")),
        *(f"/models/text_generation?view={view}" for view in ("table", "cards")),
        "/models/text_generation?sort=-month",
        *(f"/deletion-risk/text_generation?{query}" for query in ("", "sort=-score", "mode=models")),
        "/deletion-risk/image_generation?sort=-score",
        "/models/image_generation/stable_diffusion",
        "/statistics/text_generation",
    ):
        response = client.get(path)
        assert ParsedPage(response).text
        weights[path] = weight(response)
    assert {path: heavy for path, heavy in weights.items() if heavy > 100_000} == {}


def test_every_page_of_the_real_deletion_risk_is_light(all_real_models: None, settings: Settings):
    client = Client(headers={"accept": "text/html"})
    people_know(settings)
    client.cookies[settings.SESSION_COOKIE_NAME] = session_of(REQUESTOR)
    weights = {}
    for category, query in (
        ("text_generation", "sort=-workers&preset=deletion_candidates"),
        ("text_generation", "sort=-score&mode=models&preset=deletion_candidates"),
        ("image_generation", "sort=name&preset=deletion_candidates"),
    ):
        path = f"/deletion-risk/{category}?{query}"
        while path:
            response = client.get(path)
            weights[path] = weight(response)
            following = [link["href"] for link in ParsedPage(response).all("a", rel="next")]
            path = following[0] if following else None
    assert len(weights) > 60
    assert {path: heavy for path, heavy in weights.items() if heavy > 94_000} == {}
