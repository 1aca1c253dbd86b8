"""Every stored value is hostile text, and pages load and keep nothing but what they must."""

import json
import time
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from references.categories import CATEGORIES
from references.models import Category, ModelRecord
from tests.factories import make_record
from tests.references.pages.html import Page

pytestmark = pytest.mark.django_db

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</textarea></title></style></script><svg onload=alert(1)>",
    "javascript:alert(1)",
    "{{ settings.SECRET_KEY }}{% debug %}",
    "&lt;b&gt;",
    "\u202egnp.exe\u2066",
)
ADDRESSES = (
    "javascript:alert(1)//https://a.example",
    "data:text/html,<script>alert(1)</script>",
    'https://a.example/"><script>alert(1)</script>',
    "//evil.example/x",
)
PAGES = ("/", "/search?q=a", "/models/{category}", "/models/{category}?view=cards", "/statistics/{category}")


def hostile_record(category: str, name: str, word: str, address: str) -> dict[str, Any]:
    """A record with the word in every field of text, and the address in every field of addresses."""
    return {
        "record_type": category,
        "name": word,
        "description": word,
        "version": word,
        "baseline": word,
        "style": word,
        "controlnet_style": word,
        "optimization": word,
        "pretrained_name": word,
        "display_name": word,
        "instruct_format": word,
        "text_model_group": word,
        "name_schema_exception": word,
        "min_bridge_version": word,
        # The legacy form of text models is computed from it, so no import lets another kind through.
        "parameters": 7_000_000_000,
        "size_on_disk_bytes": word,
        "nsfw": False,
        "tags": [word],
        "trigger": [word],
        "showcases": [address, word],
        "homepage": address,
        "url": address,
        "requirements": {word: [word]},
        "settings": {word: word},
        "finetune_series": {"name": word, "author": word, "homepage": address},
        "metadata": {"updated_at": word, "created_at": word},
        "config": {
            "download": [
                {
                    "file_name": word,
                    "file_url": address,
                    "sha256sum": word,
                    "file_purpose": word,
                    "size_bytes": word,
                }
            ]
        },
    }


def store(category: str, name: str, record: dict[str, Any]) -> None:
    """Past all checks, as a careless import might."""
    row = Category.objects.get(pk=category)
    row.revision += 1
    row.last_operation_type, row.last_operation_model, row.last_updated = "update", name, int(time.time())
    row.save()
    ModelRecord.objects.create(
        category=row,
        name=name,
        position=row.revision,
        revision=row.revision,
        record=json.dumps(record),
        legacy=None if category == "text_generation" else json.dumps(record),
        updated_at=0,
    )


def check_harmless(page: Page) -> None:
    for tag, attributes in page.elements:
        assert tag in HARMLESS_TAGS, tag
        for name, value in attributes.items():
            assert not name.startswith("on"), (tag, name)
            assert name != "style", tag
            if name in ("href", "src", "action"):
                assert value.startswith(("/", "#", "?", "https://", "http://")), (tag, value)
                assert not value.startswith("//"), (tag, value)
    assert [script.get("src", "").rpartition("/")[2] for script in page.all("script")] == ["site.js"]
    for link in page.all("a"):
        if link.get("href", "").startswith("http") and "aihorde.net" not in link["href"]:
            assert link["rel"] == "noopener noreferrer nofollow"


# fmt: off
HARMLESS_TAGS = frozenset({
    "html", "head", "meta", "title", "link", "script", "body", "a", "header", "nav", "main", "footer",
    "div", "span", "p", "b", "br", "ul", "ol", "li", "dl", "dt", "dd", "h1", "h2", "h3", "table",
    "caption", "thead", "tbody", "tr", "th", "td", "form", "input", "button", "label", "select",
    "option", "details", "summary", "figure", "figcaption", "svg", "g", "path", "rect", "circle",
    "polygon", "polyline", "img", "code", "pre", "kbd", "time", "data", "section", "aside",
})
# fmt: on


