import pytest
from django.test import Client

from references.pages.panels import Badge, Link, category_actions, row_badges
from references.services import records_import
from tests.factories import make_imported, make_record
from tests.references.pages.html import Page

pytestmark = pytest.mark.django_db
GB = 10**9


@pytest.fixture
def images() -> None:
    records = [
        make_imported(
            f"Model {number:02}",
            category="image_generation",
            style="anime" if number % 2 else "realistic",
            size_on_disk_bytes=number * GB,
        )
        for number in range(1, 61)
    ]
    records_import(category="image_generation", records=records)


def listed(browser: Client, query: str = "", category: str = "image_generation") -> Page:
    response = browser.get(f"/models/{category}{query}")
    assert response.status_code == 200
    return Page(response)


def test_a_table_shows_forty_models_by_name_and_leads_to_the_rest(browser, images):
    page = listed(browser)
    assert page.names_of_rows() == [f"Model%20{number:02}" for number in range(1, 41)]
    assert "60 models" in page.text
    assert page.all("a", rel="next") == [
        {"class": "pager-step", "rel": "next", "href": "/models/image_generation?page=2"}
    ]
    assert len(listed(browser, "?page=2").names_of_rows()) == 20


def test_a_row_has_the_facts_of_its_model(browser):
    make_record(
        "image_generation", "A", nsfw=True, inpainting=True, size_on_disk_bytes=2_132_981_728, style="furry",
        description="For & about foxes",
    )  # fmt: skip
    text = listed(browser).text
    assert "A NSFW inpainting For & about foxes Stable Diffusion XL furry 2.13 GB" in text


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("?sort=-name", "Model%2060"),
        ("?sort=-size", "Model%2060"),
        ("?sort=size", "Model%2001"),
        ("?sort=-order", "Model%2060"),
        ("?sort=-size&style=anime", "Model%2059"),
        ("?q=%224%22&sort=-size", "Model%2054"),
        ("?sort=nonsense", "Model%2001"),
        ("?sort=-workers", "Model%2001"),
        ("?page=2", "Model%2041"),
        ("?page=99", "Model%2041"),
        ("?page=-1", "Model%2001"),
        ("?page=%D9%A3", "Model%2001"),
        ("?page=9999999999999", "Model%2001"),
        ("?view=nonsense&unknown=1&style=", "Model%2001"),
    ],
)
def test_the_query_string_holds_the_whole_state(browser, images, query, first):
    assert listed(browser, query).names_of_rows()[0] == first


def test_conditions_can_be_taken_back_one_by_one_or_all_at_once(browser, images):
    page = listed(browser, "?q=model&style=anime&size=2%E2%80%933+GB&sort=-size")
    chips = [chip["href"] for chip in page.all("a", **{"class": "chip"})]
    assert chips == [
        "/models/image_generation?sort=-size&style=anime&size=2%E2%80%933+GB",
        "/models/image_generation?q=model&sort=-size&size=2%E2%80%933+GB",
        "/models/image_generation?q=model&sort=-size&style=anime",
    ]
    assert page.all("a", **{"class": "clear"})[0]["href"] == "/models/image_generation?sort=-size"
    assert ("hidden", "style", "anime") in [
        (field["type"], field["name"], field["value"]) for field in page.all("input", type="hidden")
    ]


def test_a_heading_sorts_and_sorts_back(browser, images):
    page = listed(browser, "?sort=-size")
    assert [head["class"] for head in page.all("th", **{"aria-sort": "descending"})] == ["num from-s"]
    heads = {link["href"] for link in page.all("a", **{"class": "sort-link"})}
    assert heads == {"/models/image_generation?sort=name", "/models/image_generation?sort=size"}


def test_a_search_without_matches_says_how_to_go_on(browser, images):
    page = listed(browser, "?q=nothing+like+this")
    assert "No model fits." in page.text
    assert page.names_of_rows() == []


def test_an_empty_category_has_a_page(browser):
    assert "No models here yet." in listed(browser, category="video_generation").text


def test_an_unknown_category_is_not_found(browser):
    response = browser.get("/models/nonsense")
    assert response.status_code == 404
    assert "There is nothing at this address." in Page(response).text


def test_cards_show_one_picture_each_from_listed_hosts_and_none_of_nsfw_models(browser):
    good = "https://raw.githubusercontent.com/x/1.webp"
    make_record("image_generation", "A", showcases=["https://elsewhere.example/0.webp", good])
    make_record("image_generation", "B", showcases=[good], nsfw=True)
    make_record("image_generation", "C", showcases=["http://raw.githubusercontent.com/x/1.webp"])
    page = listed(browser, "?view=cards")
    assert [picture["src"] for picture in page.all("img")] == [good]
    assert page.all("img")[0]["loading"] == "lazy"
    assert page.all("img")[0]["referrerpolicy"] == "no-referrer"


@pytest.fixture
def texts() -> None:
    for size, group in ((8, "Rose"), (70, "Rose"), (13, "Alder")):
        make_record("text_generation", f"lab/{group}-{size}B", parameters=size * GB, text_model_group=group)


def test_text_models_are_folded_into_their_groups(browser, texts):
    page = listed(browser, category="text_generation")
    assert "3 models in 2 groups" in page.text
    assert "Rose 2 variants 8B–70B lab/ Rose-70B 70B lab/ Rose-8B 8B" in page.text
    assert page.names_of_rows() == ["Alder-13B", "Rose-70B", "Rose-8B"]
    assert [fold for fold in page.all("details") if "open" in fold] == []


