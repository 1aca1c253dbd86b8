"""Views over what was done."""

import pytest

from moderation import audit
from moderation.diffs import NetOperation
from moderation.models import AuditEvent
from moderation.presenting import (
    batch_detail_as_dict,
    batch_page_as_dict,
    batch_summary_as_dict,
    current_as_dict,
    net_changes_as_dict,
)
from moderation.querysets import MAX_ID
from moderation.services import (
    batch_apply,
    batch_decide,
    change_apply,
    change_reopen,
    changes_apply,
    queue_purge,
)
from tests.moderation.factories import (
    ADA,
    BEN,
    EARLY,
    IMAGES,
    LATER,
    RAVI,
    apply_at_once,
    approve,
    make_live,
    propose_create,
    propose_delete,
    propose_update,
    stamps,
)

pytestmark = pytest.mark.django_db


def ids(audited) -> list[int]:
    return [item.change.change_id for item in audited]


def summaries() -> list[dict]:
    return [batch_summary_as_dict(summary) for summary in audit.batches_page("v2", limit=50).summaries]


def test_current_shows_what_is_pending_with_the_latest_first():
    one, two, three = (propose_create(name) for name in "abc")
    approve(two)
    assert ids(audit.current("v2")) == [three.pk, one.pk]
    shown = current_as_dict("v2", audit.current("v2"), at=LATER)
    assert {key: shown[key] for key in ("domain", "total_pending", "generated_at")} == {
        "domain": "v2",
        "total_pending": 2,
        "generated_at": LATER,
    }
    event = AuditEvent.objects.of_changes([one.pk]).get()
    assert shown["pending_changes"][1] == {
        "change_id": one.pk,
        "status": "pending",
        "operation": "create",
        "category": IMAGES,
        "model_name": "a",
        "requested_by": "101",
        "requested_at": one.requested_at,
        **dict.fromkeys(("approved_by", "approved_at", "rejected_by", "rejected_at", "reject_reason")),
        **dict.fromkeys(("applied_by", "applied_at", "applied_job_id", "batch_id", "batch_title")),
        "events": [
            {
                "event_id": event.event_id,
                "timestamp": one.requested_at,
                "action": "enqueue",
                "logical_user_id": "101",
                "payload": {
                    "action": "enqueue",
                    "change_id": one.pk,
                    "operation": "create",
                    "category": IMAGES,
                    "model": "a",
                },
            }
        ],
    }


def test_changes_of_the_other_form_are_in_the_view_of_the_other_domain():
    propose_create("a")
    approve(propose_create("b"))
    assert audit.current("legacy") == []
    assert audit.batches_page("legacy").summaries == []
    assert audit.batch_detail("legacy", 1) is None
    assert audit.batch_net_changes("legacy", 1) is None


def test_a_summary_counts_members_and_a_split_moves_them():
    one, two, three, four, five = (propose_create(name) for name in "abcde")
    batch_decide(
        actor=ADA,
        title="Batch one",
        approved_ids=[one.pk, two.pk, three.pk],
        rejected_ids=[four.pk],
        reject_reason="no",
        at=EARLY,
    )
    batch_decide(actor=BEN, title="Late joiner", approved_ids=[five.pk], at=LATER)
    last = AuditEvent.objects.last().event_id
    expected = {
        "batch_id": 1,
        "batch_title": "Late joiner",
        "approved_by": "900",
        "approved_at": EARLY,
        "applied_at": None,
        "approved_change_count": 4,
        "rejected_change_count": 1,
        "applied_change_count": 0,
        "total_change_count": 5,
        "last_event_id": last,
    }
    assert summaries() == [expected]
    change_apply(actor=ADA, change_id=one.pk, at=LATER + 1)
    last = AuditEvent.objects.last().event_id
    counts = {"rejected_change_count": 0, "approved_change_count": 3, "total_change_count": 3}
    assert summaries() == [
        {**expected, **counts, "batch_id": 2, "last_event_id": last},
        {
            **expected,
            "batch_title": "Batch one",
            "applied_at": LATER + 1,
            "approved_change_count": 1,
            "applied_change_count": 1,
            "total_change_count": 2,
            "last_event_id": last,
        },
    ]


