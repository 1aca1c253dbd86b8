"""Signing in with a key: who gets in, what is kept, and where it leads."""

import logging

import pytest
from django.contrib.sessions.models import Session
from django.core import signing
from django.test import Client

from moderation.pages.sign_in import NO_ANSWER, WRONG_KEY
from references.vocabulary import CanonicalFormat, ReplicateMode
from tests.hordedouble import FIND_USER
from tests.references.pages.html import Page

pytestmark = pytest.mark.django_db


def submit(client, apikey, **fields):
    return client.post("/sign-in", {"apikey": apikey, **fields})


def test_the_form_is_no_place_for_browsers_to_keep_keys(client):
    page = Page(client.get("/sign-in"))
    [form] = [form for form in page.all("form") if form.get("action") == "/sign-in"]
    assert (form["method"], form["autocomplete"]) == ("post", "off")
    [field] = page.all("input", name="apikey")
    assert (field["type"], field["autocomplete"], field.get("value")) == ("password", "off", None)


def test_a_form_without_its_token_is_refused(horde):
    assert submit(Client(enforce_csrf_checks=True), "key-requestor").status_code == 403
    assert horde.calls[FIND_USER] == 0


def test_a_key_in_the_address_does_nothing(client, horde):
    page = Page(client.get("/sign-in?apikey=key-requestor"))
    assert page.all("input", name="apikey")[0].get("value") is None
    assert horde.calls[FIND_USER] == 0
    assert "sessionid" not in client.cookies


def test_the_session_holds_who_it_is_and_the_key_is_nowhere(client, horde, caplog, monkeypatch):
    monkeypatch.setattr(logging.root, "level", logging.DEBUG)
    response = submit(client, "key-requestor", next="/my-changes")
    assert (response.status_code, response.headers["Location"]) == (303, "/my-changes")
    stored = Session.objects.get().get_decoded()
    assert stored.pop("_session_expiry") == 12 * 3600
    assert stored == {"horde_user": {"user_id": "101", "username": "Rita#101"}}
    assert "key-requestor" not in caplog.text


def test_the_stored_session_is_signed(client, horde):
    submit(client, "key-requestor")
    row = Session.objects.get()
    assert signing.loads(row.session_data, salt="django.contrib.sessions.SessionStore")
    row.session_data = row.session_data[:-1] + ("A" if row.session_data[-1] != "A" else "B")
    row.save()
    assert "Rita" not in client.get("/sign-in").content.decode()


def test_the_cookie_is_for_this_site_and_not_for_scripts(client, horde):
    cookie = submit(client, "key-requestor").cookies["sessionid"]
    assert (cookie["httponly"], cookie["samesite"], cookie["max-age"]) == (True, "Lax", 12 * 3600)


def test_signing_in_begins_a_new_session_and_ends_the_old(client, horde):
    session = client.session
    session["planted"] = 1
    session.save()
    client.cookies["sessionid"] = session.session_key
    submit(client, "key-requestor")
    assert client.session.session_key != session.session_key
    assert "planted" not in client.session
    assert Session.objects.count() == 1


def test_signing_out_takes_a_post_and_leaves_nothing(sign_in):
    rita = sign_in("Rita")
    assert rita.get("/sign-out").status_code == 405
    assert Session.objects.count() == 1
    response = rita.post("/sign-out")
    assert (response.status_code, response.headers["Location"]) == (303, "/")
    assert Session.objects.count() == 0
    assert rita.get("/my-changes").headers["Location"] == "/sign-in?next=%2Fmy-changes"


@pytest.mark.parametrize(
    ("apikey", "mode", "status", "words"),
    [
        ("key-unknown", "ok", 401, WRONG_KEY),
        ("not a key", "ok", 401, WRONG_KEY),
        ("key-requestor", "slow", 503, NO_ANSWER),
        ("key-requestor", "down", 503, NO_ANSWER),
        ("key-requestor", "500", 503, NO_ANSWER),
        ("", "ok", 400, "Enter your key."),
        ("k" * 201, "ok", 400, "at most 200 characters"),
    ],
)
def test_who_does_not_get_in_is_told_why(client, horde, apikey, mode, status, words):
    horde.mode = mode
    response = submit(client, apikey, next="/my-changes")
    assert response.status_code == status
    page = Page(response)
    assert words in page.text
    assert "no-store" in response.headers["Cache-Control"]
    assert response.headers.get("WWW-Authenticate") == ("APIKey" if status == 401 else None)
    assert page.all("input", id="id_next")[0]["value"] == "/my-changes"
    assert apikey == "" or apikey not in response.content.decode()
    assert "sessionid" not in client.cookies


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "http:///evil.example",
    ],
)
def test_nobody_is_led_away_from_the_site(client, horde, address):
    assert submit(client, "key-requestor", next=address).headers["Location"] == "/sign-in"
    page = Page(client.get("/sign-in", {"next": address}))
    assert page.all("input", id="id_next")[0].get("value") is None


