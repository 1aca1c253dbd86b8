"""The field of JSON in Chromium: colours behind it while it is typed into, and faults in words."""

import json
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, expect

from moderation.models import PendingChange
from tests.browser.conftest import CHROMIUM, FLAGS, NewPage

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

DESK, PHONE = 1440, 360
LONGEST = 50_000
EDIT = "/propose/image_generation/edit/stable_diffusion"
SEE_THROUGH = "rgba(0, 0, 0, 0)"
STARTER = Path(__file__).resolve().parents[2] / "references" / "starter" / "v2" / "video_generation.json"
REAL = json.dumps(max(json.loads(STARTER.read_text()).values(), key=lambda each: len(str(each))), indent=2)
ODD = "\n".join(
    (
        REAL.replace("\n", f'\n  "hash": "{"0a" * 300}",\n', 1),
        '\t{"שלום עולם" : "مرحبا — 世界 ｗｉｄｅ 🎉", "abc" : -5.2e3}   trailing' + " " * 300,
        f'"https://example.org/{"a/b-c_d?e=f&" * 40}"',
        "",
        "",
    )
)
HOSTILE = '{"name": "</pre></textarea><img src=x onerror=\'document.title=1\'>"}'
FAULTS = [
    ("", "Line 1: a record begins with {."),
    ('{\n"a": [1,\n{"b": 2}', "Line 2: [ is never closed."),
    ('{"a": 1\n"b": 2}', 'Line 2: a comma is missing before "b".'),
    ('{"a": [1,\n]}', "Line 2: no comma may come before ]."),
    ('{"a": [1\n}', "Line 2: } does not close [."),
    ("{\n'a': 1}", "Line 2: a name in double quotes has to be here, not 'a'."),
    ('{"a"\n1}', "Line 2: a colon is missing before 1."),
    ('{"a":\n, "b": 1}', "Line 2: a value is missing before ,."),
    ('{"a":\nTrue}', "Line 2: True is no value."),
    ('{"a":\n01}', "Line 2: 01 is no value."),
    ('{"a":\n"b\n}', 'Line 2: "b is not closed.'),
    ('{"a":\n"b\\q"}', 'Line 2: "b\\q" has a backslash too few or too many.'),
    ('{"a": 1}\n}', "Line 2: nothing may follow the record, but } does."),
    ('{"a":\u00a01}', "Line 1: an unusual space is no value."),
    ("[]", "Line 1: a record begins with {."),
    ('{"a":\n' + "[" * 100_000, "Line 2: it is nested too deeply."),
]
OpenJson = Callable[..., Page]


def json_of(page: Page) -> Page:
    """Signs in, and goes on to the record as JSON."""
    page.get_by_label("AI-Horde key").fill("rita")
    page.get_by_role("button", name="Sign in").click()
    page.goto(EDIT)
    page.get_by_role("button", name="JSON", exact=True).click()
    expect(field_of(page)).to_be_visible()
    page.wait_for_load_state()
    return page


@pytest.fixture
def open_json(new_page: NewPage, people: None) -> OpenJson:
    return lambda **options: json_of(new_page("/sign-in", **options))


@pytest.fixture
def barred(chromium: Browser) -> Iterator[Browser]:
    """A browser whose bars for scrolling take room, as those of most desks do."""
    browser = chromium.browser_type.launch(
        executable_path=CHROMIUM, args=FLAGS, ignore_default_args=["--hide-scrollbars"]
    )
    yield browser
    browser.close()


def field_of(page: Page) -> Locator:
    return page.get_by_label("The whole record")


def layer_of(page: Page) -> Locator:
    return page.locator(".json-layer")


def is_alike(page: Page) -> bool:
    """Whether the colours are of the text in the field, at the same place."""
    return page.evaluate(
        """() => {
          const [field, layer] = ["#json", ".json-layer"].map((each) => document.querySelector(each));
          const places = ["scrollHeight", "clientWidth", "clientHeight", "scrollTop"];
          return places.every((name) => field[name] === layer[name])
            && field.value === layer.textContent;
        }"""
    )