def test_batches_are_paged_down_to_the_first_without_gap_or_repeat():
    for name in "abcde":
        apply_at_once(propose_create(name))
    seen, cursor = [], None
    while True:
        page = batch_page_as_dict("v2", audit.batches_page("v2", cursor=cursor, limit=2))
        seen += [batch["batch_id"] for batch in page["batches"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == [5, 4, 3, 2, 1]
    assert audit.batches_page("v2", cursor=3, limit=2).next_cursor is None
    assert audit.batches_page("v2", cursor=1).summaries == []
    assert len(audit.batches_page("v2", cursor=MAX_ID + 1).summaries) == 5


def test_a_page_of_batches_costs_the_same_however_large_they_are(django_assert_num_queries):
    for name in "abcd":
        change = propose_create(name)
        approve(change, propose_create(f"{name}2"))
        change_apply(actor=ADA, change_id=change.pk)
    with django_assert_num_queries(2):
        assert len(audit.batches_page("v2").summaries) == 5


def test_a_batch_shows_its_members_and_what_was_done_to_each():
    one, two, three = propose_create("a"), propose_create("b", by=RAVI), propose_create("c")
    decision = batch_decide(
        actor=ADA, title="T", approved_ids=[one.pk, three.pk], rejected_ids=[two.pk], reject_reason="no"
    )
    change_apply(actor=ADA, change_id=one.pk, job_id="job-1")
    detail = batch_detail_as_dict(audit.batch_detail("v2", decision.batch_id))
    assert [change["change_id"] for change in detail["changes"]] == [one.pk, two.pk]
    applied, rejected = detail["changes"]
    assert [event["action"] for event in applied["events"]] == ["enqueue", "approve", "apply"]
    assert applied["events"][1]["payload"] == {
        "action": "approve",
        "change_id": one.pk,
        "batch_id": 1,
        "batch_title": "T",
    }
    assert applied["events"][2]["payload"] == {
        "action": "apply",
        "change_id": one.pk,
        "batch_id": 1,
        "job_id": "job-1",
    }
    assert rejected["events"][1]["payload"] == {
        "action": "reject",
        "change_id": two.pk,
        "batch_id": 1,
        "batch_title": "T",
        "reason": "no",
    }
    assert detail["total_change_count"] == 2


@pytest.mark.parametrize("number", [0, -1, 99, MAX_ID + 1])
def test_an_unknown_batch_is_none(number):
    assert audit.batch_detail("v2", number) is None
    assert audit.batch_net_changes("v2", number) is None


def test_what_was_purged_stays_in_its_batch():
    one, two = propose_create("a"), propose_create("b")
    number = batch_decide(
        actor=ADA, title="T", approved_ids=[one.pk], rejected_ids=[two.pk], reject_reason="no"
    ).batch_id
    batch_apply(actor=ADA, batch_id=number)
    before = summaries()
    queue_purge(actor=ADA, purge_all=True)
    detail = batch_detail_as_dict(audit.batch_detail("v2", number))
    assert [change["events"][-1]["action"] for change in detail["changes"]] == ["purge", "purge"]
    assert detail["changes"][0]["events"][-1]["payload"] == {
        "action": "purge",
        "change_id": one.pk,
        "category": IMAGES,
        "model": "a",
        "requested_by": "101",
        "purged_by_username": "Ada#900",
    }
    last = AuditEvent.objects.last().event_id
    assert summaries() == [{**before[0], "last_event_id": last}]
    assert [change.model_name for change in audit.batch_net_changes("v2", number)[1]] == ["a"]


def test_a_batch_that_was_reopened_to_the_last_is_shown_no_more():
    change = propose_create("a")
    number = approve(change)
    change_reopen(actor=ADA, change_id=change.pk)
    assert audit.batch_detail("v2", number) is None
    assert summaries() == []


def test_net_changes_tell_what_a_batch_added_changed_and_removed():
    before = {name: make_live(name, description="before") for name in ("changed", "removed")}
    changes = [propose_create("added"), propose_update("changed", nsfw=True), propose_delete("removed")]
    rejected = propose_create("rejected")
    number = batch_decide(
        actor=ADA,
        title="T",
        approved_ids=[change.pk for change in changes],
        rejected_ids=[rejected.pk],
        reject_reason="no",
    ).batch_id
    batch, nothing = audit.batch_net_changes("v2", number)
    assert net_changes_as_dict("v2", batch, nothing, at=LATER) == {
        "batch_id": number,
        "batch_title": "T",
        "domain": "v2",
        "model_changes": [],
        "models_added": 0,
        "models_modified": 0,
        "models_deleted": 0,
        "models_unchanged": 0,
        "total_field_changes": 0,
        "has_critical_changes": False,
        "generated_at": LATER,
    }
    changes_apply(actor=ADA, change_ids=[change.pk for change in reversed(changes)], at=LATER)
    shown = net_changes_as_dict("v2", *audit.batch_net_changes("v2", number))
    assert [
        (model["model_name"], model["net_operation"], model["is_critical"])
        for model in shown["model_changes"]
    ] == [("removed", "deleted", True), ("changed", "modified", True), ("added", "added", True)]
    removed, changed, added = shown["model_changes"]
    assert (removed["before_state"], removed["after_state"]) == (before["removed"], None)
    assert (changed["before_state"], added["before_state"]) == (before["changed"], None)
    assert added["after_state"]["metadata"]["created_at"] == LATER
    assert [diff["field_path"] for diff in changed["field_diffs"]] == [
        "description",
        "metadata.updated_at",
        "nsfw",
    ]
    counts = {key: value for key, value in shown.items() if key.startswith("models_")}
    assert counts == {"models_added": 1, "models_modified": 1, "models_deleted": 1, "models_unchanged": 0}
    assert shown["total_field_changes"] == sum(len(model["field_diffs"]) for model in shown["model_changes"])
    assert shown["has_critical_changes"] is True


def test_several_steps_on_one_model_are_one_net_change():
    make_live("a", description="before")
    one, two = propose_update("a", description="first"), propose_update("a", description="second")
    number = approve(one, two)
    batch_apply(actor=ADA, batch_id=number, on_conflict="overwrite")
    _, (net,) = audit.batch_net_changes("v2", number)
    assert (net.before["description"], net.after["description"]) == ("before", "second")
    assert net.change_ids == (one.pk, two.pk)


def test_a_model_removed_and_made_again_with_equal_content_is_unchanged():
    make_live("a", description="same")
    delete = apply_at_once(propose_delete("a"))
    again = apply_at_once(propose_create("a", description="same", metadata=stamps(LATER)))
    (net,) = audit.net_changes([again, delete])
    assert (net.net_operation, net.field_diffs) == (NetOperation.UNCHANGED, [])


def test_the_history_of_a_model_is_every_write_of_it():
    make_live("a", description="before")
    apply_at_once(propose_update("a", description="after"))
    apply_at_once(propose_delete("a"))
    make_live("a", category="clip")
    assert [event.operation for event in audit.model_history(IMAGES, "a")] == ["create", "update", "delete"]
    assert audit.last_event_id() == AuditEvent.objects.count()
