import pytest
from django.test import Client

from references.categories import CATEGORIES
from tests.factories import make_download, make_record
from tests.references.pages.html import Page

pytestmark = pytest.mark.django_db
GB = 10**9


def counted(browser: Client, category: str, query: str = "") -> Page:
    response = browser.get(f"/statistics/{category}{query}")
    assert response.status_code == 200
    return Page(response)


@pytest.fixture
def images() -> None:
    for number, (baseline, style) in enumerate(
        [("stable_diffusion_1", "anime")] * 6
        + [("stable_diffusion_xl", "anime"), ("stable_diffusion_xl", "furry")]
    ):
        make_record(
            "image_generation",
            f"Model {number}",
            baseline=baseline,
            style=style,
            nsfw=number < 2,
            tags=["retro"] if number % 2 else [],
            size_on_disk_bytes=(2 if number < 6 else 7) * GB,
            config={"download": [make_download(f"{number}.safetensors")]},
        )


def test_figures_are_text_beside_their_drawing(browser, images):
    text = counted(browser, "image_generation").text
    for words in (
        "Models 8 On disk, all together 26.0 GB On average 3.25 GB Files 8",
        "Safe for work 6 75.0 % NSFW 2 25.0 %",
        "Stable Diffusion 1 6 75.0 % Stable Diffusion XL 2 25.0 %",
        "anime 7 87.5 % furry 1 12.5 %",
        "6 2–3 GB 75.0 % 0 3–4 GB 0.0 % 0 4–6 GB 0.0 % 2 6–8 GB 25.0 %",
        "retro 4 50.0 %",
        "example.org 8 100.0 %",
        "anime furry Stable Diffusion 1 6 0 Stable Diffusion XL 1 1",
    ):
        assert words in text


def test_every_value_leads_to_its_models(browser, images):
    page = counted(browser, "image_generation")
    assert "/models/image_generation?baseline=stable_diffusion_xl" in page.links
    assert "/models/image_generation?size=6%E2%80%938+GB" in page.links
    response = browser.get("/models/image_generation?size=6%E2%80%938+GB&view=table")
    assert Page(response).names_of_rows() == ["Model%206", "Model%207"]


def test_bars_are_drawn_without_style_attributes(browser, images):
    page = counted(browser, "image_generation")
    assert {"class": "mark-fill", "width": "33.33", "height": "10"} in page.all("rect")
    assert [tag for tag, attributes in page.elements if "style" in attributes] == []


def test_text_models_are_counted_by_model_or_by_group(browser):
    for size in (8, 9, 70):
        make_record("text_generation", f"lab/Rose-{size}B", parameters=size * GB)
    assert "Models 3 " in counted(browser, "text_generation").text
    page = counted(browser, "text_generation", "?groups=1")
    assert "Groups 1 " in page.text
    assert page.all("a", href="/statistics/text_generation?groups=1")[0]["aria-current"] == "true"


@pytest.mark.parametrize("category", CATEGORIES)
def test_a_category_without_models_has_nothing_to_count(browser, category):
    assert "Nothing to count yet." in counted(browser, category).text


def test_an_unknown_category_is_not_found(browser):
    assert browser.get("/statistics/nonsense").status_code == 404


def test_ranges_are_written_with_a_dash_and_lead_to_their_models(browser):
    make_record("text_generation", "lab/Small-4B", parameters=4_000_000_000)
    page = counted(browser, "text_generation")
    assert "1 3B–6B 100.0 %" in page.text
    assert "/models/text_generation?parameters=3B-6B" in page.links


def test_models_that_do_not_tell_are_counted(browser):
    for name, baseline, style in (("A", "mistral", "chat"), ("B", "", "chat"), ("C", "", "")):
        make_record("text_generation", name, baseline=baseline, style=style)
    text = counted(browser, "text_generation").text
    assert "mistral 1 33.3 % 2 models without." in text
    assert "chat 2 66.7 % 1 model without." in text
    assert "without." not in counted(browser, "text_generation", "?groups=1").text


def test_models_and_groups_have_titles_of_their_own(browser):
    assert counted(browser, "text_generation").text.startswith("Statistics of Text generation ·")
    make_record("text_generation", "A")
    assert counted(browser, "text_generation", "?groups=1").text.startswith(
        "Statistics of Text generation, groups ·"
    )


def test_each_table_of_figures_can_be_copied_into_a_spreadsheet(browser, images):
    make_record("image_generation", "Odd", style="anime", tags=["=1+1\twords"], nsfw=True)
    buttons = counted(browser, "image_generation").all("button", **{"class": "copy"})
    copied = {button["aria-label"]: button["data-copy"] for button in buttons}
    assert list(copied) == [
        f"Copy the figures of {name}"
        for name in (
            "Rating", "Baselines", "Styles", "Sizes on disk", "Tags", "File hosts", "Baselines by style",
        )
    ]  # fmt: skip
    assert copied["Copy the figures of Rating"] == (
        "Rating\tCount\tShare in %\nSafe for work\t6\t66.7\nNSFW\t3\t33.3"
    )
    assert copied["Copy the figures of Baselines"].split("\n") == [
        "Baselines\tCount\tShare in %",
        "Stable Diffusion 1\t6\t66.7",
        "Stable Diffusion XL\t3\t33.3",
    ]
    assert "'=1+1 words\t1\t11.1" in copied["Copy the figures of Tags"].split("\n")
    assert copied["Copy the figures of Baselines by style"] == (
        "Baseline\tanime\tfurry\nStable Diffusion 1\t6\t0\nStable Diffusion XL\t2\t1"
    )
