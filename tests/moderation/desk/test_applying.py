"""Applying at the desk: a dry run, conflicts that need more than a click, and forms that may be sent twice."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from moderation.desk import applying, applying_preview
from moderation.models import AuditEvent, PendingChange
from moderation.services import change_apply
from references.models import ModelRecord
from references.services import record_delete
from tests.moderation.factories import (
    ADA,
    IMAGES,
    RAVI,
    apply_at_once,
    approve,
    make_live,
    propose_create,
    propose_delete,
    propose_update,
)
from tests.references.pages.html import Page

pytestmark = pytest.mark.django_db
APPLY = "/admin/apply/"
HOSTILE = "<script>alert('x')</script>"


@pytest.fixture
def ada(sign_in) -> Client:
    return sign_in("Ada")


def filled(page: Page, **changed: object) -> dict:
    """The dry run's form as a browser would send it, and what else was filled in."""
    sent: dict = {"change_ids": [], "overwrite": []}
    for field in page.all("input"):
        if field.get("type") == "hidden" and field["name"] != "csrfmiddlewaretoken":
            sent[field["name"]] = field["value"]
        elif field.get("type") == "checkbox" and "checked" in field:
            sent[field["name"]].append(field["value"])
    sent.pop("next", None)
    return {**sent, **changed}


def consents(page: Page) -> list[str]:
    return [field["value"] for field in page.all("input", name="overwrite")]


def description(name: str) -> str:
    return ModelRecord.objects.get(category=IMAGES, name=name).as_dict()["description"]


def conflict() -> tuple[PendingChange, PendingChange]:
    """A stale change and one that can be applied, both approved."""
    make_live("painter", description="first")
    stale, fine = propose_update("painter", description="from Rita"), propose_create("newcomer")
    make_live("painter", description="from somebody else")
    approve(stale, fine)
    return stale, fine


def test_only_approvers_come_in(sign_in, client):
    approve(propose_create("painter"))
    for visitor in (client, sign_in("Rita")):
        assert visitor.get(APPLY).headers["Location"] == f"/admin/login/?next={APPLY}"
        assert visitor.post(APPLY, {"change_ids": "1"}).status_code == 302
    assert PendingChange.objects.applied().count() == 0


def test_a_dry_run_writes_nothing_and_lists_conflicts_first(ada):
    stale, fine = conflict()
    before = AuditEvent.objects.count()
    page = Page(ada.get(APPLY))
    assert "1 conflict, and 1 change that can be applied as it is." in page.text
    assert page.text.index("painter changed") < page.text.index("newcomer")
    assert (
        "Model 'painter' was changed after this change was proposed. Clashing fields: description."
        in page.text
    )
    assert "description clash first from somebody else from Rita" in page.text
    assert [box["value"] for box in page.all("input", name="change_ids")] == [str(fine.change_id)]
    assert [box.split(":")[0] for box in consents(page)] == [str(stale.change_id)]
    assert all("checked" not in box for box in page.all("input", name="overwrite"))
    assert AuditEvent.objects.count() == before
    assert PendingChange.objects.approved().count() == 2


def test_what_can_be_applied_is_applied_and_conflicts_stay_behind(ada):
    stale, fine = conflict()
    response = ada.post(APPLY, filled(Page(ada.get(APPLY))))
    page = Page(response)
    assert response.status_code == 200
    assert "1 change is live." in page.text
    assert "1 change of batch 1 stayed behind and now waits in batch 2" in page.text
    assert "/admin/batches/2/" in page.links
    assert len(page.all("div", **{"class": "result-panel", "role": "status"})) == 1
    assert (description("painter"), ModelRecord.objects.filter(name="newcomer").count()) == (
        "from somebody else",
        1,
    )
    stale.refresh_from_db()
    assert (stale.status, stale.batch_id) == ("approved", 2)


def test_overwriting_takes_a_tick_and_the_word(ada):
    stale, _ = conflict()
    page = Page(ada.get(APPLY))
    ticked = filled(page, overwrite=consents(page))
    for word in ("", "yes", "overwrit"):
        response = ada.post(APPLY, {**ticked, "confirm": word})
        assert response.status_code == 400
        refused = Page(response)
        assert "To overwrite what others changed, type overwrite below." in refused.text
        assert "checked" in refused.all("input", name="overwrite")[0]
    assert description("painter") == "from somebody else"
    done = Page(ada.post(APPLY, {**ticked, "confirm": " Overwrite "}))
    assert "2 changes are live." in done.text
    assert description("painter") == "from Rita"
    stale.refresh_from_db()
    assert stale.applied_username == "Ada#900"


