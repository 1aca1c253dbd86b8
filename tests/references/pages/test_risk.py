import csv
import io
import time

import pytest
from django.test import Client

from references.deletion_risk import RiskFlag
from references.models import HordeCircuit, UsageSnapshot
from references.pages import panels
from references.pages.panels import Link
from references.pages.risk_rows import SORTS
from references.pages.risk_words import FLAG_WORDS, PRESET_WORDS, SIZE_SORT_WORDS, SORT_WORDS
from references.risk_report import PRESETS
from tests.factories import make_record
from tests.references.pages.html import Page
from tests.references.pages.weights import weight

pytestmark = pytest.mark.django_db
GIB = 2**30


def weighed(browser: Client, category: str = "image_generation", query: str = "") -> Page:
    response = browser.get(f"/deletion-risk/{category}{query}")
    assert response.status_code == 200
    return Page(response)


@pytest.fixture
def images(usage: None) -> None:
    for name, size in (
        ("HASDX", 7),
        ("RPG", 2),
        ("stable_diffusion", 4),
        ("Dreamlike Diffusion", 2),
        ("Unheard", 1),
    ):
        make_record("image_generation", name, description="x", size_on_disk_bytes=size * GIB)


def test_every_flag_and_preset_has_words():
    assert FLAG_WORDS.keys() == set(RiskFlag)
    assert PRESET_WORDS.keys() == PRESETS.keys()


def test_flags_and_presets_of_one_name_mean_one_thing():
    same = {words.label for words in FLAG_WORDS.values()} & {words.label for words in PRESET_WORDS.values()}
    assert same == {"Hardly used"}


def test_sizes_are_in_the_units_of_the_catalogue(browser, images):
    text = weighed(browser, query="?q=rpg").text
    assert "Size Month per GB Flags" in text
    assert "GiB" not in text
    assert "2.15 GB" in text


def test_a_size_is_the_one_that_the_catalogue_shows(browser, usage):
    make_record("image_generation", "stable_diffusion", size_on_disk_bytes=4_265_380_512)
    assert "5,000,000 4.27 GB 21,100" in weighed(browser).text


def test_models_are_listed_by_use_with_their_flags_in_words(browser, images):
    page = weighed(browser)
    assert page.names_of_rows() == ["stable_diffusion", "Dreamlike%20Diffusion", "RPG", "HASDX", "Unheard"]
    assert "HASDX critical Lacks a worker Fell out of use Hardly used Unused today" in page.text
    assert "Models 5 Critical 1 Without a worker 3 Unused for a month 2" in page.text


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("?preset=critical", ["HASDX"]),
        ("?preset=no_workers", ["RPG", "HASDX", "Unheard"]),
        (
            "?preset=nonsense&sort=name",
            ["Dreamlike%20Diffusion", "HASDX", "RPG", "stable_diffusion", "Unheard"],
        ),
        ("?sort=size", ["Unheard", "Dreamlike%20Diffusion", "RPG", "stable_diffusion", "HASDX"]),
        ("?sort=-score", ["HASDX", "RPG", "Unheard", "stable_diffusion", "Dreamlike%20Diffusion"]),
        ("?flag=zero_usage_day&flag=no_active_workers", ["RPG", "HASDX"]),
        ("?q=rpg", ["RPG"]),
        (
            "?flag=nonsense&page=x&q=",
            ["stable_diffusion", "Dreamlike%20Diffusion", "RPG", "HASDX", "Unheard"],
        ),
        ("?preset=no_workers&q=h", ["HASDX", "Unheard"]),
    ],
)
def test_presets_flags_search_and_order_are_in_the_query_string(browser, images, query, names):
    assert weighed(browser, query=query).names_of_rows() == names


def test_presets_tell_how_many_they_keep(browser, images):
    text = weighed(browser).text
    assert (
        "All 5 Candidates 5 Critical 1 Unused for a month 2 Hardly used 2 Without a worker 3 "
        "Incomplete 0 File hosts 5"
    ) in text


