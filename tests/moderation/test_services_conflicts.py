"""Changes whose model moved since they were proposed: refused, or put over it where that is asked for."""

import pytest

from moderation.models import AuditEvent, PendingChange
from moderation.problems import PendingChangeConflictError
from moderation.review import apply_preview
from moderation.services import batch_apply, change_apply
from references.models import Category, ModelRecord
from references.services import record_delete, record_put
from tests.factories import make_v2
from tests.moderation.factories import (
    ADA,
    EARLY,
    IMAGES,
    LATER,
    approve,
    make_live,
    propose_create,
    propose_delete,
    propose_update,
    stamps,
)

pytestmark = pytest.mark.django_db


def live(name: str = "a") -> dict | None:
    stored = ModelRecord.objects.filter(category=IMAGES, name=name).first()
    return stored.as_dict() if stored else None


def touch() -> None:
    """Somebody stores the record again, with nothing new in it."""
    record = {**live(), "metadata": {**live()["metadata"], "updated_at": LATER, "updated_by": "x"}}
    record_put(category=IMAGES, name="a", record=record)


def change_it() -> None:
    record_put(
        category=IMAGES, name="a", record=make_v2(IMAGES, "a", description="theirs", metadata=stamps())
    )


def remove_it() -> None:
    record_delete(category=IMAGES, name="a")


def nothing() -> None:
    pass


# How it was, what is proposed, what happens then, and what stands against applying.
CASES = [
    (False, "create", nothing, None),
    (False, "create", change_it, "exists"),
    (True, "update", nothing, None),
    (True, "update", touch, None),
    (True, "update", change_it, "changed"),
    (True, "update", remove_it, "gone"),
    (True, "delete", nothing, None),
    (True, "delete", touch, None),
    (True, "delete", change_it, "changed"),
    (True, "delete", remove_it, "gone"),
]


def prepared(exists: bool, operation: str, meanwhile) -> PendingChange:
    if exists:
        make_live("a", description="before")
    proposals = {
        "create": lambda: propose_create("a", description="mine"),
        "update": lambda: propose_update("a", description="mine"),
        "delete": lambda: propose_delete("a"),
    }
    change = proposals[operation]()
    approve(change)
    meanwhile()
    return change


@pytest.mark.parametrize(("exists", "operation", "meanwhile", "reason"), CASES)
def test_a_change_is_applied_only_to_what_it_was_made_from(exists, operation, meanwhile, reason):
    change = prepared(exists, operation, meanwhile)
    before, events = live(), AuditEvent.objects.count()
    preview = apply_preview([change.pk])
    if reason is None:
        assert preview == []
        change_apply(actor=ADA, change_id=change.pk)
        assert live() == (None if operation == "delete" else {**live(), "description": "mine"})
        return
    assert [(conflict.reason, conflict.change.pk) for conflict in preview] == [(reason, change.pk)]
    with pytest.raises(PendingChangeConflictError) as conflict:
        change_apply(actor=ADA, change_id=change.pk)
    assert (conflict.value.status_code, conflict.value.reason) == (409, reason)
    assert "'a'" in str(conflict.value.detail)
    assert reason in str(conflict.value.detail)
    assert live() == before
    assert AuditEvent.objects.count() == events
    assert PendingChange.objects.get().status == "approved"
    assert Category.objects.get(pk=IMAGES).error_count == 1


@pytest.mark.parametrize(("exists", "operation", "meanwhile", "reason"), CASES)
def test_overwriting_applies_it_to_whatever_is_live(exists, operation, meanwhile, reason):
    change = prepared(exists, operation, meanwhile)
    created_at = live()["metadata"]["created_at"] if live() else None
    (applied,) = change_apply(actor=ADA, change_id=change.pk, on_conflict="overwrite", at=LATER + 5).applied
    assert applied.status == "applied"
    if operation == "delete":
        assert live() is None
        return
    assert live()["description"] == "mine"
    # A revived record was proposed with the creation it had.
    expected = created_at or (EARLY if exists else LATER + 5)
    assert live()["metadata"] == {**stamps(expected), "updated_at": LATER + 5}


def test_the_message_names_the_clashing_fields():
    make_live("a", description="before", nsfw=False)
    change = propose_update("a", description="mine", nsfw=True, style="anime")
    approve(change)
    record_put(
        category=IMAGES,
        name="a",
        record=make_v2(IMAGES, "a", description="theirs", homepage="x", metadata=stamps()),
    )
    with pytest.raises(PendingChangeConflictError) as conflict:
        change_apply(actor=ADA, change_id=change.pk)
    assert "description" in conflict.value.fields
    assert "style" not in conflict.value.fields
    assert "description" in str(conflict.value.detail)


