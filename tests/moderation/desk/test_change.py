"""The page of a change shows what a decision needs, and is where it is taken."""

import re
from html import unescape

import pytest
from django.urls import reverse

from moderation.models import PendingChange, SavedReason
from moderation.pages.forms.warned import place_words
from moderation.services import change_propose, change_withdraw, queue_purge
from references.services import record_put
from references.vocabulary import CanonicalFormat
from tests.factories import make_download, make_legacy, make_v2
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
    stamps,
)
from tests.references.pages.html import Page

pytestmark = pytest.mark.django_db
QUEUE = "/admin/queue/"


@pytest.fixture
def ada(sign_in):
    return sign_in("Ada")


def path(change: PendingChange, query: str = "") -> str:
    return f"{QUEUE}{change.change_id}/{query}"


def show(client, change: PendingChange, query: str = "") -> Page:
    response = client.get(path(change, query))
    assert response.status_code == 200
    return Page(response)


def cells(client, change: PendingChange, field: str, query: str = "") -> list[str]:
    """The cells of the field's row in the table of differences, as text."""
    body = client.get(path(change, query)).content.decode()
    row = body.split(f'<th scope="row"><code>{field}</code>')[1].split("</tr>")[0]
    return [_text(cell.split("</td>")[0].partition(">")[2]) for cell in row.split("<td ")[1:]]


