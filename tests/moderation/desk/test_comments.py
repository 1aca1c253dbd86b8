"""Comments on a change: written by approvers, read by them and the proposer, changed by nobody."""

import pytest
from django.core.management import call_command
from django.template.loader import render_to_string

from moderation.models import AuditEvent, ChangeComment
from moderation.problems import PendingChangeNotFoundError
from moderation.services.remarks import LONGEST_COMMENT, comment_add
from references.problems import Unprocessable
from tests.moderation.factories import ADA, propose_create
from tests.references.pages.html import Page

pytestmark = pytest.mark.django_db


def test_a_comment_is_shown_with_its_author_and_time(sign_in):
    change = propose_create("painter")
    ada = sign_in("Ada")
    path = f"/admin/queue/{change.change_id}/"
    response = ada.post(f"{path}?view=inline", {"act": "comment", "text": " Is the hash right?\nCheck it. "})
    assert response.headers["Location"] == f"{path}?view=inline#comments"
    stored = ChangeComment.objects.get()
    assert (stored.change_id, stored.author_id, stored.author_username, stored.text) == (
        change.change_id,
        "900",
        "Ada#900",
        "Is the hash right?\nCheck it.",
    )
    text = Page(ada.get(path)).text
    assert "Comments 1 Ada#900 just now Is the hash right? Check it." in text
    assert "1 comment" in Page(ada.get("/admin/queue/")).text
    change.refresh_from_db()
    assert change.status == "pending"


@pytest.mark.parametrize("text", ["", "  \n", "x" * (LONGEST_COMMENT + 1), "nul\x00"])
def test_a_comment_that_says_nothing_or_too_much_is_not_kept(sign_in, text):
    change = propose_create("painter")
    response = sign_in("Ada").post(f"/admin/queue/{change.change_id}/", {"act": "comment", "text": text})
    assert response.status_code == 422
    assert not ChangeComment.objects.exists()


@pytest.mark.parametrize("text", ["", "x" * (LONGEST_COMMENT + 1)])
def test_the_service_checks_too(text):
    change = propose_create("painter")
    with pytest.raises(Unprocessable):
        comment_add(actor=ADA, change_id=change.change_id, text=text)


def test_there_are_no_comments_on_what_is_not_there():
    with pytest.raises(PendingChangeNotFoundError):
        comment_add(actor=ADA, change_id=999, text="Words.")


def test_nobody_else_comments(sign_in):
    change = propose_create("painter")
    sign_in("Rita").post(f"/admin/queue/{change.change_id}/", {"act": "comment", "text": "Words."})
    assert not ChangeComment.objects.exists()


def test_comments_are_no_part_of_the_log_and_outlast_a_rebuild():
    change = propose_create("painter")
    events = AuditEvent.objects.count()
    comment_add(actor=ADA, change_id=change.change_id, text="Words.", at=1_700_000_000)
    assert AuditEvent.objects.count() == events
    call_command("rebuild_from_audit", yes=True, verbosity=0)
    assert ChangeComment.objects.get().change_id == change.change_id


def test_other_pages_show_them_as_a_section():
    change = propose_create("painter")
    assert render_to_string("desk/_comments_section.html", {"change": change}).strip() == ""
    comment_add(actor=ADA, change_id=change.change_id, text="<b>Words</b>")
    comment_add(actor=ADA, change_id=propose_create("other").change_id, text="Elsewhere.")
    shown = render_to_string("desk/_comments_section.html", {"change": change})
    assert "&lt;b&gt;Words&lt;/b&gt;" in shown
    assert "Elsewhere." not in shown


def test_the_admin_lists_comments_but_edits_none(admin_client):
    change = propose_create("painter")
    comment_add(actor=ADA, change_id=change.change_id, text="Words.")
    path = "/admin/moderation/changecomment/"
    assert "Words." in Page(admin_client.get(path)).text
    assert (
        admin_client.post(f"{path}{ChangeComment.objects.get().pk}/delete/", {"post": "yes"}).status_code
        == 403
    )
    assert admin_client.get(f"{path}add/").status_code == 403
