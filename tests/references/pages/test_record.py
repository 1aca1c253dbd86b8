from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from references.models import UsageDay
from references.pages.panels import Link, Panel
from references.usage_history import today
from tests.factories import make_download, make_record
from tests.references.pages.html import Page

pytestmark = pytest.mark.django_db
HASH = "ab" * 32


def shown(browser: Client, category: str, name: str) -> Page:
    response = browser.get(reverse("catalogue:record", args=[category, name]))
    assert response.status_code == 200
    return Page(response)


def test_a_page_tells_what_the_record_holds(browser):
    make_record(
        "image_generation",
        "Foxes",
        description="Red & quick",
        version="1.5",
        style="furry",
        tags=["animals"],
        trigger=["vulpes"],
        homepage="https://foxes.example/home",
        requirements={"clip_skip": 2, "samplers": "k_euler"},
        size_on_disk_bytes=2_132_981_728,
        min_bridge_version=12,
        config={"download": [make_download("foxes.safetensors", sha256sum=HASH)]},
    )
    page = shown(browser, "image_generation", "Foxes")
    for words in (
        "Red & quick",
        "Size on disk 2.13 GB",
        "Baseline Stable Diffusion XL",
        "Style furry",
        "Version 1.5",
        "Oldest worker version 12",
        "Homepage foxes.example",
        "foxes.safetensors example.org 2.13 GB",
        f"SHA-256 {HASH}",
        "Trigger words vulpes",
        "clip_skip 2",
        "samplers k_euler",
    ):
        assert words in page.text
    assert "/models/image_generation?tag=animals" in page.links
    assert page.all("a", href="https://foxes.example/home")[0]["rel"] == "noopener noreferrer nofollow"
    assert {"data-copy": HASH, "class": "copy", "type": "button", "aria-label": "Copy the checksum"} in [
        button for _, button in page.elements
    ]


def test_a_placeholder_for_a_checksum_is_pointed_out(browser):
    make_record(
        "clip", "C", config={"download": [make_download("c.pt"), make_download("d.pt", sha256sum=HASH)]}
    )
    text = shown(browser, "clip", "C").text
    assert text.count("No checksum") == 1
    assert "The record says FIXME" in text


@pytest.mark.parametrize(
    "name",
    [
        "author/model-7B",
        "a b%20c",
        "100%",
        "what?",
        "a#b",
        "ä/ö/漢字",
        "semi;colon&amp",
        "<b>bold</b>",
        "quo'te\"s",
        "plus+plus",
        "search",
        "line\nend",
        "a//b",
    ],
)
def test_any_name_has_a_page(browser, name):
    make_record("clip", "placeholder")
    from references.models import ModelRecord

    stored = ModelRecord.objects.get(name="placeholder")
    stored.name, stored.record = name, stored.record.replace("placeholder", "other")
    stored.save()
    page = shown(browser, "clip", name)
    assert " ".join(name.split()) in page.text


def test_a_model_that_is_not_there_is_not_found(browser):
    make_record("clip", "C")
    assert browser.get("/models/clip/D").status_code == 404
    assert browser.get("/models/nonsense/C").status_code == 404
    assert browser.get("/models/clip/%00").status_code == 404


def test_the_json_of_both_versions_is_shown_with_its_addresses(browser):
    make_record("image_generation", "A b", description="x")
    page = shown(browser, "image_generation", "A b")
    assert "/api/model_references/v2/image_generation/model/A%20b" in page.links
    assert "/api/model_references/v1/image_generation" in page.links
    assert '"record_type" : "image_generation"' in page.text
    assert '"type" : "ckpt"' in page.text
    assert (
        "Version 1" not in shown(browser, "video_generation", make_record("video_generation", "V").name).text
    )


def test_pictures_are_loaded_late_and_only_from_listed_hosts(browser):
    good, other = "https://raw.githubusercontent.com/x/1.webp", "https://elsewhere.example/2.webp"
    make_record("image_generation", "A", showcases=[good, other, "javascript:alert(1)"])
    page = shown(browser, "image_generation", "A")
    [picture] = page.all("img")
    assert (picture["src"], picture["loading"], picture["referrerpolicy"]) == (good, "lazy", "no-referrer")
    assert "Picture 2 on elsewhere.example" in page.text
    assert "They may not be safe for work." not in page.text


def test_pictures_of_nsfw_models_are_behind_a_fold(browser):
    make_record("image_generation", "A", nsfw=True, showcases=["https://raw.githubusercontent.com/x/1.webp"])
    page = shown(browser, "image_generation", "A")
    [fold] = page.all("details", **{"class": "veil"})
    assert "open" not in fold
    assert "Show 1 picture They may not be safe for work." in page.text


def test_variants_of_a_text_model_are_listed_the_smallest_first(browser):
    for size in (70, 8, 13):
        make_record("text_generation", f"lab/Rose-{size}B", parameters=size * 10**9, text_model_group="Rose")
    make_record("text_generation", "lab/Alder-8B", parameters=8 * 10**9, text_model_group="Alder")
    page = shown(browser, "text_generation", "lab/Rose-13B")
    assert page.names_of_rows() == ["Rose-8B", "Rose-70B"]
    assert "Workers may also serve it as aphrodite/lab/Rose-13B or koboldcpp/Rose-13B ." in page.text


