import pytest
from django.test import Client

from references.services import record_put
from tests.factories import make_download, make_record, make_v2
from tests.references.pages.html import Page

pytestmark = pytest.mark.django_db


def searched(browser: Client, query: str) -> Page:
    response = browser.get("/search", {"q": query})
    assert response.status_code == 200
    return Page(response)


@pytest.fixture
def models() -> None:
    make_record("image_generation", "Foxes", description="Red animals")
    make_record(
        "clip", "Fox CLIP", config={"download": [make_download("f.pt", sha256sum="0123456789" + "a" * 54)]}
    )
    for number in range(10):
        make_record("lora", f"fox {number}")


def test_matches_are_grouped_by_category(browser, models):
    page = searched(browser, "fox")
    assert "12 models in 3 categories" in page.text
    assert "Image generation 1 Foxes Red animals" in page.text
    assert "All 10 in LoRA" in page.text
    assert "/models/lora?q=fox" in page.links


def test_a_file_is_found_by_its_checksum(browser, models):
    assert searched(browser, "0123456789aaaa").names_of_rows() == ["Fox%20CLIP"]


def test_a_model_is_found_by_the_name_that_leads_to_it_whatever_its_record_says(browser):
    record_put(category="controlnet", name="control_qr_sdxl", record=make_v2("controlnet", "control_qr_xl"))
    for query in ("qr_sdxl", "QR_XL"):
        assert searched(browser, query).names_of_rows() == ["control_qr_sdxl"]
        listing = Page(browser.get("/models/controlnet", {"q": query}))
        assert listing.names_of_rows() == ["control_qr_sdxl"]


def test_nothing_found_is_said(browser, models):
    assert "Nothing found." in searched(browser, "badger").text


def test_an_empty_search_only_asks(browser, models):
    page = searched(browser, "  ")
    assert "Nothing found." not in page.text
    assert page.names_of_rows() == []


@pytest.mark.parametrize(
    "query",
    ["\0", "%00", "<script>", "a" * 10_000, '"', "((((", "\ud800".encode("utf-8", "replace").decode()],
)
def test_no_search_breaks_the_page(browser, models, query):
    searched(browser, query)


def test_where_nothing_is_found_nothing_is_counted(browser, models):
    assert "0 models" not in searched(browser, "badger").text
    assert "1 model in 1 category" in searched(browser, "foxes").text


def test_the_nearer_a_name_the_earlier_it_stands(browser):
    for name in ("An old fox", "fox terrier", "Lab/Foxglove", "Lab/Fox", "Zoo"):
        make_record("lora", name, description="Next of kin: fox")
    assert searched(browser, "FOX").names_of_rows() == [
        "Fox",
        "fox%20terrier",
        "Foxglove",
        "An%20old%20fox",
        "Zoo",
    ]


def test_the_model_that_was_named_is_shown_however_many_others_fit(browser, models):
    for number in range(10):
        make_record("lora", f"A fox {number}")
    make_record("lora", "fox")
    assert searched(browser, "fox").names_of_rows()[2] == "fox"


def test_what_is_no_field_is_said_with_those_that_are(browser, models):
    text = searched(browser, "bogus:xx Size_On_Disk:4").text
    assert "bogus: , size_on_disk: are no fields to search in, so they were looked for as text." in text
    assert "Fields are name: , description: , tag: , baseline: ," in text
    assert ", hash: , size: and parameters: ." in text
    assert (
        "bogus: is no field to search in, so it was looked for as text."
        in Page(browser.get("/models/lora", {"q": "bogus:xx"})).text
    )


@pytest.mark.parametrize("query", ["fox", "name:fox", "https://example.org/fox", '"bogus:fox"'])
def test_nothing_is_said_of_fields_where_none_is_missed(browser, models, query):
    assert "no field" not in searched(browser, query).text


def test_only_names_of_text_models_begin_with_an_author(browser):
    for category in ("clip", "text_generation"):
        make_record(category, "ViT-L/14")
    html = browser.get("/search", {"q": "vit"}).content
    assert html.count(b">ViT-L/14</a>") == 1
    assert html.count(b'<span class="author">ViT-L/</span>14</a>') == 1
    assert b">ViT-L/14</a>" in browser.get("/models/clip").content