def scroll(page: Page, top: int | None = None) -> None:
    """Waits for what the scrolling sets off, or what else was done."""
    page.evaluate(
        """async (top) => {
          if (top !== null) document.querySelector("#json").scrollTop = top;
          await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
        }""",
        top,
    )


def tokens(page: Page) -> list[list[str]]:
    return layer_of(page).evaluate(
        "layer => [...layer.querySelectorAll('.jk, .js, .jn')].map((each) => [each.className, each.textContent])"
    )


def test_keys_strings_numbers_and_words_have_the_colours_of_other_pages(open_json: OpenJson):
    page = open_json()
    field_of(page).fill('{"a" : "b: \\"c\\"", "d": [-1.5e+3, true, null, "e"]}')
    assert tokens(page) == [
        ["jk", '"a"'],
        ["js", '"b: \\"c\\""'],
        ["jk", '"d"'],
        ["jn", "-1.5e+3"],
        ["jn", "true"],
        ["jn", "null"],
        ["js", '"e"'],
    ]
    drawn = [
        layer_of(page).locator(each).first.evaluate("e => getComputedStyle(e).color")
        for each in (".jk", ".js")
    ]
    page.goto("/models/image_generation/stable_diffusion")
    page.locator(".json summary").first.click()
    assert drawn == [
        page.locator(f".code {each}").first.evaluate("e => getComputedStyle(e).color")
        for each in (".jk", ".js")
    ]


def test_what_is_no_json_yet_has_colours_as_far_as_its_pieces_go(open_json: OpenJson):
    page = open_json()
    field_of(page).fill('{"name": "not closed, true\n"nsfw": falsey, 12,\n"x')
    assert tokens(page) == [
        ["jk", '"name"'],
        ["js", '"not closed, true'],
        ["jk", '"nsfw"'],
        ["jn", "12"],
        ["js", '"x'],
    ]
    assert is_alike(page)


def test_colours_follow_typing_pasting_cutting_undo_and_redo(open_json: OpenJson):
    page = open_json()
    field = field_of(page)
    opened = field.input_value()
    field.focus()
    page.keyboard.press("Control+Home")
    page.keyboard.type('{"typed": 7,\n')
    assert is_alike(page)
    assert tokens(page)[:2] == [["jk", '"typed"'], ["jn", "7"]]
    page.keyboard.press("Control+a")
    page.keyboard.press("Control+x")
    assert (field.input_value(), is_alike(page), tokens(page)) == ("", True, [])
    page.keyboard.press("Control+v")
    page.keyboard.press("Control+v")
    typed = '{"typed": 7,\n' + opened
    assert (field.input_value(), is_alike(page)) == (typed * 2, True)
    for _ in range(40):
        page.keyboard.press("Control+z")
    assert (field.input_value(), is_alike(page)) == (opened, True)
    page.keyboard.press("Control+Shift+z")
    assert field.input_value() != opened
    assert is_alike(page)


def test_a_draft_that_is_restored_has_its_colours(open_json: OpenJson):
    page = open_json()
    field_of(page).fill('{"name": "Left behind"')
    page.goto(EDIT)
    page.get_by_role("button", name="Restore it").click()
    expect(field_of(page)).to_have_value('{"name": "Left behind"')
    page.wait_for_load_state()
    assert is_alike(page)
    assert tokens(page) == [["jk", '"name"'], ["js", '"Left behind"']]
    page.goto("/")
    page.go_back()
    expect(field_of(page)).to_have_value('{"name": "Left behind"')
    page.wait_for_load_state()
    assert is_alike(page)
    # Some browsers fill fields in again as late as this.
    page.evaluate(
        """() => {
          document.querySelector("#json").value = '{"version": 7}';
          dispatchEvent(new PageTransitionEvent("pageshow"));
        }"""
    )
    assert is_alike(page)
    assert tokens(page) == [["jk", '"version"'], ["jn", "7"]]