def _text(markup: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", markup)).split())


@pytest.fixture
def edit() -> PendingChange:
    make_live(
        "painter",
        description="old words",
        tags=["kept", "gone"],
        config={"download": [make_download("a.ckpt", sha256sum="a" * 64), make_download("b.ckpt")]},
    )
    return propose_update(
        "painter",
        description="new words",
        nsfw=True,
        tags=["kept", "come"],
        config={"download": [make_download("a.ckpt", sha256sum="b" * 64), make_download("c.ckpt")]},
        metadata=stamps(),
    )


def test_it_tells_what_who_and_when(ada, edit):
    text = show(ada, edit).text
    for words in ("painter", "Kind Edit", "Image generation", "Proposed by Rita#101", "just now", "critical"):
        assert words in text


def test_members_of_lists_and_files_are_told_one_by_one(ada, edit):
    assert cells(ada, edit, "description") == ["old words", "new words"]
    assert cells(ada, edit, "tags") == ["gone 1 more, unchanged", "come 1 more, unchanged"]
    before, after = cells(ada, edit, "config.download")
    unhashed = "file_url: https://example.org/{0} open sha256sum: FIXME"
    assert before == f"a.ckpt sha256sum: {'a' * 64} b.ckpt {unhashed.format('b.ckpt')}"
    assert after == f"a.ckpt sha256sum: {'b' * 64} c.ckpt {unhashed.format('c.ckpt')}"


def test_unchanged_fields_are_folded(ada, edit):
    body = ada.get(path(edit)).content.decode()
    folded = body.split("unchanged</summary>")[1].split("</details>")[0]
    assert "<dt>baseline</dt>" in folded
    assert "<dt>nsfw</dt>" not in folded


def test_the_views_are_links_that_keep_the_list(ada, edit):
    page = show(ada, edit, "?show=critical&view=inline")
    assert f"{path(edit)}?show=critical&view=raw" in page.links
    assert f"{path(edit)}?show=critical" in page.links
    assert "old words new words" in page.text


def test_the_json_view_shows_lines_and_whole_records(ada, edit):
    text = show(ada, edit, "?view=raw").text
    assert '- "description": "old words", + "description": "new words",' in text
    assert "Now, whole" in text
    assert "Proposed, whole" in text


def test_a_stale_change_is_shown_three_ways(ada):
    make_live("painter", description="base", style="generalist", tags=["a"])
    change = propose_update(
        "painter", description="mine", style="generalist", tags=["a", "b"], metadata=stamps()
    )
    moved = make_v2(IMAGES, "painter", description="theirs", style="anime", tags=["a"], metadata=stamps())
    record_put(category=IMAGES, name="painter", record=moved)
    page = show(ada, change)
    assert "was changed after this change was proposed. Clashing fields: description." in page.text
    assert cells(ada, change, "description") == ["base", "theirs", "mine"]
    assert cells(ada, change, "style") == ["generalist", "anime", "generalist"]
    assert cells(ada, change, "tags") == ["1 unchanged", "1 unchanged", "b 1 more, unchanged"]
    assert page.text.count("clash ") == 1
    assert "When it was proposed, whole" in show(ada, change, "?view=raw").text


def test_three_ways_a_list_of_files_is_told_file_by_file(ada):
    def config(*files):
        return {
            "download": [
                {"file_name": name, "file_url": f"https://example.org/{name}", "sha256sum": digit * 64}
                for name, digit in files
            ]
        }

    make_live("painter", config=config(("a", "1"), ("b", "2"), ("c", "3")))
    mine = config(("a", "4"), ("b", "2"), ("c", "3"))
    change = propose_update("painter", config=mine, metadata=stamps())
    theirs = make_v2(IMAGES, "painter", config=config(("a", "1"), ("b", "2")), metadata=stamps())
    record_put(category=IMAGES, name="painter", record=theirs)
    was, now, proposed = cells(ada, change, "config.download")
    assert was == (
        f"a sha256sum: {'1' * 64} c file_url: https://example.org/c sha256sum: {'3' * 64} 1 more, unchanged"
    )
    assert now == f"2 unchanged c file_url: https://example.org/c open sha256sum: {'3' * 64}"
    assert proposed == f"a sha256sum: {'4' * 64} 2 more, unchanged sha256sum: {'1' * 64}"


def test_three_ways_a_list_in_another_order_is_told_whole(ada):
    make_live("painter", tags=["a", "b"])
    change = propose_update("painter", tags=["b", "a"], metadata=stamps())
    record_put(
        category=IMAGES, name="painter", record=make_v2(IMAGES, "painter", tags=["a"], metadata=stamps())
    )
    was, now, proposed = cells(ada, change, "tags")
    assert (was, now, proposed) == (
        '[ "a", "b" ]',
        "1 unchanged b",
        '[ "b", "a" ] [ "a", "b" ]',
    )


def test_three_ways_a_list_whose_members_are_known_by_something_else_is_told_whole(ada):
    def config(**file):
        return {"download": [{"file_url": "https://example.org/a", "sha256sum": "1" * 64, **file}]}

    make_live("painter", config=config(file_name="a"))
    change = propose_update("painter", config=config(file_name="a", sha256sum="2" * 64), metadata=stamps())
    theirs = make_v2(IMAGES, "painter", config=config(file_name=""), metadata=stamps())
    record_put(category=IMAGES, name="painter", record=theirs)
    was, now, proposed = cells(ada, change, "config.download")
    assert was.startswith('[ { "')
    assert now.startswith("https://example.org/a file_name:")
    assert proposed.startswith("a sha256sum:")


def test_three_ways_a_list_that_is_gone_is_shown_as_it_was(ada):
    make_live("painter", tags=["a", "b"])
    change = propose_update("painter", tags=["a", "b", "c"], metadata=stamps())
    apply_at_once(propose_delete("painter"))
    assert cells(ada, change, "tags") == ["a b", "not there", "c 2 more, unchanged"]


@pytest.mark.parametrize("view", ["", "?view=inline", "?view=raw"])
def test_every_kind_and_state_of_change_has_a_page(ada, view):
    make_live("painter", category="lora")
    make_live("other", category="lora")
    deletion = propose_delete("painter", category="lora")
    gone = propose_delete("other", category="lora")
    apply_at_once(propose_delete("other", category="lora"))
    creation = propose_create("fresh", category="text_generation")
    applied = apply_at_once(propose_create("done", category="clip"))
    rejected = propose_create("bad", category="clip")
    ada.post(path(rejected), {"act": "reject", "title": "T", "reason": "No."})
    waiting = propose_create("later", category="clip")
    approve(waiting)
    for change, words in (
        (deletion, "Removal"),
        (gone, "no longer exists"),
        (creation, "New"),
        (applied, "Propose to undo it"),
        (rejected, "That is final"),
        (waiting, "Reopening takes the approval back"),
    ):
        assert words in show(ada, change, view).text


def test_a_legacy_change_is_shown_as_it_would_be_stored(ada, settings):
    settings.CANONICAL_FORMAT = CanonicalFormat.LEGACY
    change = change_propose(
        actor=RITA,
        category=IMAGES,
        name="old style",
        operation="create",
        payload=make_legacy(IMAGES, "old style", description="words"),
        route="create_legacy_model",
    )
    assert cells(ada, change, "description") == ["not there", "words"]


def test_values_are_escaped_in_every_view(ada):
    make_live("painter")
    hostile = '<script>alert("1")</script>'
    change = propose_update(
        "painter", description=hostile, tags=[hostile], trigger=[hostile], metadata=stamps()
    )
    PendingChange.objects.filter(pk=change.pk).update(notes=hostile)
    ada.post(path(change), {"act": "comment", "text": hostile})
    for view in ("side", "inline", "raw"):
        body = ada.get(path(change, f"?view={view}")).content.decode()
        assert "<script>alert" not in body
        assert "&lt;script&gt;" in body


def test_questionable_values_are_pointed_out_before_the_diff_by_their_labels(ada, edit):
    text = show(ada, edit).text
    assert "SHA-256 of file 2 The hash is missing" in text
    assert "config.download.1.sha256sum" not in text
    assert text.index("To look at") < text.index("What it would change")


def test_a_model_with_the_same_file_is_linked(ada):
    digest = "0123456789abcdef" * 4
    make_live("clip/a b", category="clip", config={"download": [make_download("a.pt", sha256sum=digest)]})
    change = propose_create("painter", config={"download": [make_download("b.pt", sha256sum=digest)]})
    page = show(ada, change)
    assert "clip/a b in clip has a file with the same hash." in page.text
    assert reverse("catalogue:record", args=["clip", "clip/a b"]) in page.links


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("name", "Name"),
        ("homepage", "Homepage"),
        ("config.download", "Files"),
        ("config.download.0.sha256sum", "SHA-256 of file 1"),
        ("config.download.11.file_url", "File URL of file 12"),
        ("showcases.2", "Showcases 3"),
        ("requirements.clip_skip", "Requirements: clip skip"),
    ],
)
def test_warnings_name_fields_by_their_labels(path, words):
    assert place_words("image_generation", path) == words