@pytest.mark.parametrize(
    ("category", "query", "counts"),
    [
        ("image_generation", "", "Size on disk 1–2 GB 1 2–3 GB 2 4–6 GB 1 6–8 GB 1 5 of 5 models"),
        ("image_generation", "?preset=no_workers", "Size on disk 1–2 GB 1 2–3 GB 1 6–8 GB 1 3 of 5 models"),
        ("image_generation", "?flag=zero_usage_month", "Size on disk 6–8 GB 1"),
        ("image_generation", "?q=h&size=1", "Size on disk 1–2 GB 1 6–8 GB 1"),
        ("text_generation", "", "Baseline llama 1 2 of 2 groups"),
        ("text_generation", "?mode=models", "Baseline llama 3 4 of 4 models"),
        ("text_generation", "?preset=critical", "No baseline 1 1 of 2 groups"),
    ],
)
def test_filters_tell_how_many_of_the_rows_they_keep(browser, images, texts, category, query, counts):
    assert counts in weighed(browser, category, query).text


def table_of(browser: Client, page: Page) -> list[dict[str, str]]:
    """The rows of the table for spreadsheets that a page links to."""
    [url] = [link for link in page.links if "format=csv" in link]
    response = browser.get(url)
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(io.StringIO(response.content.decode())))


@pytest.mark.parametrize(
    ("query", "label", "names"),
    [
        ("?preset=critical", "CSV of this one ", ["HASDX"]),
        ("?preset=no_workers&q=h&sort=-name", "CSV of these 2 ", ["Unheard", "HASDX"]),
        ("?flag=zero_usage_day&q=r", "CSV of this one ", ["RPG"]),
        ("?sort=size", "CSV of all ", ["Unheard", "Dreamlike Diffusion", "RPG", "stable_diffusion", "HASDX"]),
    ],
)
def test_the_table_for_spreadsheets_has_the_rows_in_view(browser, images, query, label, names):
    page = weighed(browser, query=query)
    assert label in page.text
    assert [row["name"] for row in table_of(browser, page)] == names


def test_the_table_for_spreadsheets_has_the_rows_of_all_pages(browser, usage):
    for number in range(45):
        make_record("image_generation", f"Model {number:02}")
    page = weighed(browser, query="?sort=name&page=2")
    assert len(page.names_of_rows()) == 20
    assert [row["name"] for row in table_of(browser, page)] == [f"Model {number:02}" for number in range(45)]


def test_the_table_for_spreadsheets_has_groups_where_the_page_has(browser, texts):
    page = weighed(browser, "text_generation", "?q=lumimaid")
    [row] = table_of(browser, page)
    assert (row["name"], row["usage_month"], row["worker_count"]) == ("Lumimaid", "4440", "5")


def test_a_page_without_rows_offers_no_table(browser, images):
    assert "format=csv" not in "".join(weighed(browser, query="?q=nothing").links)


def test_every_order_of_the_table_can_be_chosen_where_its_heads_are_out_of_sight(browser, images, texts):
    assert {name.removeprefix("-") for name in (*SORT_WORDS, *SIZE_SORT_WORDS)} == SORTS.keys()
    page = weighed(browser, query="?sort=-day&preset=no_workers")
    assert {option["value"] for option in page.all("option")} == SORT_WORDS.keys() | SIZE_SORT_WORDS.keys()
    assert [option["value"] for option in page.all("option") if "selected" in option] == ["-day"]
    assert page.all("input", type="hidden", name="preset", value="no_workers")
    assert not page.all("input", name="sort")
    options = weighed(browser, "text_generation").all("option")
    assert {option["value"] for option in options} == SORT_WORDS.keys()


def test_the_page_tells_how_old_the_figures_are_and_can_be_loaded_again(browser, images):
    UsageSnapshot.objects.filter(path__startswith="stats/img").update(fetched_at=time.time() - 50)
    page = weighed(browser, query="?preset=critical&page=1")
    assert "What the AI-Horde says, as of just now . Refresh" in page.text
    assert "/deletion-risk/image_generation?preset=critical&page=1" in page.links


@pytest.mark.parametrize(
    ("failures", "age", "words"),
    [
        (2, 3600, "as of 1 hour ago ; the AI-Horde does not answer now. Refresh"),
        (0, 3600, "as of 1 hour ago . Refresh"),
        (2, 0, "as of just now . Refresh"),
    ],
)
def test_an_ai_horde_that_does_not_answer_is_told(browser, images, monkeypatch, failures, age, words):
    monkeypatch.setattr("references.horde.usage._refresh_behind", lambda call: None)
    UsageSnapshot.objects.update(fetched_at=time.time() - age)
    HordeCircuit.objects.create(pk=1, consecutive_failures=failures, last_failure_at=time.time() - 5)
    assert words in weighed(browser).text
    assert words.removesuffix(" Refresh") in Page(browser.get("/models/image_generation/RPG")).text