def test_use_and_risk_are_told_in_words(browser, usage):
    make_record("image_generation", "stable_diffusion", description="The first")
    make_record("image_generation", "RPG", description="Knights")
    page = shown(browser, "image_generation", "stable_diffusion")
    assert "Workers 12 Past day 4,000 Past month 90,000 Ever 5,000,000" in page.text
    assert "It takes 100.0 % of the category's requests of the past month." in page.text
    page = shown(browser, "image_generation", "RPG")
    for words in ("No worker offers it at the moment.", "Used before, but not within the last day."):
        assert words in page.text


def test_use_of_a_text_model_is_split_by_backend(browser, usage):
    make_record("text_generation", "NeverSleep/Lumimaid-v0.2-8B")
    text = shown(browser, "text_generation", "NeverSleep/Lumimaid-v0.2-8B").text
    assert "aphrodite/NeverSleep/Lumimaid-v0.2-8B 5 40 1,100 22,000" in text


@pytest.fixture
def sizes(usage: None) -> list[str]:
    """Models of one group: two of them are used and served."""
    names = [f"NeverSleep/Lumimaid-v0.2-{size}B" for size in (8, 12, 4)]
    for name in names:
        make_record(
            "text_generation", name, description="x", baseline="llama", text_model_group="NeverSleep/Lumimaid"
        )
    return names


def test_a_text_model_has_the_figures_that_the_api_gives_it(browser, sizes):
    told = browser.get("/api/model_references/statistics/text_generation/deletion-risk?format=json").json()
    by_name = {entry["name"]: entry for entry in told["models"]}
    for name in sizes:
        entry = by_name[name]
        page = shown(browser, "text_generation", name)
        assert (entry["usage_day"], entry["usage_month"], entry["is_critical"]) == (150, 4440, False)
        assert f"Workers {entry['worker_count']} Past day 150 Past month 4,440 Ever 74,150" in page.text
        assert "Requests of its group, past month 4,440" in page.text
        assert "critical deletion risk" not in page.text
        assert "With those of its group it takes 33.3 % of the category's requests" in page.text


def test_a_text_model_has_its_own_figures_beside(browser, sizes):
    text = shown(browser, "text_generation", sizes[1]).text
    assert (
        "The requests are those of its whole group, as the API counts them. The workers are its own." in text
    )
    assert "This model alone 1 3 90 900" in text
    assert "By its own requests alone" not in text
    text = shown(browser, "text_generation", sizes[2]).text
    assert "This model alone 0 0 0 0" in text
    assert "By its own requests alone: critical Lacks a worker" in text


def test_figures_that_are_nobody_elses_are_not_said_to_be_a_groups(browser, usage):
    make_record("text_generation", "lab/Rose-7B", text_model_group="Rose")
    make_record("image_generation", "stable_diffusion")
    for category, name in (("text_generation", "lab/Rose-7B"), ("image_generation", "stable_diffusion")):
        text = shown(browser, category, name).text
        assert "its group" not in text
        assert "This model alone" not in text
        assert "By its own requests alone" not in text
        assert "Requests, past month" in text


def test_without_an_answer_of_the_horde_the_rest_is_shown(browser):
    make_record("image_generation", "A")
    text = shown(browser, "image_generation", "A").text
    assert "The AI-Horde has not said anything yet" in text
    assert "Deletion risk It takes" not in text


def test_use_over_time_is_drawn_with_its_numbers(browser):
    make_record("image_generation", "A")
    for ago, requests in ((10, 5), (4, 20), (0, 10)):
        UsageDay.objects.create(
            category="image_generation",
            name="A",
            day=today() - timedelta(days=ago),
            workers=2,
            usage_day=requests,
            usage_month=300,
            usage_total=4000,
        )
    page = shown(browser, "image_generation", "A")
    assert [line["points"] for line in page.all("polyline")] == ["0,75 60,0 100,50", "0,0 60,0 100,0"]
    assert "Requests within a day now 10 , at most 20" in page.text
    assert f"{today().isoformat()} 2 10 300 4,000" in page.text
    [requests, _] = page.all("svg", **{"class": "plot-days"})
    assert requests["role"] == "img"
    assert "between 0 and 20 requests, 10 at the end" in requests["aria-label"]


def test_other_apps_add_sections_and_buttons(browser, monkeypatch):
    make_record("clip", "C")
    panel = Panel("History", "_empty.html", {"title": "x"})
    monkeypatch.setattr(
        "references.pages.panels.record_panels", [lambda request, row: panel, lambda *_: None]
    )
    monkeypatch.setattr(
        "references.pages.panels.record_actions",
        [lambda request, row: [Link("Propose a change", f"/edit/{row.name}"), Link("Delete", "/delete")]],
    )
    page = shown(browser, "clip", "C")
    assert page.all("h2", id="panel-1") == [{"id": "panel-1"}]
    assert "History" in page.text
    assert page.all("a", **{"class": "button button-main"})[0]["href"] == "/edit/C"


def test_the_number_of_queries_is_small_and_fixed(browser, usage, django_assert_max_num_queries):
    for number in range(30):
        make_record("text_generation", f"lab/Rose-{number + 1}B", text_model_group="Rose")
    browser.get("/models/text_generation/lab/Rose-7B")
    with django_assert_max_num_queries(7):
        browser.get("/models/text_generation/lab/Rose-7B")