def test_a_payload_that_broke_meanwhile_is_told(ada):
    make_live("painter")
    change = propose_update("painter", metadata=stamps())
    PendingChange.objects.filter(pk=change.pk).update(payload='{"name": "painter", "nsfw": "perhaps"}')
    words = "It could not be applied: Baseline: This is required. NSFW: Has to be yes (true) or no (false)."
    assert words in show(ada, change).text


def test_competing_changes_are_linked(ada, edit):
    rival = propose_delete("painter", by=RAVI)
    page = show(ada, edit, "?show=competing")
    assert "Other open changes to it" in page.text
    assert f"{path(rival)}?show=competing" in page.links


def test_of_many_warnings_the_serious_ones_come_first_and_the_rest_is_folded(ada):
    files = [make_download(f"{number}.bin", sha256sum="FIXME") for number in range(12)]
    page = show(ada, propose_create("painter", config={"download": files}))
    start = page.text.index("To look at 24")
    first, folded = page.text[start : page.text.index("What it would change")].split(" 14 more ")
    assert (first.count("serious"), first.count("notice")) == (10, 0)
    assert (folded.count("serious"), folded.count("notice")) == (2, 12)
    assert "SHA-256 of file 12" in folded


def test_the_proposers_history_is_told(ada, edit):
    apply_at_once(propose_create("one"))
    ada.post(path(propose_create("two")), {"act": "reject", "title": "T", "reason": "No licence."})
    change_withdraw(actor=RITA, change_id=propose_create("taken back").change_id)
    text = show(ada, edit).text
    assert "Otherwise 1 applied, 1 rejected, 1 withdrawn." in text
    assert "No licence." in text
    assert "The first proposal." in show(ada, propose_create("three", by=RAVI)).text