def test_the_word_alone_overwrites_nothing(ada):
    conflict()
    ada.post(APPLY, filled(Page(ada.get(APPLY)), confirm="overwrite"))
    assert description("painter") == "from somebody else"


def test_what_moved_again_since_the_dry_run_is_not_overwritten(ada):
    conflict()
    page = Page(ada.get(APPLY))
    make_live("painter", description="a third hand")
    response = ada.post(APPLY, filled(page, overwrite=consents(page), confirm="overwrite"))
    assert response.status_code == 409
    assert "Nothing was applied. Model 'painter' changed while you looked at it." in Page(response).text
    assert description("painter") == "a third hand"
    assert PendingChange.objects.applied().count() == 0


def test_a_conflict_that_came_up_since_is_not_overwritten_along_with_another(ada):
    stale, fine = conflict()
    page = Page(ada.get(APPLY))
    make_live("newcomer", description="somebody was faster")
    response = ada.post(APPLY, filled(page, overwrite=consents(page), confirm="overwrite"))
    assert response.status_code == 409
    assert f"Change {fine.change_id} no longer fits model 'newcomer'." in Page(response).text
    assert PendingChange.objects.applied().count() == 0


def test_a_change_of_the_model_that_another_one_overwrites_is_not_carried_along(ada):
    make_live("painter", description="first")
    stale = propose_update("painter", description="from Rita")
    make_live("painter", description="from somebody else")
    fine = propose_update("painter", description="from Ravi", by=RAVI)
    approve(stale, fine)
    page = Page(ada.get(APPLY))
    response = ada.post(APPLY, filled(page, overwrite=consents(page), confirm="overwrite"))
    assert response.status_code == 409
    assert "apply them one after the other" in Page(response).text
    assert description("painter") == "from somebody else"


def test_the_second_of_two_changes_of_one_model_is_a_conflict(ada):
    make_live("painter", description="first")
    one, two = propose_update("painter", description="one"), propose_update("painter", description="two")
    approve(one, two)
    page = Page(ada.get(APPLY))
    assert [box.split(":")[0] for box in consents(page)] == [str(two.change_id)]
    ada.post(APPLY, filled(page, overwrite=consents(page), confirm="overwrite"))
    assert description("painter") == "two"


def overrun() -> tuple[PendingChange, PendingChange]:
    """What Ravi proposed of the description alone, before Rita's wider change went live."""
    make_live("painter", description="first", nsfw=True, tags=[])
    ravi = propose_update("painter", description="from Ravi", nsfw=True, tags=[], by=RAVI)
    rita = apply_at_once(propose_update("painter", description="from Rita", nsfw=False, tags=["calm"]))
    approve(ravi)
    return rita, ravi


def test_all_that_overwriting_would_lose_is_listed_critical_fields_marked(ada):
    overrun()
    page = Page(ada.get(APPLY))
    table = page.text.partition("What overwriting would lose or change of what others wrote")[2]
    assert table.index("nsfw critical lost true false true") < table.index(
        "description clash first from Rita"
    )
    assert 'tags lost [] [ "calm" ] []' in table
    assert "metadata" not in table.partition("All that overwriting would write")[0]


def test_what_the_proposal_alone_changes_is_no_loss(ada):
    make_live("painter", description="first")
    ravi = propose_update("painter", description="first", version="2", by=RAVI)
    make_live("painter", description="from Rita")
    approve(ravi)
    table = Page(ada.get(APPLY)).text.partition("What overwriting would lose")[2].partition("All that")[0]
    assert "description lost first from Rita first" in table
    assert "version" not in table


def test_the_result_names_what_was_overwritten_and_lost(ada):
    _, ravi = overrun()
    page = Page(ada.get(APPLY))
    done = Page(ada.post(APPLY, filled(page, overwrite=consents(page), confirm="overwrite")))
    assert (
        f"Change {ravi.change_id} overwrote painter. Lost of what others wrote: "
        "nsfw (critical), description , tags ."
    ) in done.text
    assert ModelRecord.objects.get(name="painter").as_dict()["nsfw"] is True