def test_a_group_that_fits_in_part_is_unfolded_and_says_so(browser, texts):
    page = listed(browser, "?q=70b", category="text_generation")
    assert "Rose 1 of 2 variants 70B" in page.text
    assert page.names_of_rows() == ["Rose-70B"]
    assert len([fold for fold in page.all("details") if "open" in fold]) == 1


def test_a_group_of_many_leads_to_the_table_of_all(browser):
    for number in range(1, 12):
        make_record("text_generation", f"lab/Rose-{number}B", parameters=number * GB, text_model_group="Rose")
    page = listed(browser, category="text_generation")
    assert len(page.names_of_rows()) == 8
    url = "/models/text_generation?view=table&q=group%3A%22Rose%22"
    assert url in page.links
    assert (
        len(listed(browser, url.removeprefix("/models/text_generation"), "text_generation").names_of_rows())
        == 11
    )


def test_text_models_can_be_listed_one_by_one(browser, texts):
    page = listed(browser, "?view=table&sort=-parameters", category="text_generation")
    assert page.names_of_rows() == ["Rose-70B", "Alder-13B", "Rose-8B"]


def test_usage_is_shown_and_sorted_by_where_it_is_known(browser, usage):
    for name in ("stable_diffusion", "Dreamlike Diffusion", "Unheard of"):
        make_record("image_generation", name)
    page = listed(browser, "?sort=-month")
    assert page.names_of_rows() == ["stable_diffusion", "Dreamlike%20Diffusion", "Unheard%20of"]
    assert "Stable Diffusion XL 12 90,000" in page.text


def test_usage_of_text_models_is_their_own_and_summed_for_the_group(browser, usage):
    for size in (8, 70):
        make_record("text_generation", f"NeverSleep/Lumimaid-v0.2-{size}B", text_model_group="Lumimaid")
    text = listed(browser, category="text_generation").text
    own = {size: text.partition(f"Lumimaid-v0.2-{size}B ")[2].split()[2] for size in (8, 70)}
    assert own == {8: "4,350", 70: "0"}
    assert "Requests, past month: 4,350" in text


def test_without_usage_there_are_no_columns_for_it(browser, images):
    text = listed(browser).text
    assert "Requests" not in text
    assert "Most used" not in text


def test_other_apps_add_badges_and_buttons(browser, monkeypatch):
    make_record("clip", "ViT-L/14")
    asked = []

    def badges(request, category, names):
        asked.append((category, list(names)))
        return {"ViT-L/14": [Badge("2 proposals", "warning", "/changes?model=ViT")]}

    monkeypatch.setattr("references.pages.panels.row_badges", [*row_badges, badges])
    monkeypatch.setattr(
        "references.pages.panels.category_actions",
        [*category_actions, lambda request, category: [Link("Propose a model", f"/propose/{category}")]],
    )
    page = listed(browser, category="clip")
    assert asked == [("clip", ["ViT-L/14"])]
    assert page.all("a", **{"class": "badge badge-warning"}) == [
        {"class": "badge badge-warning", "href": "/changes?model=ViT"}
    ]
    assert page.all("a", **{"class": "button button-main"})[0]["href"] == "/propose/clip"


def test_queries_do_not_grow_with_rows(browser, django_assert_num_queries):
    def ask(query: str, count: int) -> None:
        with django_assert_num_queries(count):
            browser.get(f"/models/image_generation{query}")

    make_record("image_generation", "Model 0")
    browser.get("/models/image_generation")
    ask("", 1)
    records = [make_imported(f"Model {number}", category="image_generation") for number in range(1, 70)]
    records_import(category="image_generation", records=records)
    browser.get("/models/image_generation")
    for query in ("", "?view=cards", "?q=model&sort=-size", "?page=2"):
        ask(query, 1)


def test_an_empty_category_tells_whether_its_models_are_kept_elsewhere(browser):
    assert "Models of this kind are curated elsewhere." in listed(browser, category="lora").text
    assert "As soon as one is approved" in listed(browser, category="video_generation").text


def title_of(page: Page) -> str:
    """The first words of a page."""
    return page.text.partition(" · ")[0]


def test_views_of_a_list_have_titles_of_their_own(browser, images):
    titles = {
        "": "Image generation",
        "?page=2": "Image generation, page 2",
        "?view=cards": "Image generation, cards",
        "?view=cards&q=model&style=anime": "Image generation, cards: model, anime",
        "?q=%3Cb%3E": "Image generation: <b>",
    }
    assert {query: title_of(listed(browser, query)) for query in titles} == titles


def test_groups_stand_in_the_order_of_the_names_that_are_shown(browser):
    # The group of the first is called "Berry", and a list shows the one model of it.
    for name, group in (
        ("lab/Q2-Berry-7B", "Berry"),
        ("lab/Cherry-7B", "Cherry"),
        ("lab/Cherry-9B", "Cherry"),
    ):
        make_record("text_generation", name, text_model_group=group)
    assert listed(browser, category="text_generation").names_of_rows() == [
        "Cherry-7B",
        "Cherry-9B",
        "Q2-Berry-7B",
    ]


def test_a_category_without_models_has_no_link_to_a_document_that_is_not_there(browser):
    assert "/api/model_references/v2/clip" not in listed(browser, category="clip").links
    make_record("clip", "A")
    assert "/api/model_references/v2/clip" in listed(browser, category="clip").links
