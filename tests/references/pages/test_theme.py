import pytest
from django.test import Client

from tests.references.pages.html import Page

pytestmark = pytest.mark.django_db


def test_a_choice_is_kept_in_a_cookie_and_leads_back(browser):
    response = browser.post("/theme", {"theme": "dark", "next": "/models/clip?q=a&page=2"})
    assert (response.status_code, response.headers["Location"]) == (303, "/models/clip?q=a&page=2")
    cookie = response.cookies["theme"]
    assert (cookie.value, cookie["samesite"], cookie["path"], cookie["max-age"]) == (
        "dark",
        "Lax",
        "/",
        31_536_000,
    )


@pytest.mark.parametrize(("chosen", "pressed"), [("light", "Light"), ("dark", "Dark")])
def test_a_chosen_theme_is_in_the_page_from_its_first_byte(browser, chosen, pressed):
    browser.cookies["theme"] = chosen
    page = Page(browser.get("/"))
    assert page.elements[0] == ("html", {"lang": "en", "data-theme": chosen})
    assert page.all("meta", name="color-scheme")[0]["content"] == chosen
    assert [button["title"] for button in page.all("button", **{"aria-pressed": "true"})] == [pressed]


@pytest.mark.parametrize("cookie", ["", "system", '"><script>alert(1)</script>'])
def test_any_other_cookie_leaves_it_to_the_system(browser, cookie):
    browser.cookies["theme"] = cookie
    page = Page(browser.get("/"))
    assert page.elements[0] == ("html", {"lang": "en"})
    assert [button["value"] for button in page.all("button", **{"aria-pressed": "true"})] == ["system"]


def test_the_system_is_chosen_by_forgetting(browser):
    response = browser.post("/theme", {"theme": "system", "next": "/"})
    assert response.cookies["theme"]["max-age"] == 0


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "", "/\\evil"]
)
def test_nobody_is_sent_elsewhere(browser, target):
    assert browser.post("/theme", {"theme": "dark", "next": target}).headers["Location"] == "/"


def test_it_takes_no_token_and_sets_no_other_cookie():
    client = Client(enforce_csrf_checks=True)
    response = client.post("/theme", {"theme": "light", "next": "/"})
    assert (response.status_code, list(response.cookies)) == (303, ["theme"])
    assert client.get("/theme").status_code == 405