def test_a_conflict_within_one_run_names_the_change_that_comes_first(ada):
    make_live("painter", description="first")
    one, two = propose_update("painter", description="one"), propose_update("painter", description="two")
    approve(one, two)
    page = Page(ada.get(APPLY))
    assert f"Change {one.change_id} of this same dry run writes the model first" in page.text
    assert "was changed after this change was proposed" not in page.text
    assert f"When proposed After change {one.change_id} If overwritten description clash first one two" in (
        page.text
    )
    assert page.text.count("competing") == 2
    for path in ("/admin/batches/", "/admin/batches/1/"):
        assert Page(ada.get(path)).text.count(f"competing with {two.change_id}") == 1


def test_a_record_that_moved_before_the_run_and_in_it_is_told_both(ada):
    make_live("painter", description="first")
    old = propose_update("painter", description="old", by=RAVI)
    make_live("painter", description="moved")
    first = propose_update("painter", description="new")
    PendingChange.objects.filter(pk=old.pk).update(change_id=first.change_id + 1)
    later = PendingChange.objects.get(pk=first.change_id + 1)
    PendingChange.objects.filter(pk=old.change_id).delete()
    approve(first, later)
    page = Page(ada.get(APPLY))
    assert f"Change {first.change_id} of this same dry run writes the model first" in page.text
    assert "was changed after this change was proposed" in page.text


def test_removals_are_not_called_live(ada):
    make_live("painter")
    approve(propose_delete("painter"), propose_create("newcomer"))
    page = Page(ada.post(APPLY, filled(Page(ada.get(APPLY)))))
    assert "1 change is live. 1 model is removed." in page.text
    assert page.text.index("Live now 1 newcomer New") < page.text.index("Removed 1 painter Removal")


def test_a_form_that_is_sent_twice_applies_once(ada):
    conflict()
    page = Page(ada.get(APPLY))
    sent = filled(page, overwrite=consents(page), confirm="overwrite")
    first = Page(ada.post(APPLY, sent))
    events = AuditEvent.objects.count()
    second = ada.post(APPLY, sent)
    assert second.status_code == 200
    assert "2 changes are live." in first.text
    assert "2 changes are live." in Page(second).text
    assert AuditEvent.objects.count() == events


def test_each_dry_run_is_a_job_of_its_own(ada):
    approve(propose_create("painter"))
    jobs = {Page(ada.get(APPLY)).all("input", name="job_id")[0]["value"] for _ in range(2)}
    assert len(jobs) == 2
    change = PendingChange.objects.get()
    sent = filled(Page(ada.get(APPLY)))
    change_apply(actor=ADA, change_id=change.change_id, job_id="another")
    response = ada.post(APPLY, sent)
    assert response.status_code == 400
    page = Page(response)
    assert f"Nothing was applied. Change {change.change_id} was applied by Ada#900." in page.text
    assert f"No longer waiting, and left out: {change.change_id}." in page.text


def test_what_somebody_else_applied_from_their_own_dry_run_is_not_called_failed(ada):
    changes = [propose_create(f"painter {number}") for number in range(8)]
    approve(*changes)
    mine, theirs = (filled(Page(ada.get(APPLY))) for _ in range(2))
    assert ada.post(APPLY, theirs).status_code == 200
    text = Page(ada.post(APPLY, mine)).text
    assert f"Nothing was applied. Change {changes[0].change_id} was applied by Ada#900." in text
    assert "3 more changes of these are not approved." in text
    assert "not tried" not in text


def test_a_selection_or_a_single_change_can_be_looked_at(ada):
    one, two, three = (propose_create(name) for name in ("one", "two", "three"))
    approve(one, two, three)
    page = Page(ada.get(APPLY, {"change_ids": [one.change_id, three.change_id]}))
    shown = [box["value"] for box in page.all("input", name="change_ids")]
    assert shown == [str(one.change_id), str(three.change_id)]
    assert "1 approved change of the batch is not part of this dry run." in page.text
    Page(ada.post(APPLY, filled(page)))
    assert list(PendingChange.objects.approved().values_list("model_name", flat=True)) == ["two"]


