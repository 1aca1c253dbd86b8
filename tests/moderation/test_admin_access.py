"""The admin lets approvers in for as long as they are approvers, and staff as ever."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from moderation.admin_access import ApproverUser
from tests.moderation.factories import propose_create
from tests.moderation.pages.conftest import allowlists, horde, sign_in  # noqa: F401 - fixtures
from tests.references.pages.html import Page

pytestmark = pytest.mark.django_db
CHANGES = "/admin/moderation/pendingchange/"


def test_an_approver_comes_in_by_key_and_looks_at_the_queue(sign_in):  # noqa: F811
    change = propose_create("painter")
    ada = sign_in("Ada")
    assert ada.get("/admin/").headers["Location"] == "/admin/queue/"
    records = ada.get("/admin/records/")
    assert records.status_code == 200
    assert "Ada#900" in records.content.decode()
    assert b"painter" in ada.get(CHANGES).content
    assert ada.get(f"{CHANGES}{change.change_id}/change/").status_code == 200
    assert ada.get("/admin/login/?next=/admin/").headers["Location"] == "/admin/"
    assert User.objects.count() == 0


@pytest.mark.parametrize("path", ["/admin/", CHANGES, "/admin/references/category/"])
@pytest.mark.parametrize("name", ["Rita", "Paul"])
def test_nobody_else_comes_in_by_key(sign_in, path, name):  # noqa: F811
    response = sign_in(name).get(path)
    assert (response.status_code, response.headers["Location"]) == (302, f"/admin/login/?next={path}")


def test_a_withdrawn_role_ends_access_at_the_next_click(sign_in, settings):  # noqa: F811
    ada = sign_in("Ada")
    assert ada.get("/admin/records/").status_code == 200
    settings.QUEUE_APPROVER_IDS = frozenset()
    assert ada.get("/admin/records/").headers["Location"] == "/admin/login/?next=/admin/records/"
    assert "Ada#900 is not an approver" in Page(ada.get("/admin/login/")).text
    settings.QUEUE_APPROVER_IDS = frozenset({"900"})
    assert ada.get("/admin/records/").status_code == 200


@pytest.mark.parametrize(
    "path", ["/admin/auth/user/", "/admin/auth/user/add/", "/admin/auth/group/", "/admin/password_change/"]
)
def test_an_approver_has_no_hand_in_accounts(sign_in, path):  # noqa: F811
    ada = sign_in("Ada")
    assert ada.get(path).status_code == 403
    assert ada.post(path, {"username": "mallory", "password1": "x", "password2": "x"}).status_code == 403
    assert User.objects.count() == 0


@pytest.mark.parametrize("model", ["groupaliasentry", "groupfamily", "groupnameschema"])
def test_an_approver_only_looks_at_what_staff_may_write(sign_in, model):  # noqa: F811
    ada = sign_in("Ada")
    assert ada.get(f"/admin/references/{model}/").status_code == 200
    assert ada.get(f"/admin/references/{model}/add/").status_code == 403


def test_staff_come_in_by_password(settings):
    User.objects.create_superuser("root", password="a long password")
    client = Client()
    response = client.post(
        "/admin/login/", {"username": "root", "password": "a long password", "next": "/admin/"}
    )
    assert response.headers["Location"] == "/admin/"
    assert client.get("/admin/auth/user/").status_code == 200
    assert client.get("/admin/password_change/").status_code == 200


def test_the_login_page_leads_to_the_key_and_back(client):
    page = client.get(f"/admin/login/?next={CHANGES}").content.decode()
    assert f'href="/sign-in?next={CHANGES.replace("/", "%2F")}"' in page


def test_leaving_the_admin_signs_out(sign_in):  # noqa: F811
    ada = sign_in("Ada")
    ada.post("/admin/logout/")
    assert ada.get("/admin/").status_code == 302
    assert ada.get("/my-changes").status_code == 303


@pytest.mark.parametrize(
    ("permission", "is_held"),
    [
        ("moderation.view_pendingchange", True),
        ("references.view_category", True),
        ("moderation.change_pendingchange", False),
        ("auth.view_user", False),
        ("sessions.view_session", False),
    ],
)
def test_an_approver_may_look_at_the_reference_and_the_queue(permission, is_held):
    assert ApproverUser("900", "Ada#900").has_perm(permission) is is_held


@pytest.fixture
def root() -> Client:
    """A superuser, signed in by password."""
    User.objects.create_superuser("root", password="a long password")
    client = Client()
    client.post("/admin/login/", {"username": "root", "password": "a long password"})
    return client


@pytest.mark.parametrize("path", ["/", "/admin/queue/", "/admin/records/", CHANGES])
def test_a_superuser_finds_the_desk_and_the_way_out_on_every_page(root, path):
    page = Page(root.get(path))
    assert "/admin/" in page.links
    assert " Docs Desk " in page.text
    assert [form["action"] for form in page.all("form") if form.get("class") == "desk-user"] == [
        "/admin/logout/"
    ]
    assert "Sign in" not in page.text


def test_who_is_signed_out_or_has_no_role_finds_no_desk(sign_in, root):  # noqa: F811
    root.post("/admin/logout/")
    for client in (root, Client(), sign_in("Rita")):
        assert "/admin/" not in Page(client.get("/")).links


def test_the_lists_of_rows_have_the_header_of_the_site(sign_in):  # noqa: F811
    ada = sign_in("Ada")
    for path in ("/admin/records/", "/admin/references/", CHANGES):
        text = Page(ada.get(path)).text
        assert "My changes Desk Ada#900" in text
        assert "Queue Batches Audit Records" in text


def test_staff_without_a_role_see_their_lists_and_no_keys_of_the_desk():
    staff = User.objects.create_user("clerk", password="a long password", is_staff=True)
    client = Client()
    client.force_login(staff)
    page = Page(client.get("/admin/"))
    assert "Nothing to see here" in page.text
    assert "Batches" not in page.text
    assert not [each for each in page.all("script") if "desk.js" in each.get("src", "")]


def test_rows_that_nobody_can_change_here_offer_no_history_of_changes(root):
    change = propose_create("painter")
    assert (
        f"{change.change_id}/history/"
        not in root.get(f"{CHANGES}{change.change_id}/change/").content.decode()
    )


def test_a_wrong_password_is_told_and_the_key_offered():
    page = Page(
        Client().post("/admin/login/", {"username": "root", "password": "wrong", "next": "/admin/purge/"})
    )
    assert "Please enter the correct username and password" in page.text
    assert "/sign-in?next=%2Fadmin%2Fpurge%2F" in page.links
    assert page.all("input", name="next")[-1]["value"] == "/admin/purge/"