@pytest.mark.parametrize("text", [REAL, ODD], ids=["a real record", "odd text"])
@pytest.mark.parametrize("width", [DESK, PHONE])
def test_colours_lie_where_the_letters_are(open_json: OpenJson, width: int, text: str):
    page = open_json(width=width)
    field_of(page).fill(text)
    assert is_alike(page)
    assert layer_of(page).evaluate("layer => layer.scrollHeight > layer.clientHeight")
    for top in (0, 200, 100_000):
        scroll(page, top)
        assert is_alike(page)
    for narrower in range(width, width - 60, -7):
        page.set_viewport_size({"width": narrower, "height": 900})
        scroll(page, 100_000)
        assert is_alike(page), narrower
    page.set_viewport_size({"width": width * 2, "height": 900})
    scroll(page)
    assert is_alike(page)
    field_of(page).evaluate("field => { field.style.height = '150px'; }")
    scroll(page, 333)
    assert is_alike(page)
    # Letters that are coloured apart stand where they would all in one.
    moved = layer_of(page).evaluate(
        """layer => {
          const plain = layer.cloneNode();
          plain.textContent = layer.textContent;
          layer.after(plain);
          plain.scrollTop = layer.scrollTop;
          const places = (text) => {
            const range = document.createRange();
            return Array.from({ length: text.length }, (_, at) => {
              range.setStart(text, at);
              range.setEnd(text, at + 1);
              const { x, y } = range.getBoundingClientRect();
              return [x, y];
            });
          };
          const all = [];
          const walker = document.createTreeWalker(layer, NodeFilter.SHOW_TEXT);
          while (walker.nextNode()) all.push(...places(walker.currentNode));
          const apart = places(plain.firstChild).map(([x, y], at) => Math.hypot(x - all[at][0], y - all[at][1]));
          plain.remove();
          return Math.max(...apart);
        }"""
    )
    assert moved < 1


@pytest.mark.parametrize("width", [DESK, PHONE])
def test_bars_for_scrolling_take_the_same_room(
    barred: Browser, live_server, catalogue: None, people: None, width: int
):
    page = barred.new_page(base_url=live_server.url, viewport={"width": width, "height": 900})
    page.goto("/sign-in")
    json_of(page)
    for text in ("{}", REAL, ODD):
        field_of(page).fill(text)
        assert field_of(page).evaluate("field => field.offsetWidth - field.clientWidth") > 2
        assert is_alike(page)


def test_the_text_is_seen_through_only_where_colours_are_behind_it(open_json: OpenJson):
    page = open_json()
    field = field_of(page)
    expect(field).to_have_css("color", SEE_THROUGH)
    expect(field).not_to_have_css("caret-color", SEE_THROUGH)
    expect(layer_of(page)).to_be_visible()
    field.fill("7" * LONGEST)
    expect(field).to_have_css("color", SEE_THROUGH)
    field.fill("7" * (LONGEST + 1))
    expect(layer_of(page)).to_be_hidden()
    expect(field).not_to_have_css("color", SEE_THROUGH)
    assert layer_of(page).text_content() == ""
    field.fill("{}")
    expect(field).to_have_css("color", SEE_THROUGH)
    assert is_alike(page)


def test_without_script_the_field_is_plain(open_json: OpenJson):
    page = open_json(java_script_enabled=False)
    expect(layer_of(page)).to_have_count(0)
    expect(field_of(page)).not_to_have_css("color", SEE_THROUGH)
    assert json.loads(field_of(page).input_value())["name"] == "stable_diffusion"


def test_where_colours_are_the_readers_own_the_field_is_plain(open_json: OpenJson):
    page = open_json(forced_colors="active")
    expect(layer_of(page)).to_be_hidden()
    expect(field_of(page)).not_to_have_css("color", SEE_THROUGH)
    page.emulate_media(forced_colors="none")
    expect(layer_of(page)).to_be_visible()
    assert is_alike(page)