def test_what_no_longer_waits_is_named_and_left_out(ada):
    one = propose_create("one")
    approve(one)
    page = Page(ada.get(APPLY, {"change_ids": [one.change_id, 4711]}))
    assert "No longer waiting, and left out: 4711." in page.text
    assert "Nothing waits to be applied." in Page(ada.get(APPLY, {"change_ids": [4711]})).text


@pytest.mark.parametrize("ids", ["nonsense", "0", "-4", "9" * 30, ""])
def test_ids_that_mean_nothing_count_as_not_given(ada, ids):
    approve(propose_create("painter"))
    page = Page(ada.get(APPLY, {"change_ids": ids}))
    assert len(page.all("input", name="change_ids")) == 1


def test_the_dry_run_of_a_batch_is_empty_unless_it_is_open(ada):
    approve(propose_create("painter"))
    assert "1 change that can be applied" in Page(ada.get(f"{APPLY}1/")).text
    for number in (2, 10**30):
        assert "Nothing waits to be applied." in Page(ada.get(f"{APPLY}{number}/")).text


def test_nothing_chosen_applies_nothing(ada):
    approve(propose_create("painter"))
    response = ada.post(APPLY, filled(Page(ada.get(APPLY)), change_ids=[]))
    assert response.status_code == 400
    page = Page(response)
    assert "Choose at least one change." in page.text
    assert "checked" not in page.all("input", name="change_ids")[0]
    assert PendingChange.objects.approved().count() == 1


def test_a_failure_names_the_change_why_and_what_was_not_tried(ada):
    make_live("painter")
    one, two, three = propose_create("one"), propose_delete("painter"), propose_create("three")
    approve(one, two, three)
    sent = filled(Page(ada.get(APPLY)))
    record_delete(category=IMAGES, name="painter")
    response = ada.post(APPLY, sent)
    page = Page(response)
    assert response.status_code == 409
    assert "1 change applied" in page.text
    assert f"Change {two.change_id} failed. Model 'painter' no longer exists (gone)." in page.text
    assert f"Not tried: {three.change_id}." in page.text
    assert "2 changes of batch 1 stayed behind and now wait in batch 2" in page.text


def test_a_change_whose_record_is_no_record_cannot_be_forced(ada):
    change = propose_create("painter")
    approve(change)
    PendingChange.objects.update(payload='{"name":"painter"}')
    page = Page(ada.get(APPLY))
    assert "painter invalid" in page.text
    assert "no longer valid" in page.text
    assert consents(page) == []
    assert page.all("input", name="confirm") == []
    forged = filled(page, overwrite=[f"{change.change_id}:none"], confirm="overwrite")
    assert ada.post(APPLY, forged).status_code == 400
    assert ModelRecord.objects.count() == 0


def test_what_is_there_already_is_said_to_write_nothing(ada):
    change = propose_create("painter", description="same")
    make_live("painter", description="same")
    approve(change)
    page = Page(ada.get(APPLY))
    assert "already so" in page.text
    assert "nothing is written" in page.text


def test_a_long_batch_is_taken_in_parts(ada, monkeypatch):
    monkeypatch.setattr(applying_preview, "MOST_AT_ONCE", 2)
    monkeypatch.setattr(applying, "MOST_AT_ONCE", 2)
    approve(*(propose_create(name) for name in ("one", "two", "three")))
    page = Page(ada.get(APPLY))
    assert len(page.all("input", name="change_ids")) == 2
    assert "1 approved change of the batch is not part of this dry run, which takes 2 at a time." in page.text


def test_the_dry_run_takes_as_many_queries_for_many_changes_as_for_few(ada):
    counts = []
    for wave in range(2):
        approve(*(propose_create(f"{wave}-{number}") for number in range(3)))
        with CaptureQueriesContext(connection) as captured:
            ada.get(APPLY)
        counts.append(len(captured))
    assert counts[0] == counts[1] <= 9


def test_stored_words_stay_words(ada):
    make_live("painter", description="first")
    stale = propose_update("painter", description=HOSTILE)
    make_live("painter", description=f"{HOSTILE} live")
    approve(stale, propose_create("other", description=HOSTILE), title=HOSTILE)
    page = Page(ada.get(APPLY))
    assert [each for each in page.all("script") if not each.get("src", "").startswith("/static/")] == []
    assert f"first {HOSTILE} live {HOSTILE}" in page.text
