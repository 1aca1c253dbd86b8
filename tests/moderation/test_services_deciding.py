"""Approving, rejecting, withdrawing, reopening, purging."""

import pytest

from moderation import audit
from moderation.models import AuditEvent, Batch, PendingChange
from moderation.problems import PendingChangeNotFoundError
from moderation.querysets import MAX_ID
from moderation.services import (
    batch_apply,
    batch_decide,
    change_apply,
    change_reopen,
    change_withdraw,
    changes_apply,
    open_batch_id,
    queue_purge,
)
from references.models import ModelRecord
from references.problems import BadRequest, Unprocessable
from tests.moderation.factories import (
    ADA,
    BEN,
    IMAGES,
    LATER,
    RAVI,
    RITA,
    apply_at_once,
    approve,
    make_live,
    propose_create,
    propose_delete,
)

pytestmark = pytest.mark.django_db


def ids(changes) -> list[int]:
    return [change.change_id for change in changes]


def actions_of(change: PendingChange) -> list[str]:
    events = AuditEvent.objects.of_changes([change.change_id]).in_order()
    return [event.payload_as_dict()["after"]["action"] for event in events]


def test_one_review_approves_some_and_rejects_others():
    one, two, three, four = (propose_create(name) for name in "abcd")
    decision = batch_decide(
        actor=ADA,
        title=" Batch one ",
        approved_ids=[three.pk, one.pk, two.pk, two.pk, 0, -5],
        rejected_ids=[four.pk],
        reject_reason=" Licence not clear ",
        at=LATER,
    )
    assert (decision.batch_id, decision.batch_title) == (1, "Batch one")
    assert ids(decision.approved) == [one.pk, two.pk, three.pk]
    one.refresh_from_db()
    assert (one.status, one.batch_id, one.batch_title, one.updated_at) == ("approved", 1, "Batch one", LATER)
    assert (one.approved_by, one.approved_username, one.approved_at) == ("900", "Ada#900", LATER)
    four.refresh_from_db()
    assert (four.status, four.batch_id, four.batch_title) == ("rejected", 1, "Batch one")
    assert (four.rejected_by, four.rejected_at, four.reject_reason) == ("900", LATER, "Licence not clear")
    assert actions_of(one) == ["enqueue", "approve"]
    assert actions_of(four) == ["enqueue", "reject"]


def test_a_review_that_only_rejects_has_a_title_and_no_number():
    change = propose_create("a")
    decision = batch_decide(actor=ADA, title="No", rejected_ids=[change.pk], reject_reason="no")
    change.refresh_from_db()
    assert (decision.batch_id, change.batch_id, change.batch_title) == (None, None, "No")
    assert not Batch.objects.exists()
    assert approve(propose_create("b")) == 1


def test_approvals_join_the_open_batch_and_keep_their_own_title():
    first, late = propose_create("a"), propose_create("b")
    assert approve(first, title="Batch one") == 1
    assert approve(late, title="Late joiner", by=BEN) == 1
    assert (first.batch_title, late.batch_title) == ("Batch one", "Late joiner")
    batch = Batch.objects.get()
    assert (batch.title, batch.approved_by) == ("Late joiner", "900")


def test_a_closed_batch_is_followed_by_a_new_one():
    apply_at_once(propose_create("a"))
    assert open_batch_id() is None
    assert approve(propose_create("b")) == 2


@pytest.mark.parametrize(
    ("approved", "rejected", "title", "reason"),
    [
        ([], [], "T", "r"),
        ([0, -1], [], "T", None),
        ([1], [], "  ", None),
        ([], [1], "T", None),
        ([], [1], "T", "  "),
        ([1], [1], "T", "r"),
        ([1], [], "x" * 121, None),
        ([], [1], "T", "x" * 501),
    ],
)
def test_a_review_that_makes_no_sense_is_refused(approved, rejected, title, reason):
    with pytest.raises(Unprocessable):
        batch_decide(
            actor=ADA, title=title, approved_ids=approved, rejected_ids=rejected, reject_reason=reason
        )


def test_one_bad_id_changes_nothing_and_uses_up_no_number():
    good, done = propose_create("a"), propose_create("b")
    batch_decide(actor=ADA, title="No", rejected_ids=[done.pk], reject_reason="no")
    events = AuditEvent.objects.count()
    for bad, words in (
        (MAX_ID, f"Change {MAX_ID} does not exist."),
        (MAX_ID + 1, f"Change {MAX_ID + 1} does not exist."),
        (done.pk, f"Change {done.pk} is not pending (status=rejected)."),
    ):
        with pytest.raises(BadRequest) as refused:
            batch_decide(actor=ADA, title="T", approved_ids=[good.pk, bad])
        assert str(refused.value.detail) == words
    good.refresh_from_db()
    assert good.status == "pending"
    assert AuditEvent.objects.count() == events
    assert approve(good) == 1


def test_own_changes_may_be_approved_unless_the_deployment_forbids_it(settings):
    mine, theirs = propose_create("a", by=ADA), propose_create("b")
    settings.QUEUE_FORBID_SELF_APPROVAL = True
    with pytest.raises(BadRequest, match="someone else"):
        batch_decide(actor=ADA, title="T", approved_ids=[theirs.pk, mine.pk])
    batch_decide(actor=ADA, title="T", rejected_ids=[mine.pk], reject_reason="changed my mind")
    settings.QUEUE_FORBID_SELF_APPROVAL = False
    assert approve(propose_create("c", by=ADA)) == 1