def test_what_was_done_is_told(ada, edit):
    approve(edit, title="November")
    assert (
        "What was done Proposed by Rita#101 Edit just now Approved by Ada#900 November"
        in show(ada, edit).text
    )


def test_use_is_not_waited_for(ada, edit):
    assert "The AI-Horde has not said anything yet" in show(ada, edit).text


def test_use_is_shown_when_it_is_known(ada, usage):
    make_live("stable_diffusion")
    text = show(ada, propose_delete("stable_diffusion")).text
    assert "Use Workers 12 Past day 4,000" in text
    assert "Deletion risk" in text


def test_approving_goes_on_to_the_next_change_of_the_list(ada):
    first, second, third = (propose_create(f"model {number}", category="lora") for number in range(3))
    page = show(ada, second, "?sort=oldest&category=lora")
    query = "?sort=oldest&category=lora"
    assert "2 of 3" in page.text
    assert page.all("a", rel="prev")[0]["href"] == path(first, query)
    assert page.all("a", rel="next")[0]["href"] == path(third, query)
    response = ada.post(path(second, query), {"act": "approve", "title": "November"})
    assert (response.status_code, response.headers["Location"]) == (303, path(third, query))
    assert f"Change {second.change_id} is approved, in batch 1: November." in show(ada, third, query).text
    response = ada.post(path(third, query), {"act": "reject", "title": "T", "reason": "No."})
    assert response.headers["Location"] == QUEUE + query


def test_the_newest_come_first_by_default(ada):
    older, newer = propose_create("older"), propose_create("newer")
    page = show(ada, newer)
    assert page.all("a", rel="prev") == []
    assert page.all("a", rel="next")[0]["href"] == path(older)
    approve(newer)
    page = show(ada, newer)
    assert "1 of 2" not in page.text
    assert page.all("a", rel="next")[0]["href"] == path(older)


def test_the_view_stays_on_the_way_to_the_next(ada):
    older, newer = propose_create("older"), propose_create("newer")
    response = ada.post(path(newer, "?view=inline"), {"act": "approve", "title": "T"})
    assert response.headers["Location"] == path(older, "?view=inline")


def test_rejecting_with_a_saved_reason(ada, edit):
    saved = SavedReason.objects.create(text="No licence.")
    ada.post(path(edit), {"act": "reject", "title": "T", "saved": saved.pk, "reason": ""})
    edit.refresh_from_db()
    assert (edit.status, edit.reject_reason, edit.rejected_username) == ("rejected", "No licence.", "Ada#900")


def test_a_rejection_without_a_reason_keeps_the_page(ada, edit):
    response = ada.post(path(edit, "?view=inline"), {"act": "reject", "title": "T", "reason": " "})
    page = Page(response)
    assert response.status_code == 422
    assert "Rejecting needs a reason" in page.text
    assert ["autofocus" in field for field in page.all("textarea", name="reason")] == [True]
    edit.refresh_from_db()
    assert edit.status == "pending"


def test_a_decision_that_came_too_late_says_who_was_quicker(ada, edit):
    other = propose_create("other")
    ada.post(path(edit), {"act": "reject", "title": "T", "reason": "No."})
    late = Page(ada.post(path(edit), {"act": "approve", "title": "T"})).text
    assert f"Nothing was decided. Change {edit.change_id} was rejected by Ada#900." in late
    change_withdraw(actor=RITA, change_id=other.change_id)
    late = Page(ada.post(path(other), {"act": "reject", "title": "T", "reason": "No."})).text
    assert f"Nothing was decided. Change {other.change_id} was withdrawn." in late