@pytest.fixture
def ticks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Something that can be done with ticked models."""
    provider = [lambda request, category: [Link("Propose removal", f"/propose/{category}/delete")]]
    monkeypatch.setattr(panels, "selection_actions", provider)


def test_models_that_are_flagged_can_be_told_by_their_boxes(browser, texts, ticks):
    for query in ("", "?mode=models"):
        page = weighed(browser, "text_generation", query)
        boxes = page.all("input", name="name")
        assert len(boxes) == 4
        flagged = {box["value"] for box in boxes if "data-flagged" in box}
        assert flagged == {"NeverSleep/Lumimaid-v0.2-12B", "lab/Alder-7B"}
        assert len(page.all("label", **{"data-selection-all": "flagged"})) == 1


def test_what_all_models_of_a_group_have_is_said_once(browser, usage):
    make_record("text_generation", "lab/Alder-7B", description="x")
    make_record("text_generation", "lab/Alder-13B")
    text = weighed(browser, "text_generation").text
    assert "Lacks a worker No description 1 of 2 No baseline" in text
    assert (
        "2 variants lab/Alder-7B 0 workers, 0 in the past month "
        "lab/Alder-13B No description 0 workers, 0 in the past month"
    ) in text


@pytest.mark.parametrize("query", ["", "?mode=models", "?sort=-score&preset=deletion_candidates"])
def test_full_pages_of_long_rows_are_light(browser, usage, ticks, query):
    for number in range(30):
        for size in range(1, 12):
            name = f"an-author-of-models/{chr(65 + number % 26)}{number}ward-of-the-final-cut-v1.{number}-{size}B"
            make_record("text_generation", name, tags=[f"tag {number}"])
    response = browser.get(f"/deletion-risk/text_generation{query}")
    assert len(Page(response).all("input", name="name")) >= 20
    assert weight(response) <= 94_000


@pytest.fixture
def texts(usage: None) -> None:
    for size in (8, 70):
        make_record("text_generation", f"NeverSleep/Lumimaid-v0.2-{size}B", description="x", baseline="llama")
    make_record("text_generation", "NeverSleep/Lumimaid-v0.2-12B", baseline="llama")
    make_record("text_generation", "lab/Alder-7B", description="x")


def test_text_models_are_weighed_by_group_with_their_variants_folded(browser, texts):
    page = weighed(browser, "text_generation")
    assert "Groups 2 Critical 1" in page.text
    assert "Lumimaid No description 1 of 3 5 150 4,440 74,150 1 3 variants" in page.text
    assert "NeverSleep/Lumimaid-v0.2-8B 5 workers, 4,350 in the past month" in page.text
    assert page.names_of_rows() == ["Alder-7B"]


def test_text_models_can_be_weighed_one_by_one(browser, texts):
    page = weighed(browser, "text_generation", "?mode=models")
    assert page.names_of_rows() == ["Lumimaid-v0.2-8B", "Lumimaid-v0.2-12B", "Lumimaid-v0.2-70B", "Alder-7B"]
    assert [row["usage_month"] for row in table_of(browser, page)] == ["4350", "90", "0", "0"]
    assert "Every model counts with its own requests, as of just now" in page.text


def test_a_group_is_found_by_any_of_its_models(browser, texts):
    assert "1 of 2 groups" in weighed(browser, "text_generation", "?q=70b").text


def test_without_an_answer_of_the_horde_the_page_says_so(browser):
    make_record("image_generation", "A")
    response = browser.get("/deletion-risk/image_generation")
    assert response.status_code == 503
    assert "The AI-Horde does not answer." in Page(response).text


@pytest.mark.parametrize("category", ["clip", "nonsense"])
def test_categories_without_usage_have_no_such_page(browser, category):
    assert browser.get(f"/deletion-risk/{category}").status_code == 404


def test_an_empty_category_is_weighed_too(browser, usage):
    assert "Nothing fits." in weighed(browser).text


def test_queries_do_not_grow_with_models(browser, images, django_assert_max_num_queries):
    browser.get("/deletion-risk/image_generation")
    with django_assert_max_num_queries(4):
        browser.get("/deletion-risk/image_generation")


def test_presets_have_titles_of_their_own(browser, usage):
    make_record("image_generation", "A")
    text = Page(browser.get("/deletion-risk/image_generation?preset=no_workers&flag=no_active_workers")).text
    assert text.startswith("Deletion risk of Image generation, without a worker: Lacks a worker ·")
