"""How changes and results are spelled in answers."""

import pytest

from moderation.presenting import (
    bulk_apply_as_dict,
    change_as_dict,
    decision_as_dict,
    overlay,
    purge_as_dict,
    single_apply_as_dict,
)
from moderation.services import batch_apply, batch_decide, change_apply, change_propose, queue_purge
from tests.factories import make_v2
from tests.moderation.factories import (
    ADA,
    EARLY,
    IMAGES,
    LATER,
    RITA,
    apply_at_once,
    approve,
    make_live,
    propose_create,
    propose_delete,
    propose_update,
)
from tests.recorded import golden

pytestmark = pytest.mark.django_db


def recorded(step: str) -> dict:
    (found,) = [found["response"] for found in golden("queue_scenario.json")[1:] if found["step"] == step]
    return found


def test_a_fresh_change_has_the_members_recorded_and_no_null():
    change = propose_create("fresh")
    shown = change_as_dict(change, omit_null=True)
    assert list(shown) == list(recorded("create-1"))
    assert (shown["change_id"], shown["status"], shown["payload"]) == (
        change.pk,
        "pending",
        change.payload_as_dict(),
    )
    assert None not in shown.values()


def test_a_text_change_names_its_variants():
    shown = change_as_dict(propose_create("Org/New-13B", category="text_generation"), omit_null=True)
    assert set(shown) == set(recorded("create-6-text"))
    assert shown["related_models"] == recorded("create-6-text")["related_models"]
    assert "parameters" in shown["payload"]


def test_with_nulls_every_member_is_there():
    shown = change_as_dict(propose_create("fresh"), omit_null=False)
    assert set(shown) == set(recorded("get-1"))
    assert (shown["notes"], shown["batch_id"], shown["related_models"]) == (None, None, None)


def test_nulls_inside_a_payload_are_left_alone():
    payload = {**make_v2(IMAGES, "a"), "style": None}
    change = change_propose(
        actor=RITA, category=IMAGES, name="a", operation="create", payload=payload, route="r"
    )
    assert change_as_dict(change, omit_null=True)["payload"]["style"] is None


def test_a_decision_lists_both_kinds_with_nulls():
    one, two = propose_create("a"), propose_create("b")
    decision = batch_decide(
        actor=ADA, title="Batch one", approved_ids=[one.pk], rejected_ids=[two.pk], reject_reason="no"
    )
    shown = decision_as_dict(decision)
    assert set(shown) == set(recorded("batch-approve-reject"))
    assert (shown["batch_id"], shown["batch_title"]) == (1, "Batch one")
    assert (shown["approved"][0]["change_id"], shown["approved"][0]["rejected_by"]) == (one.pk, None)
    assert (shown["rejected"][0]["change_id"], shown["rejected"][0]["reject_reason"]) == (two.pk, "no")


def test_an_apply_tells_of_its_split():
    one, two = propose_create("a"), propose_create("b")
    number = approve(one, two)
    shown = single_apply_as_dict(change_apply(actor=ADA, change_id=one.pk, job_id="job-1"))
    assert set(shown) == set(recorded("apply-1-split"))
    assert set(shown["record"]) == set(recorded("apply-1-split")["record"])
    assert shown["batch_split_occurred"] is True
    assert (shown["batch_split_original_batch_id"], shown["batch_split_new_batch_id"]) == (number, number + 1)
    assert shown["batch_split_reassigned_count"] == 1


def test_a_bulk_apply_leaves_out_what_did_not_happen():
    number = approve(propose_create("a"))
    shown = bulk_apply_as_dict(batch_apply(actor=ADA, batch_id=number))
    assert set(shown) == {"applied", "batch_split_occurred"}
    assert shown["batch_split_occurred"] is False
    assert [change["status"] for change in shown["applied"]] == ["applied"]


def test_a_bulk_apply_that_failed_says_at_what():
    one, two = propose_create("a"), propose_create("a", version="2")
    number = approve(one, two)
    shown = bulk_apply_as_dict(batch_apply(actor=ADA, batch_id=number))
    assert [change["change_id"] for change in shown["applied"]] == [one.pk]
    assert (shown["failed_change_id"], shown["failed_error_type"]) == (two.pk, "PendingChangeConflictError")
    assert shown["failed_error"].startswith("Model 'a' ")
    assert shown["batch_split_reassigned_count"] == 1


def test_a_purge_counts_what_it_lists():
    change = propose_create("a")
    shown = purge_as_dict(queue_purge(actor=ADA, purge_all=True, dry_run=True))
    assert shown == {"removed_count": 1, "removed_change_ids": [change.pk], "dry_run": True}


def test_the_overlay_shows_the_latest_word_on_every_model():
    make_live("live")
    make_live("gone")
    propose_delete("gone")
    first = propose_create("a", description="first")
    propose_create("a", description="second")
    propose_update("live", description="mine")
    propose_create("other", category="clip")
    apply_at_once(propose_create("applied"))
    rejected = propose_create("rejected")
    batch_decide(actor=ADA, title="T", rejected_ids=[rejected.pk], reject_reason="no", at=EARLY)
    assert {name: record.get("description") for name, record in overlay(IMAGES).items()} == {
        "a": "second",
        "live": "mine",
    }
    batch_decide(actor=ADA, title="T", approved_ids=[first.pk], at=LATER)
    assert overlay(IMAGES)["a"]["description"] == "first"
    assert overlay("lora") == {}