def test_paper_has_the_whole_record_and_not_the_window_of_the_field(open_json: OpenJson):
    page = open_json()
    field_of(page).fill(REAL)
    page.emulate_media(media="print")
    expect(field_of(page)).to_be_hidden()
    height, whole = layer_of(page).evaluate("layer => [layer.clientHeight, layer.scrollHeight]")
    assert height == whole > 1000


def test_what_is_typed_is_text_whatever_it_holds(open_json: OpenJson):
    page = open_json()
    title = page.title()
    field_of(page).fill(HOSTILE)
    assert is_alike(page)
    assert [kind for kind, _ in tokens(page)] == ["jk", "js"]
    assert layer_of(page).evaluate(
        "layer => [...layer.querySelectorAll('*')].every((e) => e.localName === 'span')"
    )
    page.get_by_role("button", name="Preview the changes").click()
    expect(page.get_by_role("alert")).to_be_visible()
    page.wait_for_load_state()
    assert is_alike(page)
    assert page.title() == title


def test_where_it_stops_being_json_is_said_in_words_and_marked(open_json: OpenJson):
    page = open_json()
    fault, marked = page.locator("#json-fault"), page.locator(".is-wrong")
    expect(fault).to_have_attribute("role", "status")
    for text, words in FAULTS:
        field_of(page).fill(text)
        expect(fault).to_have_text(words)
        number = int(words.split()[1].rstrip(":"))
        is_coloured = len(text) < LONGEST
        line = text.splitlines(keepends=True)[number - 1 : number] if is_coloured else []
        assert marked.all_text_contents() == line
    field_of(page).fill('{"a": 1\n"b": 2}')
    expect(marked).to_have_text('"b": 2}')
    field_of(page).fill('{"a": 1,\n"b": 2}')
    expect(fault).to_have_text("")
    expect(marked).to_have_count(0)


def test_what_the_service_said_is_marked_and_not_said_again(open_json: OpenJson):
    page = open_json(width=PHONE)
    field_of(page).fill('{"name": "stable_diffusion",\n}')
    page.get_by_role("button", name="Preview the changes").click()
    expect(page.get_by_role("alert")).to_contain_text("Line 2, column 1")
    expect(page.locator(".is-wrong")).to_have_text("}")
    expect(page.locator("#json-fault")).to_have_text("")
    assert is_alike(page)
    field_of(page).press("End")
    page.keyboard.type(" ")
    expect(page.locator("#json-fault")).to_contain_text("no comma may come before }")
    box = page.locator("#json-fault").bounding_box()
    assert 0 <= box["y"] <= 900 - box["height"]
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE
    assert violations(page) == []


@cache
def axe() -> Axe:
    return Axe()


def violations(page: Page) -> list[tuple[str, str]]:
    found = axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [(each["id"], each["nodes"][0]["html"]) for each in found]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [DESK, PHONE])
def test_axe_finds_nothing_and_tab_stops_at_the_field_once(open_json: OpenJson, width: int, theme: str):
    page = open_json(width=width, color_scheme=theme)
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    field_of(page).fill(REAL + "\n!")
    expect(page.locator("#json-fault")).not_to_be_empty()
    assert violations(page) == []
    page.get_by_role("button", name="JSON", exact=True).focus()
    page.keyboard.press("Tab")
    expect(field_of(page)).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Preview the changes").last).to_be_focused()
    assert complaints == []


def test_what_is_typed_in_colours_is_previewed_and_sent(open_json: OpenJson):
    page = open_json()
    field = field_of(page)
    field.fill(field.input_value().replace('"retro"', '"retro", "fresh"'))
    page.get_by_role("button", name="Form", exact=True).click()
    page.get_by_role("button", name="JSON", exact=True).click()
    expect(field).to_have_value(json.dumps(json.loads(field.input_value()), indent=2, ensure_ascii=False))
    page.wait_for_load_state()
    assert is_alike(page)
    page.get_by_role("button", name="Preview the changes").last.click()
    page.get_by_role("button", name="Send proposal").click()
    expect(page.get_by_text("Sent as change")).to_be_visible()
    assert PendingChange.objects.get().payload_as_dict()["tags"] == ["scenes", "retro", "fresh"]
