from http import HTTPStatus

import pytest
from django.db import OperationalError
from django.test import Client, RequestFactory
from django.urls import reverse

from references.pages.errors import csrf_failure, failure_page, server_error_page, wants_page
from tests.references.pages.html import Page

PAGE = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.mark.parametrize(
    ("path", "accept", "wanted"),
    [
        ("/nothing", PAGE, True),
        ("/models/x", "text/html", True),
        ("/apiary", PAGE, True),
        ("/nothing", "*/*", False),
        ("/nothing", "application/json", False),
        ("/nothing", "", False),
        ("/nothing", "text/html;q=0", False),
        ("/api", PAGE, False),
        ("/api/model_references/v2/x", PAGE, False),
        ("/model_references/v2/x", PAGE, False),
    ],
)
def test_only_browsers_outside_of_the_api_get_pages(path, accept, wanted):
    assert wants_page(RequestFactory().get(path, headers={"Accept": accept})) is wanted


@pytest.mark.django_db
def test_an_unknown_address_has_a_page_for_people_and_json_for_machines(client):
    response = client.get("/nothing", headers={"Accept": PAGE})
    assert response.status_code == 404
    assert "There is nothing at this address." in Page(response).text
    assert response.headers["Cache-Control"] == "no-store"
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    assert client.get("/nothing").json() == {"detail": "Not Found"}
    assert client.get("/api/nothing", headers={"Accept": PAGE}).json() == {"detail": "Not Found"}


def test_a_failure_has_a_page_that_needs_nothing(settings):
    response = server_error_page(HTTPStatus.INTERNAL_SERVER_ERROR)
    assert response.status_code == 500
    page = Page(response)
    assert "Something failed on our side." in page.text
    assert reverse("catalogue:home") in page.links
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (RuntimeError("broken"), 500, "Something failed on our side."),
        (OperationalError("gone"), 503, "The models cannot be reached now."),
    ],
)
def test_a_view_that_fails_shows_that_page(monkeypatch, error, status, words):
    def fail(category: str) -> None:
        raise error

    monkeypatch.setattr("references.pages.listing.columns", fail)
    client = Client(raise_request_exception=False)
    response = client.get("/models/clip", headers={"Accept": PAGE})
    assert response.status_code == status
    assert words in Page(response).text


def test_a_form_without_a_token_is_refused_with_a_page():
    response = csrf_failure(RequestFactory().post("/x"))
    assert response.status_code == 403
    assert "You may not do this." in Page(response).text


@pytest.mark.django_db
def test_the_name_of_a_model_that_is_not_there_can_be_searched_for_at_once():
    def offered(path: str) -> str | None:
        response = Client().get(path, headers={"Accept": PAGE})
        assert response.status_code == 404
        return Page(response).all("input", id="search")[0]["value"]

    assert offered("/models/clip/ViT-L/15%22") == 'ViT-L/15"'
    assert offered("/nothing") == ""


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/theme", "/sign-out"])
def test_an_address_that_only_takes_forms_says_so_on_a_page(path):
    response = Client().get(path, headers={"Accept": PAGE})
    assert response.status_code == 405
    assert response.headers["Allow"] == "POST"
    assert "It only takes what a form sends." in Page(response).text


def test_a_form_that_is_too_long_is_told_so(rf):
    response = failure_page(rf.post("/x"), HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    assert response.status_code == 413
    assert "That is more than is taken at once." in Page(response).text
