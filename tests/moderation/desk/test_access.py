"""The desk is open to approvers, for as long as they are approvers, and to superusers."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from moderation.models import AuditEvent, PendingChange
from references.vocabulary import ReplicateMode
from tests.moderation.factories import approve, make_live, propose_create, propose_update
from tests.references.pages.html import Page

pytestmark = pytest.mark.django_db
QUEUE = "/admin/queue/"
PATHS = [QUEUE, "/admin/queue/1/", "/admin/queue/reasons/"]


@pytest.fixture
def superuser() -> Client:
    client = Client(headers={"Accept": "text/html"})
    client.force_login(User.objects.create_superuser("root", password="a long password"))
    return client


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("name", ["Rita", "Paul"])
def test_people_without_the_role_are_sent_to_the_login(sign_in, path, name):
    propose_create("painter")
    response = sign_in(name).get(path)
    assert (response.status_code, response.headers["Location"]) == (302, f"/admin/login/?next={path}")


def test_nobody_acts_without_the_role(sign_in, client):
    change = propose_create("painter")
    decision = {"act": "approve", "change": change.change_id, "title": "Mine"}
    for visitor in (client, sign_in("Rita")):
        for path in (QUEUE, f"{QUEUE}{change.change_id}/"):
            response = visitor.post(path, decision)
            assert response.headers["Location"] == f"/admin/login/?next={QUEUE}"
    change.refresh_from_db()
    assert change.status == "pending"


@pytest.mark.parametrize("path", PATHS)
def test_a_withdrawn_role_ends_access_at_the_next_click(sign_in, settings, path):
    make_live("painter")
    propose_update("painter", description="new")
    change_path = path.replace("/1/", f"/{PendingChange.objects.get().change_id}/")
    ada = sign_in("Ada")
    assert ada.get(change_path).status_code == 200
    settings.QUEUE_APPROVER_IDS = frozenset()
    assert ada.get(change_path).headers["Location"] == f"/admin/login/?next={change_path}"


@pytest.mark.parametrize(
    ("setting", "value"), [("QUEUE_ENABLED", False), ("REPLICATE_MODE", ReplicateMode.REPLICA)]
)
def test_a_deployment_without_a_queue_says_so(sign_in, settings, setting, value):
    ada = sign_in("Ada")
    setattr(settings, setting, value)
    response = ada.get(QUEUE)
    assert response.status_code == 503
    assert "This deployment takes no proposals." in Page(response).text
    assert ada.get("/admin/").status_code == 200


@pytest.mark.parametrize("path", [QUEUE, "/admin/queue/reasons/"])
def test_pages_are_kept_by_nobody_and_run_no_foreign_script(sign_in, path):
    response = sign_in("Ada").get(path)
    assert "no-store" in response.headers["Cache-Control"]
    assert "script-src 'self'" in response.headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"]


def test_the_admin_opens_on_the_queue_and_keeps_its_lists(sign_in, superuser):
    for visitor in (sign_in("Ada"), superuser):
        assert visitor.get("/admin/").headers["Location"] == QUEUE
        records = visitor.get("/admin/records/")
        assert records.status_code == 200
        assert "Pending changes" in Page(records).text


def test_staff_without_the_role_get_the_lists_alone(client):
    client.force_login(User.objects.create_user("clerk", is_staff=True))
    assert client.get("/admin/").status_code == 200
    assert client.get(QUEUE).headers["Location"] == f"/admin/login/?next={QUEUE}"


def test_a_superuser_acts_under_a_name_that_is_no_id_of_the_horde(superuser):
    change = propose_create("painter")
    superuser.post(QUEUE, {"act": "approve", "change": change.change_id, "title": "By password"})
    change.refresh_from_db()
    assert (change.approved_by, change.approved_username) == ("admin:root", "root")
    assert AuditEvent.objects.order_by("-event_id").first().logical_user_id == "admin:root"
    page = Page(superuser.get(QUEUE))
    assert "root" in page.text
    assert page.all("form", action="/admin/logout/")


def test_a_superuser_with_a_key_acts_under_the_key(sign_in):
    change = propose_create("painter")
    ada = sign_in("Ada")
    User.objects.create_superuser("root", password="a long password")
    ada.post("/admin/login/", {"username": "root", "password": "a long password", "next": QUEUE})
    assert ada.get("/admin/auth/user/").status_code == 200
    ada.post(QUEUE, {"act": "approve", "change": change.change_id, "title": "By key"})
    change.refresh_from_db()
    assert (change.approved_by, change.approved_username) == ("900", "Ada#900")


def test_forms_need_their_token(sign_in):
    change = propose_create("painter")
    ada = sign_in("Ada")
    ada.handler.enforce_csrf_checks = True
    response = ada.post(QUEUE, {"act": "approve", "change": change.change_id, "title": "Forged"})
    assert response.status_code == 403
    change.refresh_from_db()
    assert change.status == "pending"


@pytest.mark.parametrize(
    "path",
    ["queue/", "queue/reasons/", "queue/{change}/", "batches/", "batches/1/", "apply/", "audit/", "purge/"]
    + ["audit/models/image_generation/painter"],
)
def test_the_desk_is_marked_in_the_main_navigation_on_each_of_its_pages(sign_in, path):
    change = propose_create("painter")
    approve(change)
    response = sign_in("Ada").get(f"/admin/{path.format(change=change.change_id)}")
    assert response.status_code == 200
    (link,) = [link for link in Page(response).all("a", href="/admin/") if "class" not in link]
    assert link["aria-current"] == "true"


def test_the_lists_of_rows_have_the_frame_of_the_site_and_a_way_home(sign_in, client):
    page = Page(sign_in("Ada").get("/admin/records/"))
    assert {"/", "/admin/queue/", "/admin/batches/", "/admin/audit/"} <= set(page.links)
    assert [link["aria-current"] for link in page.all("a", href="/admin/records/") if "aria-current" in link]
    login = Page(client.get("/admin/login/"))
    assert "/" in login.links
    assert "/admin/queue/" not in login.links
    rows = Page(sign_in("Ada").get("/admin/references/category/"))
    for seen, sheet in ((page, "site.css"), (login, "site.css"), (rows, "records.css")):
        assert [style["href"] for style in seen.all("link", rel="stylesheet")][-1].endswith(sheet)
        assert seen.all("style") == []
        assert all(script.get("src", "").startswith("/static/") for script in seen.all("script"))


def test_a_session_that_ended_while_a_form_was_filled_in_says_so_and_leads_back(client):
    change = propose_create("painter")
    page = f"{QUEUE}{change.change_id}/?show=critical"
    decision = {"act": "reject", "title": "T", "reason": "No."}
    response = client.post(page, decision, headers={"Referer": f"http://testserver{page}"})
    assert (
        response.headers["Location"]
        == f"/admin/login/?next=/admin/queue/{change.change_id}/%3Fshow%3Dcritical"
    )
    login = Page(client.get(response.headers["Location"]))
    assert "Nothing was sent: you are no longer signed in." in login.text
    change.refresh_from_db()
    assert change.status == "pending"
    assert "no longer" not in Page(client.get("/admin/login/")).text


@pytest.mark.parametrize("sender", ["http://elsewhere.example/admin/purge/", "//elsewhere.example/", ""])
def test_a_form_sent_from_elsewhere_leads_back_to_the_queue(client, sender):
    response = client.post(QUEUE, {"act": "approve"}, headers={"Referer": sender})
    assert response.headers["Location"] == f"/admin/login/?next={QUEUE}"
