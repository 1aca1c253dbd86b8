"""What a reviewer is shown of a change."""

import pytest

from moderation.diffs import ChangeType, NetOperation
from moderation.models import PendingChange
from moderation.presenting import diff_as_dict, diff_page_as_dict
from moderation.review import apply_preview, change_diff, changes_diff
from moderation.services import batch_decide, change_apply, change_propose
from references.services import record_delete, record_put
from tests.factories import make_v2
from tests.moderation.factories import (
    ADA,
    IMAGES,
    LATER,
    RITA,
    apply_at_once,
    approve,
    make_live,
    propose_create,
    propose_delete,
    propose_update,
    stamps,
)

pytestmark = pytest.mark.django_db


def test_an_update_is_compared_with_what_is_live():
    before = make_live("a", description="d", tags=["a", "b"])
    change = propose_update("a", description="better", tags=["a", "c"], homepage="x", metadata=stamps())
    diff = diff_as_dict(change_diff(change))
    assert (diff["current_state"], diff["base_state"]) == (before, before)
    assert diff["proposed_state"] == change.payload_as_dict()
    assert diff["field_diffs"] == [
        {"field_path": "description", "old_value": "d", "new_value": "better", "change_type": "modified"},
        {"field_path": "homepage", "old_value": None, "new_value": "x", "change_type": "added"},
        {
            "field_path": "tags",
            "old_value": ["a", "b"],
            "new_value": ["a", "c"],
            "change_type": "modified",
            "item_diffs": {"added": ["c"], "removed": ["b"]},
        },
    ]
    assert (diff["fields_added"], diff["fields_removed"], diff["fields_modified"]) == (
        ["homepage"],
        [],
        ["description", "tags"],
    )
    assert (diff["net_operation"], diff["is_critical"]) == ("modified", True)
    assert (diff["is_stale"], diff["stale_reason"], diff["conflicting_fields"]) == (False, None, [])


def test_a_delete_lists_every_leaf_as_removed():
    live = make_live("a")
    diff = change_diff(propose_delete("a"))
    assert (diff.proposed_state, diff.net_operation, diff.is_critical) == (None, NetOperation.DELETED, True)
    assert {found.change_type for found in diff.field_diffs} == {ChangeType.REMOVED}
    assert {"baseline", "metadata.created_at", "config.download"} <= set(diff.paths(ChangeType.REMOVED))
    assert diff.current_state == live


def test_a_stale_change_says_why_and_where_it_clashes():
    make_live("a", description="before", nsfw=False)
    change = propose_update("a", description="mine", nsfw=True, metadata=stamps())
    record_put(
        category=IMAGES, name="a", record=make_v2(IMAGES, "a", description="theirs", metadata=stamps())
    )
    diff = diff_as_dict(change_diff(change))
    assert (diff["is_stale"], diff["stale_reason"], diff["conflicting_fields"]) == (
        True,
        "changed",
        ["description"],
    )
    assert diff["base_state"]["description"] == "before"
    assert diff["current_state"]["description"] == "theirs"
    record_delete(category=IMAGES, name="a")
    diff = diff_as_dict(change_diff(change))
    assert (diff["stale_reason"], diff["net_operation"], diff["current_state"]) == ("gone", "added", None)


def test_a_create_of_what_exists_by_now_is_stale():
    change = propose_create("a", description="mine")
    make_live("a", description="theirs")
    diff = change_diff(change)
    assert (diff.staleness.reason, diff.net_operation) == ("exists", NetOperation.MODIFIED)
    assert "description" in diff.staleness.fields


def test_what_is_live_as_proposed_is_not_stale():
    make_live("a", description="before")
    change = propose_update("a", description="mine", metadata=stamps())
    record_put(category=IMAGES, name="a", record=make_v2(IMAGES, "a", description="mine", metadata=stamps(1)))
    diff = change_diff(change)
    assert diff.staleness.reason == "changed"
    record_put(category=IMAGES, name="a", record=change.payload_as_dict())
    diff = change_diff(change)
    assert (diff.staleness, diff.net_operation) == (None, NetOperation.UNCHANGED)


def test_an_applied_change_shows_what_it_did_then():
    before = make_live("a", description="before")
    change = apply_at_once(propose_update("a", description="after"))
    apply_at_once(propose_update("a", description="later"))
    diff = change_diff(change)
    assert diff.current_state == before
    assert diff.proposed_state["description"] == "after"
    assert (diff.net_operation, diff.staleness) == (NetOperation.MODIFIED, None)
    deleted = apply_at_once(propose_delete("a"))
    assert change_diff(deleted).net_operation is NetOperation.DELETED
    created = apply_at_once(propose_create("a"))
    assert change_diff(created).net_operation is NetOperation.ADDED


def test_a_rejected_change_is_never_stale():
    make_live("a", description="before")
    change = propose_update("a", description="mine")
    batch_decide(actor=ADA, title="No", rejected_ids=[change.pk], reject_reason="no")
    record_delete(category=IMAGES, name="a")
    change.refresh_from_db()
    assert change_diff(change).staleness is None


def test_a_page_of_diffs_keeps_the_order_asked_for_and_names_what_is_missing():
    one, two = propose_create("a"), propose_create("b", category="clip")
    asked = [two.pk, 10**9, one.pk, two.pk]
    page = diff_page_as_dict(asked, changes_diff(PendingChange.objects.with_ids(asked)))
    assert [diff["change_id"] for diff in page["diffs"]] == [two.pk, one.pk, two.pk]
    assert page["total"] == 4
    assert page["errors"] == [{"change_id": 10**9, "error": "Change not found", "error_type": "NotFound"}]


def test_many_diffs_take_one_query_for_each_category(django_assert_num_queries):
    for number in range(20):
        make_live(f"a{number}")
        make_live(f"b{number}", category="clip")
    changes = [propose_delete(f"a{number}") for number in range(20)]
    changes += [propose_delete(f"b{number}", category="clip") for number in range(20)]
    with django_assert_num_queries(2):
        assert len(changes_diff(changes)) == 40


def test_a_preview_tells_of_payloads_that_are_none_today():
    change = change_propose(
        actor=RITA, category=IMAGES, name="a", operation="create", payload={"name": "a"}, route="r"
    )
    (conflict,) = apply_preview([change.pk])
    assert (conflict.change, conflict.reason) == (change, None)
    assert "baseline" in conflict.detail


def test_a_preview_follows_the_changes_it_was_given():
    one = propose_create("a")
    approve(one)
    assert apply_preview([one.pk]) == []
    change_apply(actor=ADA, change_id=one.pk, at=LATER)
    assert apply_preview([one.pk]) == []
    two, three = propose_delete("a"), propose_update("a", description="x")
    assert [conflict.reason for conflict in apply_preview([three.pk, two.pk])] == ["changed"]
    assert [conflict.reason for conflict in apply_preview([two.pk, three.pk])] == ["gone"]
