"""Own changes as their proposer sees and handles them."""

import json

import pytest
from django.test import Client

from moderation.models import ChangeComment, PendingChange
from moderation.pages import my_changes
from moderation.services import batch_decide, queue_purge
from moderation.services.remarks import LONGEST_COMMENT, comment_add
from references.services import record_delete
from references.vocabulary import ReplicateMode
from tests.moderation.factories import (
    ADA,
    IMAGES,
    RAVI,
    RITA,
    apply_at_once,
    approve,
    make_live,
    propose_create,
    propose_delete,
    propose_update,
)
from tests.references.pages.html import Page

pytestmark = pytest.mark.django_db
HOSTILE = "<script>alert('x')</script>"


@pytest.fixture
def rita(sign_in) -> Client:
    return sign_in("Rita")


def reject(change: PendingChange, reason: str = "Too blurry") -> PendingChange:
    batch_decide(actor=ADA, title="Review", rejected_ids=[change.change_id], reject_reason=reason)
    change.refresh_from_db()
    return change


def act(client: Client, change: PendingChange, act: str) -> Page:
    """Does something to a change by its form, and reads where that leads."""
    response = client.post(f"/my-changes/{change.change_id}/{act}")
    assert response.status_code == 303
    return Page(client.get(response.headers["Location"]))


def test_only_own_changes_are_listed_the_newest_first(rita):
    propose_create("older")
    propose_create("not mine", by=RAVI)
    propose_create("newer")
    page = Page(rita.get("/my-changes"))
    assert page.text.index("newer") < page.text.index("older")
    assert "not mine" not in page.text


def test_changes_are_told_apart_by_status(rita):
    propose_create("waiting")
    approve(propose_create("approved-one"))
    apply_at_once(propose_create("applied-one"))
    reject(propose_create("rejected-one"), "Too blurry")
    shown = {
        status: {name for name in ("waiting", "approved-one", "applied-one", "rejected-one") if name in text}
        for status in ("pending", "approved", "applied", "rejected", "nonsense")
        if (text := Page(rita.get("/my-changes", {"status": status})).text)
    }
    assert shown == {
        "pending": {"waiting"},
        "approved": {"approved-one"},
        "applied": {"applied-one"},
        "rejected": {"rejected-one"},
        "nonsense": {"waiting", "approved-one", "applied-one", "rejected-one"},
    }
    text = Page(rita.get("/my-changes")).text
    assert "All 4 Pending 1 Approved 1 Applied 1 Rejected 1" in text
    assert "Too blurry" in text


def test_a_long_list_has_pages_that_keep_the_status(rita, monkeypatch):
    monkeypatch.setattr(my_changes, "PAGE_SIZE", 2)
    for name in ("one", "two", "three"):
        propose_create(name)
    first = Page(rita.get("/my-changes?status=pending"))
    assert "/my-changes?status=pending&page=2" in first.links
    last = Page(rita.get("/my-changes?status=pending&page=2"))
    assert "one" in last.text.split("Proposed")[-1]
    assert "three" not in last.text.split("Proposed")[-1]


def test_the_list_takes_the_same_few_queries_however_long_it_is(rita, django_assert_num_queries):
    for name in ("one", "two", "three"):
        propose_create(name)
    # The session, the counts and the changes of the page.
    with django_assert_num_queries(3):
        rita.get("/my-changes")


def test_without_changes_the_page_says_so(rita):
    assert "You have not proposed anything yet." in Page(rita.get("/my-changes")).text


def test_a_change_shows_what_it_would_change_and_leads_to_its_model(rita):
    make_live("painter", description="old words")
    change = propose_update("painter", description="new words", nsfw=True)
    page = Page(rita.get(f"/my-changes/{change.change_id}"))
    assert "description old words new words" in page.text
    assert "nsfw critical false true" in page.text
    assert f"/models/{IMAGES}/painter" in page.links


def test_fields_that_say_nothing_are_folded_away(rita):
    make_live("painter", description="old words")
    change = propose_update("painter", description="new words", display_name="")
    told, _, folded = Page(rita.get(f"/my-changes/{change.change_id}")).text.partition("set by the service")
    assert "description" in told
    assert "metadata.updated_at" not in told
    assert "metadata.updated_at" in folded


def test_an_update_to_what_is_live_changes_nothing(rita):
    live = make_live("painter", description="words")
    change = propose_update("painter", description="words", metadata=live["metadata"])
    assert "Nothing that counts" in Page(rita.get(f"/my-changes/{change.change_id}")).text


def test_a_change_that_no_longer_fits_is_marked(rita):
    make_live("painter", description="old words")
    change = propose_update("painter", description="new words")
    apply_at_once(propose_update("painter", description="other words", by=RAVI))
    text = Page(rita.get(f"/my-changes/{change.change_id}")).text
    assert "was changed after this change was proposed" in text