@pytest.mark.parametrize("operation", ["create", "update"])
def test_what_is_live_as_proposed_already_is_applied_without_a_write(operation):
    if operation == "update":
        make_live("a", description="before")
        change = propose_update("a", description="mine")
    else:
        change = propose_create("a", description="mine", metadata=stamps())
    approve(change)
    record_put(category=IMAGES, name="a", record=make_v2(IMAGES, "a", description="mine", metadata=stamps()))
    before, revision = live(), Category.objects.get(pk=IMAGES).revision
    events = AuditEvent.objects.count()
    change_apply(actor=ADA, change_id=change.pk)
    change.refresh_from_db()
    assert change.status == "applied"
    assert (live(), Category.objects.get(pk=IMAGES).revision) == (before, revision)
    assert AuditEvent.objects.count() == events + 1
    assert change.live_before_as_dict() == change.live_after_as_dict() == before


def test_an_update_equal_to_the_live_record_comes_to_nothing():
    make_live("a")
    change = propose_update("a", metadata={})
    approve(change)
    revision = Category.objects.get(pk=IMAGES).revision
    change_apply(actor=ADA, change_id=change.pk)
    assert Category.objects.get(pk=IMAGES).revision == revision


def test_of_two_creates_of_one_name_the_second_conflicts_unless_it_may_overwrite():
    one, two = propose_create("a", description="first"), propose_create("a", description="second")
    three = propose_create("a", description="first")
    number = approve(one, two)
    assert [conflict.change.pk for conflict in apply_preview([one.pk, two.pk])] == [two.pk]
    stopped = batch_apply(actor=ADA, batch_id=number)
    assert (stopped.failed_change_id, stopped.status, live()["description"]) == (two.pk, 409, "first")
    result = batch_apply(actor=ADA, batch_id=number + 1, on_conflict="overwrite")
    assert ([change.pk for change in result.applied], live()["description"]) == ([two.pk], "second")
    approve(three)
    with pytest.raises(PendingChangeConflictError):
        change_apply(actor=ADA, change_id=three.pk)


def test_of_two_equal_creates_the_second_finds_its_record_live_and_writes_nothing():
    """The times that the server filled in when it applied the first are no difference."""
    one, two = propose_create("a", description="same"), propose_create("a", description="same")
    number = approve(one, two)
    assert apply_preview([one.pk, two.pk]) == []
    result = batch_apply(actor=ADA, batch_id=number, at=LATER)
    assert ([change.status for change in result.applied], result.status) == (["applied", "applied"], 200)
    assert live()["metadata"] == stamps(LATER)
    assert AuditEvent.objects.of_model(IMAGES, "a").count() == 1
    assert Category.objects.get(pk=IMAGES).total_creates == 1
    two.refresh_from_db()
    assert two.live_before_as_dict() == two.live_after_as_dict() == live()


@pytest.mark.parametrize("told", [{"created_at": EARLY}, {"updated_by": "x"}, {"created_by": "x"}])
def test_a_create_that_tells_another_origin_is_another_record(told):
    one = propose_create("a", description="same")
    two = propose_create("a", description="same", metadata=told)
    number = approve(one, two)
    result = batch_apply(actor=ADA, batch_id=number, at=LATER)
    assert (result.failed_change_id, result.status) == (two.pk, 409)
    assert live()["metadata"] == stamps(LATER)


def test_two_updates_of_one_model_in_one_batch_conflict():
    make_live("a", description="before")
    one, two = propose_update("a", description="first"), propose_update("a", description="second")
    number = approve(one, two)
    result = batch_apply(actor=ADA, batch_id=number)
    assert (result.failed_change_id, result.failed_error_type) == (two.pk, "PendingChangeConflictError")
    assert live()["description"] == "first"


def test_a_second_delete_finds_nothing():
    make_live("a")
    one, two = propose_delete("a"), propose_delete("a")
    approve(one, two)
    change_apply(actor=ADA, change_id=one.pk)
    with pytest.raises(PendingChangeConflictError) as conflict:
        change_apply(actor=ADA, change_id=two.pk)
    assert (conflict.value.reason, conflict.value.status_code) == ("gone", 409)


def test_a_preview_goes_on_after_a_conflict_and_changes_nothing():
    make_live("a")
    one, two, three = propose_delete("a"), propose_update("a", description="x"), propose_create("b")
    four = propose_create("b", description="other")
    approve(one, two, three, four)
    rows, events = list(PendingChange.objects.values()), AuditEvent.objects.count()
    conflicts = apply_preview([one.pk, two.pk, three.pk, four.pk, 10**20])
    assert [(conflict.change.pk, conflict.reason) for conflict in conflicts] == [
        (two.pk, "gone"),
        (four.pk, "exists"),
    ]
    assert (list(PendingChange.objects.values()), AuditEvent.objects.count()) == (rows, events)
