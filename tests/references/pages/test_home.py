import pytest
from django.test import Client

from references.categories import CATEGORIES
from references.services import record_delete
from tests.factories import make_record
from tests.references.pages.html import Page

pytestmark = pytest.mark.django_db


def home(browser: Client) -> Page:
    response = browser.get("/")
    assert response.status_code == 200
    return Page(response)


def test_every_category_is_listed_with_its_models_and_last_change(browser):
    make_record("clip", "ViT-L/14")
    make_record("clip", "RN50")
    page = home(browser)
    assert "CLIP A model that relates pictures and text. Feature extractor 2 just now RN50" in page.text
    assert "/models/clip/RN50" in page.links
    assert {f"/models/{name}" for name in CATEGORIES} <= set(page.links)
    assert (
        "LoRA A low-rank addition to an image model. Auxiliary or patch none yet curated elsewhere"
        in page.text
    )


def test_a_model_that_went_is_named_but_not_linked(browser):
    make_record("clip", "RN50")
    record_delete(category="clip", name="RN50")
    page = home(browser)
    assert "RN50 went" in page.text
    assert "/models/clip/RN50" not in page.links


def test_each_model_is_a_square(browser):
    for number in range(16):
        make_record("clip", f"C{number}")
    page = home(browser)
    assert "One square, one model" in page.text
    [chart] = page.all("svg", role="img")
    assert chart["aria-label"].startswith("16 models in 1 category, drawn to scale")
    assert chart["viewbox"] == "0 0 18 138"


def test_the_calls_for_machines_can_be_copied_as_they_are(browser):
    page = home(browser)
    assert "curl --compressed http://testserver/api/model_references/v2/image_generation" in page.text
    assert (
        "curl 'http://testserver/api/model_references/v2/text_generation/search?name_contains=llama&limit=5'"
        in (page.text)
    )


def test_an_empty_store_has_a_first_page(browser):
    page = home(browser)
    assert "Search 0 models" in page.text
    assert page.all("svg", role="img") == []


def test_one_query_counts_all(browser, django_assert_num_queries):
    for number in range(5):
        make_record("clip", f"C{number}")
    with django_assert_num_queries(1):
        home(browser)


def test_bare_addresses_lead_somewhere(browser):
    assert browser.get("/models").headers["Location"] == "/"
    assert browser.get("/statistics").headers["Location"] == "/statistics/image_generation"
    assert browser.get("/deletion-risk").headers["Location"] == "/deletion-risk/image_generation"
    assert browser.get("/models/clip/").headers["Location"] == "/models/clip"