def test_a_change_that_was_purged_is_said_to_be(ada, edit):
    queue_purge(actor=ADA, change_ids=[edit.change_id])
    for response in (ada.get(path(edit)), ada.post(path(edit), {"act": "approve", "title": "T"})):
        page = Page(response)
        assert response.status_code == 404
        assert f"Change {edit.change_id} was purged" in page.text
        assert {"/admin/queue/", "/admin/audit/models/image_generation/painter"} <= set(page.links)
    assert "There is no change 4711" in Page(ada.get(f"{QUEUE}4711/")).text


def test_an_approval_is_taken_back(ada, edit):
    approve(edit)
    response = ada.post(path(edit), {"act": "reopen"})
    assert response.headers["Location"] == path(edit)
    edit.refresh_from_db()
    assert (edit.status, edit.batch_id) == ("pending", None)
    assert "is pending again" in show(ada, edit).text


def test_an_applied_change_is_undone_by_a_proposal(ada, edit):
    apply_at_once(edit)
    response = ada.post(path(edit), {"act": "revert"})
    undoing = PendingChange.objects.latest("change_id")
    assert response.headers["Location"] == path(undoing)
    assert undoing.payload_as_dict()["description"] == "old words"
    assert undoing.requested_by == "900"
    page = show(ada, undoing)
    assert path(edit) in page.links
    assert "Undoes change" in page.text


def test_one_withdraws_only_ones_own(ada, edit):
    own = propose_create("own", by=ADA)
    assert show(ada, own).all("button", value="withdraw")
    assert not show(ada, edit).all("button", value="withdraw")
    ada.post(path(own), {"act": "withdraw"})
    own.refresh_from_db()
    assert (own.status, own.reject_reason) == ("rejected", "Withdrawn by the requestor")
    ada.post(path(edit), {"act": "withdraw"})
    edit.refresh_from_db()
    assert edit.status == "pending"


def test_ones_own_is_not_approved_where_that_is_forbidden(ada, settings):
    settings.QUEUE_FORBID_SELF_APPROVAL = True
    own = propose_create("own", by=ADA)
    page = show(ada, own)
    assert "It is your own: someone else has to approve it." in page.text
    assert not page.all("button", value="approve")
    assert ada.post(path(own), {"act": "approve", "title": "T"}).status_code == 422
    own.refresh_from_db()
    assert own.status == "pending"


@pytest.mark.parametrize("act", ["approve", "reject", "reopen", "revert", "withdraw"])
def test_acts_that_no_longer_fit_do_nothing(ada, act):
    change = propose_create("bad", by=ADA)
    ada.post(path(change), {"act": "reject", "title": "T", "reason": "No."})
    ada.post(path(change), {"act": act, "title": "T", "reason": "Again."})
    change.refresh_from_db()
    assert (change.status, change.reject_reason) == ("rejected", "No.")
    assert "Nothing was d" in show(ada, change).text or act in ("approve", "reject")


@pytest.mark.parametrize("number", ["0", "999999", "99999999999999999999"])
def test_what_is_not_there_is_not_found(ada, number):
    assert ada.get(f"{QUEUE}{number}/").status_code == 404
    assert ada.post(f"{QUEUE}{number}/", {"act": "approve"}).status_code == 404


def test_an_unknown_act_is_not_found(ada, edit):
    assert ada.post(path(edit), {"act": "destroy"}).status_code == 404


def test_the_page_of_a_change_takes_few_queries(ada, edit, django_assert_max_num_queries):
    ada.post(path(edit), {"act": "comment", "text": "Words."})
    ada.get(path(edit))
    with django_assert_max_num_queries(30):
        ada.get(path(edit, "?show=critical"))