def test_a_new_model_has_no_page_to_lead_to(rita):
    change = propose_create("not yet")
    assert f"/models/{IMAGES}/not%20yet" not in Page(rita.get(f"/my-changes/{change.change_id}")).links


def test_what_an_applied_change_did_stays_to_be_seen(rita):
    make_live("painter", description="old words")
    change = propose_update("painter", description="new words")
    apply_at_once(change)
    text = Page(rita.get(f"/my-changes/{change.change_id}")).text
    assert "What it changed" in text
    assert "description old words new words" in text


def test_all_that_was_proposed_or_answered_is_text(rita):
    change = reject(propose_create(f"m{HOSTILE}", description=HOSTILE), HOSTILE)
    for path in ("/my-changes", f"/my-changes/{change.change_id}"):
        content = rita.get(path).content.decode()
        assert HOSTILE not in content
        assert "&lt;script&gt;alert(&#x27;x&#x27;)&lt;/script&gt;" in content


def test_what_others_proposed_is_not_there(rita):
    other = propose_create("not mine", by=RAVI)
    assert rita.get(f"/my-changes/{other.change_id}").status_code == 404
    assert rita.get(f"/my-changes/{10**30}").status_code == 404
    for act in ("withdraw", "resubmit", "comment"):
        assert rita.post(f"/my-changes/{other.change_id}/{act}").status_code == 404
    other.refresh_from_db()
    assert other.status == "pending"


def test_a_pending_change_is_withdrawn(rita):
    change = propose_create("painter")
    assert f"/my-changes/{change.change_id}/withdraw" in [
        form["action"] for form in Page(rita.get(f"/my-changes/{change.change_id}")).all("form")
    ]
    page = act(rita, change, "withdraw")
    assert f"Change {change.change_id} is withdrawn." in page.text
    change.refresh_from_db()
    assert (change.status, change.rejected_by) == ("rejected", RITA.user_id)
    assert f"/my-changes/{change.change_id}/withdraw" not in [form["action"] for form in page.all("form")]


def test_who_rejects_their_own_change_did_not_withdraw_it(sign_in):
    ada = sign_in("Ada")
    change = reject(propose_create("painter", by=ADA), "I was wrong")
    for path in ("/my-changes", f"/my-changes/{change.change_id}"):
        text = Page(ada.get(path)).text
        assert "Withdrawn" not in text
        assert "Rejected" in text
        assert "I was wrong" in text
    assert "by Ada#900" in text


def comment(client: Client, change: PendingChange, text: str):
    return client.post(f"/my-changes/{change.change_id}/comment", {"text": text})


def test_a_question_is_seen_in_the_list_and_answered(rita):
    change = propose_create("painter")
    comment_add(actor=ADA, change_id=change.change_id, text="Where is the file?")
    assert "1 comment , the last by Ada#900 to answer" in Page(rita.get("/my-changes")).text
    page = Page(rita.get(f"/my-changes/{change.change_id}"))
    assert "Where is the file?" in page.text
    assert "Your answer" in page.text

    response = comment(rita, change, " At the usual place. ")
    assert response.status_code == 303
    assert "At the usual place." in Page(rita.get(response.headers["Location"])).text
    stored = ChangeComment.objects.last()
    assert (stored.author_id, stored.author_username, stored.text) == (
        "101",
        "Rita#101",
        "At the usual place.",
    )
    text = Page(rita.get("/my-changes")).text
    assert "2 comments" in text
    assert "the last by" not in text


def test_a_comment_that_cannot_be_kept_comes_back_as_it_was_typed(rita):
    change = propose_create("painter")
    long = comment(rita, change, "x" * (LONGEST_COMMENT + 1))
    assert long.status_code == 422
    assert "Not sent. The comment is too long" in Page(long).text
    assert "x" * (LONGEST_COMMENT + 1) in long.content.decode()
    assert "Not sent. The comment is empty." in Page(comment(rita, change, "  ")).text
    assert not ChangeComment.objects.exists()


def test_an_approver_answers_on_their_page_of_own_changes_only_what_is_theirs(sign_in):
    change = propose_create("painter")
    assert comment(sign_in("Ada"), change, "Words.").status_code == 404
    assert not ChangeComment.objects.exists()


def test_a_change_that_was_purged_is_said_to_be(rita):
    change = propose_create("painter")
    queue_purge(actor=ADA, change_ids=[change.change_id])
    response = rita.get(f"/my-changes/{change.change_id}")
    text = Page(response).text
    assert response.status_code == 404
    assert f"Change {change.change_id} was purged" in text
    assert "An approver took your change to painter out of the queue" in text
    assert "renamed" not in text
    never = Page(rita.get("/my-changes/999")).text
    assert "No change 999 of yours" in never
    assert "purged" not in never


def test_an_approved_change_is_not_withdrawn(rita):
    change = propose_create("painter")
    approve(change)
    words = f"Not withdrawn. Change {change.change_id} was approved by Ada#900."
    assert words in act(rita, change, "withdraw").text
    change.refresh_from_db()
    assert change.status == "approved"