@pytest.mark.parametrize("category", ["image_generation", "text_generation", "controlnet", "lora"])
def test_hostile_records_are_shown_as_text(browser, category):
    names = []
    for number, word in enumerate(HOSTILE):
        names.append(f"{word} {number}")
        store(
            category, names[-1], hostile_record(category, names[-1], word, ADDRESSES[number % len(ADDRESSES)])
        )
    records = [reverse("catalogue:record", args=[category, name]) for name in names]
    for path in (*(page.format(category=category) for page in PAGES), *records):
        response = browser.get(path)
        assert response.status_code == 200, path
        check_harmless(Page(response))
    for name, word, path in zip(names, HOSTILE, records, strict=True):
        text = Page(browser.get(path)).text
        assert text.count(word) > 10, path
        assert name in text


def test_hostile_records_are_weighed_as_text(browser, usage):
    for category in ("image_generation", "text_generation"):
        for number, word in enumerate(HOSTILE):
            name = f"{word} {number}"
            store(category, name, hostile_record(category, name, word, ADDRESSES[0]))
        for query in ("", "?mode=models", "?q=alert"):
            page = Page(browser.get(f"/deletion-risk/{category}{query}"))
            check_harmless(page)
            assert HOSTILE[0] in page.text


@pytest.mark.parametrize("value", [*HOSTILE, "\0", "%00", "a" * 5000])
def test_hostile_questions_are_shown_as_text(browser, value):
    make_record("image_generation", "A", tags=["x"])
    make_record("image_generation", "B")
    for path in ("/models/image_generation", "/search"):
        for name in ("q", "sort", "view", "page", "tag", "style", "nsfw", "size"):
            response = browser.get(path, {name: value})
            assert response.status_code == 200
            check_harmless(Page(response))


@pytest.mark.parametrize("value", [None, 7, -1, 1e308, True, [], ["a", 1, None], {}, {"a": {"b": []}}])
def test_fields_of_any_kind_are_shown_as_far_as_they_go(browser, usage, value):
    fields = hostile_record("image_generation", "A", "x", "https://a.example")
    store("image_generation", "A", dict.fromkeys(fields, value) | {"name": "A"})
    for path in (*PAGES, "/models/{category}/A", "/deletion-risk/{category}"):
        assert browser.get(path.format(category="image_generation")).status_code == 200, path


EVERY_PAGE = (
    "/",
    "/search?q=a",
    "/models/image_generation",
    "/models/image_generation/A",
    "/statistics/image_generation",
    "/deletion-risk/image_generation",
    "/nothing",
)


@pytest.mark.parametrize("path", EVERY_PAGE)
def test_anonymous_visitors_get_no_cookie_and_a_strict_policy(browser, path):
    make_record("image_generation", "A")
    response = browser.get(path)
    assert dict(response.cookies) == {}
    assert response.headers["Content-Security-Policy"] == (
        "default-src 'none'; script-src 'self'; style-src 'self'; "
        "img-src 'self' https://raw.githubusercontent.com; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )
    assert "Cookie" in response.headers["Vary"]
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Referrer-Policy"] == "same-origin"


def test_pages_are_not_kept_for_others(browser):
    assert browser.get("/").headers["Cache-Control"] == "private, no-cache"


def test_pages_touch_no_session(browser, django_assert_num_queries):
    make_record("clip", "C")
    browser.get("/models/clip/C")
    with django_assert_num_queries(1) as queries:
        browser.get("/models/clip/C")
    assert "session" not in queries[0]["sql"]


def test_pages_come_compressed_to_who_takes_it(browser):
    response = browser.get("/", headers={"Accept-Encoding": "gzip"})
    assert response.headers["Content-Encoding"] == "gzip"
    assert set(response.headers["Vary"].split(", ")) == {"Accept-Encoding", "Cookie"}


@pytest.mark.parametrize("path", ["/", "/models/clip", "/statistics/clip", "/search"])
def test_pages_are_only_read(browser, path):
    assert browser.post(path).status_code == 405
    assert browser.head(path).status_code == 200
    assert browser.head(path).content == b""


def test_the_api_keeps_its_own_headers(client):
    make_record("clip", "C")
    response = client.get("/api/model_references/v2/clip")
    assert "Content-Security-Policy" not in response.headers
    assert "Cookie" not in response.headers["Vary"]


@pytest.mark.parametrize("category", CATEGORIES)
def test_every_category_has_its_pages(browser: Client, category: str):
    for path in (f"/models/{category}", f"/models/{category}?view=cards", f"/statistics/{category}"):
        assert browser.get(path).status_code == 200