@pytest.mark.parametrize(("reason", "stored"), [(None, "Withdrawn by the requestor"), (" typo ", "typo")])
def test_the_requestor_can_withdraw_a_pending_change(reason, stored):
    change = propose_create("a")
    change_withdraw(actor=RITA, change_id=change.pk, reason=reason, at=LATER)
    change.refresh_from_db()
    assert (change.status, change.reject_reason, change.rejected_by) == ("rejected", stored, "101")
    assert (change.batch_id, change.batch_title, change.updated_at) == (None, None, LATER)
    assert actions_of(change) == ["enqueue", "withdraw"]


def test_a_reason_to_withdraw_may_be_too_long():
    change = propose_create("a")
    with pytest.raises(Unprocessable, match="501 of at most 500"):
        change_withdraw(actor=RITA, change_id=change.pk, reason="x" * 501)
    change_withdraw(actor=RITA, change_id=change.pk, reason="x" * 500)


def test_changes_of_others_can_be_withdrawn_by_approvers_alone():
    change = propose_create("a")
    for number in (change.pk, MAX_ID):
        with pytest.raises(PendingChangeNotFoundError):
            change_withdraw(actor=RAVI, change_id=number)
    assert change_withdraw(actor=ADA, change_id=change.pk, as_approver=True).status == "rejected"


def test_a_reopened_change_is_as_undecided_as_before():
    change = propose_create("a")
    batch_id = approve(change)
    change_reopen(actor=ADA, change_id=change.pk, reason="too early", at=LATER)
    change.refresh_from_db()
    assert (change.status, change.updated_at) == ("pending", LATER)
    assert [change.batch_id, change.batch_title, change.approved_by, change.approved_at] == [None] * 4
    event = AuditEvent.objects.of_changes([change.pk]).in_order().last()
    after = event.payload_as_dict()["after"]
    assert (after["action"], after["reason"], after["batch_id"]) == ("reopen", "too early", batch_id)
    assert approve(change) == batch_id + 1


def test_reopening_one_of_two_leaves_the_batch_open():
    one, two = propose_create("a"), propose_create("b")
    number = approve(one, two)
    change_reopen(actor=ADA, change_id=one.pk)
    assert open_batch_id() == number
    result = batch_apply(actor=ADA, batch_id=number)
    assert (ids(result.applied), result.split) == ([two.pk], None)


def test_nothing_is_purged_without_a_filter():
    for filters in ({}, {"model_name": "  "}, {"statuses": [], "change_ids": []}):
        with pytest.raises(Unprocessable):
            queue_purge(actor=ADA, **filters)
    assert queue_purge(actor=ADA, purge_all=True).removed_change_ids == ()


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"statuses": ["pending"]}, "bd"),
        ({"statuses": ["approved", "rejected"]}, "ac"),
        ({"categories": ["clip"]}, "d"),
        ({"requested_by": ["102", "nobody"]}, "b"),
        ({"model_name": " NAME A"}, "a"),
        ({"batch_id": 1}, "a"),
        ({"statuses": ["pending"], "categories": ["clip"]}, "d"),
        ({"purge_all": True, "requested_by": ["102"]}, "b"),
        ({"purge_all": True}, "abcd"),
        ({"model_name": "100%"}, ""),
        ({"change_ids": [MAX_ID + 1]}, ""),
    ],
)
def test_a_purge_takes_what_every_filter_lets_through(filters, expected):
    changes = {
        "a": propose_create("name a"),
        "b": propose_create("name b", by=RAVI),
        "c": propose_create("name c"),
        "d": propose_create("name d", category="clip"),
    }
    approve(changes["a"])
    batch_decide(actor=ADA, title="No", rejected_ids=[changes["c"].pk], reject_reason="no")
    wanted = tuple(changes[key].pk for key in expected)
    dry = queue_purge(actor=ADA, dry_run=True, **filters)
    assert (dry.removed_change_ids, dry.dry_run) == (wanted, True)
    assert PendingChange.objects.count() == 4
    purged = queue_purge(actor=ADA, **filters)
    assert (purged.removed_change_ids, purged.dry_run) == (wanted, False)
    assert set(ids(PendingChange.objects.all())) == set(ids(changes.values())) - set(wanted)
    for number in wanted:
        event = AuditEvent.objects.of_changes([number]).in_order().last()
        assert event.payload_as_dict()["after"]["purged_by_username"] == "Ada#900"


def test_a_purged_change_is_gone_for_everyone():
    pending, approved = propose_create("a"), propose_create("b")
    number = approve(approved)
    queue_purge(actor=ADA, purge_all=True)
    for change in (pending, approved):
        with pytest.raises(PendingChangeNotFoundError):
            change_apply(actor=ADA, change_id=change.pk)
        with pytest.raises(PendingChangeNotFoundError):
            changes_apply(actor=ADA, change_ids=[change.pk])
        with pytest.raises(BadRequest, match="does not exist"):
            batch_decide(actor=ADA, title="T", approved_ids=[change.pk])
        with pytest.raises(PendingChangeNotFoundError):
            change_withdraw(actor=RITA, change_id=change.pk)
        with pytest.raises(PendingChangeNotFoundError):
            change_reopen(actor=ADA, change_id=change.pk)
    assert audit.current("v2") == []
    fresh = propose_create("a")
    assert fresh.change_id > approved.change_id
    assert approve(fresh) == number + 1


def test_purging_the_last_approved_change_closes_the_batch():
    change = propose_create("a")
    approve(change)
    queue_purge(actor=ADA, change_ids=[change.pk])
    assert open_batch_id() is None


def test_purging_applied_changes_leaves_what_they_made():
    make_live("old")
    apply_at_once(propose_create("new"))
    apply_at_once(propose_delete("old"))
    queue_purge(actor=ADA, statuses=["applied"])
    assert not PendingChange.objects.exists()
    assert list(ModelRecord.objects.in_category(IMAGES).names()) == ["new"]