@pytest.mark.parametrize("act", ["withdraw", "resubmit", "comment"])
def test_acts_take_a_post_with_a_token(rita, act):
    change = propose_create("painter")
    rita.handler.enforce_csrf_checks = True
    assert rita.get(f"/my-changes/{change.change_id}/{act}").status_code == 405
    assert rita.post(f"/my-changes/{change.change_id}/{act}").status_code == 403
    assert PendingChange.objects.pending().count() == 1


@pytest.mark.parametrize("propose", [propose_create, propose_update, propose_delete])
def test_a_rejected_change_is_proposed_again_as_a_new_one(rita, propose):
    if propose is not propose_create:
        make_live("painter", description="old words")
    fields = {} if propose is propose_delete else {"description": "new words"}
    old = reject(propose("painter", **fields))
    page = act(rita, old, "resubmit")
    new = PendingChange.objects.pending().get()
    assert f"Change {old.change_id} is proposed again, as change {new.change_id}." in page.text
    assert (new.operation, new.model_name, new.requested_by) == (old.operation, "painter", "101")
    assert new.payload_as_dict() == old.payload_as_dict()
    assert json.loads(new.request_metadata) == {
        "route": json.loads(old.request_metadata)["route"],
        "resubmits": old.change_id,
    }
    old.refresh_from_db()
    assert old.status == "rejected"


def test_resubmitting_tells_in_words_what_stands_in_the_way(rita, settings):
    exists = reject(propose_create("painter"))
    make_live("painter")
    assert "Not proposed again. Model 'painter' already exists" in act(rita, exists, "resubmit").text

    make_live("sketcher")
    gone = reject(propose_update("sketcher"))
    record_delete(category=IMAGES, name="sketcher")
    assert "Model 'sketcher' not found" in act(rita, gone, "resubmit").text

    invalid = reject(propose_create("drawer"))
    invalid.payload = json.dumps({**invalid.payload_as_dict(), "baseline": 5})
    invalid.save()
    assert "Not proposed again. baseline: " in act(rita, invalid, "resubmit").text

    pending = propose_create("dauber")
    words = f"Not proposed again. Change {pending.change_id} is pending."
    assert words in act(rita, pending, "resubmit").text

    settings.CANONICAL_FORMAT = "legacy"
    assert "in a format that this deployment no longer takes" in act(rita, gone, "resubmit").text
    assert list(PendingChange.objects.pending()) == [pending]


@pytest.mark.parametrize("path", ["/my-changes", "/my-changes/1"])
def test_pages_of_requestors_ask_others_to_sign_in(client, path):
    assert client.get(path).headers["Location"] == f"/sign-in?next={path.replace('/', '%2F')}"


def test_a_role_that_is_taken_away_ends_access_at_the_next_click(rita, settings):
    change = propose_create("painter")
    settings.QUEUE_REQUESTOR_IDS = frozenset()
    assert rita.get("/my-changes").headers["Location"] == "/sign-in"
    assert "What was proposed before stays in the queue" in Page(rita.get("/sign-in")).text
    assert rita.post(f"/my-changes/{change.change_id}/withdraw").headers["Location"] == "/sign-in"
    assert "Nothing was done: Rita#101 is no requestor" in Page(rita.get("/sign-in")).text
    form = {"draft": "{}", "act": "preview"}
    assert rita.post(f"/propose/{IMAGES}", form).headers["Location"] == "/sign-in"
    assert "What you typed is not lost" in Page(rita.get("/sign-in")).text
    change.refresh_from_db()
    assert change.status == "pending"


@pytest.mark.parametrize(
    ("setting", "value"), [("QUEUE_ENABLED", False), ("REPLICATE_MODE", ReplicateMode.REPLICA)]
)
def test_a_deployment_without_a_queue_says_so(rita, settings, setting, value):
    setattr(settings, setting, value)
    response = rita.get("/my-changes")
    assert response.status_code == 503
    assert "This deployment takes no proposals." in Page(response).text
    assert "/my-changes" not in Page(rita.get("/sign-in")).links


def test_pages_about_people_are_kept_by_no_cache(rita):
    change = propose_create("painter")
    for path in ("/sign-in", "/my-changes", f"/my-changes/{change.change_id}"):
        response = rita.get(path)
        assert "no-store" in response.headers["Cache-Control"]
        assert "Cookie" in response.headers["Vary"]
        assert response.headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self'")


def test_what_a_new_model_brings_is_shown_without_a_column_of_nothing(rita):
    make_live("there")
    created, updated = propose_create("newcomer"), propose_update("there", description="other")
    pages = [Page(rita.get(f"/my-changes/{change.change_id}")) for change in (created, updated)]
    assert [len(page.all("div", **{"class": "diff-new"})) for page in pages] == [1, 0]
