"""Reverting: ordinary proposals that bring back what was there."""

import pytest
from rest_framework.exceptions import NotFound

from moderation.models import PendingChange
from moderation.problems import (
    PendingChangeConflictError,
    PendingChangeNotFoundError,
    PendingChangeStateError,
)
from moderation.querysets import MAX_ID
from moderation.services import batch_apply, batch_revert, change_apply, change_revert, queue_purge
from references.models import ModelRecord
from references.problems import BadRequest
from references.services import record_put
from tests.moderation.factories import (
    ADA,
    IMAGES,
    RITA,
    apply_at_once,
    approve,
    make_live,
    propose_create,
    propose_delete,
    propose_update,
)

pytestmark = pytest.mark.django_db


def live() -> dict[str, dict]:
    return {stored.name: stored.as_dict() for stored in ModelRecord.objects.in_category(IMAGES)}


def without_time(record: dict) -> dict:
    return {**record, "metadata": {**record["metadata"], "updated_at": None}}


def test_nothing_is_written_until_the_revert_is_reviewed_and_applied():
    before = make_live("a", description="before")
    change = apply_at_once(propose_update("a", description="after"))
    revert = change_revert(actor=RITA, change_id=change.pk)
    assert (revert.status, revert.operation, revert.requested_by) == ("pending", "update", "101")
    assert revert.request_metadata_as_dict() == {"route": "revert_change", "reverts": [change.pk]}
    assert live()["a"]["description"] == "after"
    apply_at_once(revert)
    assert without_time(live()["a"]) == without_time(before)


def test_a_create_is_reverted_by_a_delete_and_a_delete_by_a_create():
    before = make_live("old")
    create, delete = apply_at_once(propose_create("new")), apply_at_once(propose_delete("old"))
    reverts = [change_revert(actor=RITA, change_id=change.pk) for change in (create, delete)]
    assert [(revert.operation, revert.model_name) for revert in reverts] == [
        ("delete", "new"),
        ("create", "old"),
    ]
    batch_apply(actor=ADA, batch_id=approve(*reverts))
    assert live() == {"old": before}


def test_what_was_stored_before_may_come_back_even_if_it_could_not_be_proposed_today():
    record_put(category=IMAGES, name="a", record={"name": "a", "baseline": "forgotten", "extra": 1})
    change = apply_at_once(propose_update("a"))
    apply_at_once(change_revert(actor=RITA, change_id=change.pk))
    assert (live()["a"]["baseline"], live()["a"]["extra"]) == ("forgotten", 1)


def test_a_revert_of_a_model_that_went_on_conflicts_like_any_change():
    make_live("a", description="before")
    change = apply_at_once(propose_update("a", description="after"))
    revert = change_revert(actor=RITA, change_id=change.pk)
    apply_at_once(propose_update("a", description="later"))
    approve(revert)
    with pytest.raises(PendingChangeConflictError, match="changed"):
        change_apply(actor=ADA, change_id=revert.pk)


def test_only_applied_changes_that_did_something_can_be_reverted():
    make_live("a")
    with pytest.raises(PendingChangeNotFoundError):
        change_revert(actor=RITA, change_id=MAX_ID + 1)
    with pytest.raises(PendingChangeStateError):
        change_revert(actor=RITA, change_id=propose_create("b").pk)
    unchanged = apply_at_once(propose_update("a", metadata={}))
    with pytest.raises(BadRequest, match="changed nothing"):
        change_revert(actor=RITA, change_id=unchanged.pk)


def test_a_batch_is_reverted_as_a_whole():
    before = {name: make_live(name, description="before") for name in ("a", "b")}
    changes = [propose_update("a", description="one"), propose_delete("b"), propose_create("c")]
    number = approve(*changes)
    batch_apply(actor=ADA, batch_id=number)
    reverts = batch_revert(actor=RITA, batch_id=number)
    assert [(revert.operation, revert.model_name) for revert in reverts] == [
        ("delete", "c"),
        ("create", "b"),
        ("update", "a"),
    ]
    batch_apply(actor=ADA, batch_id=approve(*reverts))
    assert {name: without_time(record) for name, record in live().items()} == {
        name: without_time(record) for name, record in before.items()
    }


def test_several_changes_of_one_model_are_reverted_by_one():
    make_live("a", description="before")
    one = propose_update("a", description="first")
    two = propose_update("a", description="second")
    number = approve(one, two)
    batch_apply(actor=ADA, batch_id=number, on_conflict="overwrite")
    (revert,) = batch_revert(actor=RITA, batch_id=number)
    assert revert.payload_as_dict()["description"] == "before"
    assert revert.request_metadata_as_dict()["reverts"] == [one.pk, two.pk]


def test_a_batch_can_be_reverted_after_its_changes_were_purged():
    number = apply_at_once(propose_create("a")).batch_id
    queue_purge(actor=ADA, purge_all=True)
    (revert,) = batch_revert(actor=RITA, batch_id=number)
    assert (revert.operation, revert.model_name) == ("delete", "a")


def test_a_batch_that_is_unknown_or_did_nothing_cannot_be_reverted():
    for number in (0, 99, MAX_ID + 1):
        with pytest.raises(NotFound):
            batch_revert(actor=RITA, batch_id=number)
    number = approve(propose_create("a"))
    with pytest.raises(BadRequest):
        batch_revert(actor=RITA, batch_id=number)
    assert PendingChange.objects.count() == 1