def test_without_a_role_one_learns_how_to_get_it_and_it_counts_at_once(sign_in, settings):
    paul = sign_in("Paul")
    assert paul.get("/my-changes").headers["Location"] == "/sign-in"
    text = Page(paul.get("/sign-in")).text
    assert "no role" in text
    assert "your user id 555" in text
    settings.QUEUE_REQUESTOR_IDS = frozenset({"555"})
    assert paul.get("/my-changes").status_code == 200
    assert "no role" not in Page(paul.get("/sign-in")).text


@pytest.mark.parametrize(
    ("name", "roles"), [("Rita", ["requestor"]), ("Ada", ["approver", "requestor"]), ("Paul", ["no role"])]
)
def test_roles_are_shown_as_badges(sign_in, name, roles):
    page = sign_in(name).get("/sign-in").content.decode()
    badges = page.split('<p class="badges">')[1].split("</p>")[0]
    assert [role for role in ("approver", "requestor", "no role") if f">{role}<" in badges] == roles


def test_a_superuser_by_password_learns_that_proposing_needs_a_key(client, horde, django_user_model):
    client.force_login(django_user_model.objects.create_superuser("root", password="long enough"))
    text = Page(client.get("/sign-in")).text
    assert "by password, as root" in text
    assert "needs a key" in text
    submit(client, "key-requestor")
    assert "by password" not in Page(client.get("/sign-in")).text
    assert "_auth_user_id" not in client.session


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({}, "version 2 Proposals: taken , by form and by API"),
        (
            {"CANONICAL_FORMAT": "legacy"},
            "legacy (version 1) Proposals: taken by the API alone , as legacy records",
        ),
        ({"QUEUE_ENABLED": False}, "version 2 Proposals: not taken , because its queue is switched off"),
        (
            {"REPLICATE_MODE": ReplicateMode.REPLICA},
            "Proposals: not taken , because it follows another deployment",
        ),
    ],
)
def test_the_page_says_what_the_deployment_takes(client, db, settings, changed, words):
    for name, value in changed.items():
        setattr(settings, name, CanonicalFormat(value) if name == "CANONICAL_FORMAT" else value)
    assert words in Page(client.get("/sign-in")).text


def test_every_page_says_who_is_signed_in_or_offers_it(sign_in, client):
    assert "/sign-in?next=%2Fsearch%3Fq%3Da" in Page(client.get("/search?q=a")).links
    assert "sessionid" not in client.cookies
    ada = Page(sign_in("Ada").get("/search"))
    assert "Ada#900" in ada.text
    assert {"/my-changes", "/admin/"} <= set(ada.links)
    assert "/admin/" not in Page(sign_in("Rita").get("/search")).links


def test_names_are_text_whatever_they_hold(client, horde):
    horde.users["key-odd"] = '<img src=x onerror="alert(1)">#7'
    submit(client, "key-odd")
    content = client.get("/sign-in").content.decode()
    assert "<img" not in content
    assert "&lt;img src=x" in content


def test_a_session_that_ended_while_a_form_was_filled_in_says_so_and_leads_back(client, horde):
    form = "/propose/lora?copy=painter"
    typed = {"act": "preview", "draft": "{}", "view": "form"}
    response = client.post(form, typed, headers={"Referer": f"http://testserver{form}"})
    assert response.headers["Location"] == "/sign-in?next=%2Fpropose%2Flora%3Fcopy%3Dpainter"
    text = Page(client.get(response.headers["Location"])).text
    assert "Nothing was sent: you are no longer signed in. What you typed is not lost" in text
    assert submit(client, "key-requestor", next=form).headers["Location"] == form


def test_an_act_without_a_session_leads_back_to_the_page_of_its_button(client, horde):
    own = "http://testserver/my-changes/7"
    response = client.post("/my-changes/7/withdraw", headers={"Referer": own})
    assert response.headers["Location"] == "/sign-in?next=%2Fmy-changes%2F7"
    text = Page(client.get(response.headers["Location"])).text
    assert "Nothing was sent: you are no longer signed in." in text
    assert "What you typed" not in text
    for sender in ("https://elsewhere.example/my-changes/7", "javascript:alert(1)"):
        response = client.post("/my-changes/7/withdraw", headers={"Referer": sender})
        assert response.headers["Location"] == "/sign-in?next=%2Fmy-changes"


def test_the_title_of_the_page_is_the_name_of_who_is_signed_in(sign_in, client):
    assert "<title>Ada#900 · " in sign_in("Ada").get("/sign-in").content.decode()
    assert "<title>Sign in · " in client.get("/sign-in").content.decode()
