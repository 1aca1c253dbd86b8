"""Applying: what goes live, in which order, for which job, and how batches are split."""

import re

import pytest
from django.db import DatabaseError
from rest_framework.exceptions import NotFound

from moderation.models import AuditEvent, Batch, PendingChange
from moderation.problems import (
    PendingChangeBackendError,
    PendingChangeNotFoundError,
    PendingChangePayloadError,
    PendingChangeStateError,
)
from moderation.querysets import MAX_ID
from moderation.services import (
    BatchSplit,
    applying,
    batch_apply,
    batch_decide,
    change_apply,
    change_propose,
    changes_apply,
    queue_purge,
)
from references.models import Category, ModelRecord
from references.problems import BadRequest, Unprocessable
from tests.moderation.factories import (
    ADA,
    BEN,
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
    stamps,
)

pytestmark = pytest.mark.django_db


def live(name: str, category: str = IMAGES) -> dict | None:
    stored = ModelRecord.objects.filter(category=category, name=name).first()
    return stored.as_dict() if stored else None


def ids(changes) -> list[int]:
    return [change.change_id for change in changes]


def last_events(count: int) -> list[tuple[str, str, str]]:
    """Category, model and what was done, of the latest events in order."""
    events = AuditEvent.objects.order_by("-event_id")[:count]
    return [
        (
            event.category,
            event.model_name,
            event.payload_as_dict().get("after", {}).get("action", event.operation),
        )
        for event in reversed(events)
    ]


def test_applying_a_create_makes_it_live():
    change = propose_create("fresh", description="new")
    approve(change)
    result = change_apply(actor=BEN, change_id=change.pk, job_id=" job-1 ", at=LATER)
    assert (ids(result.applied), result.split, result.failure, result.status) == (
        [change.pk],
        None,
        None,
        200,
    )
    change.refresh_from_db()
    assert (change.status, change.applied_by, change.applied_username) == ("applied", "901", "Ben#901")
    assert (change.applied_at, change.updated_at, change.applied_job_id) == (LATER, LATER, "job-1")
    assert live("fresh")["metadata"] == stamps(LATER)
    assert (change.live_before_as_dict(), change.live_after_as_dict()) == (None, live("fresh"))


def test_a_new_record_keeps_the_times_it_brings():
    apply_at_once(propose_create("moved", metadata=stamps(5)))
    assert live("moved")["metadata"] == stamps(5)


def test_an_applied_update_has_the_time_of_the_apply_and_the_creation_of_the_live_record():
    before = make_live("a", description="before")
    change = propose_update("a", description="after", metadata=stamps(1))
    approve(change)
    change_apply(actor=ADA, change_id=change.pk, at=LATER)
    assert live("a")["description"] == "after"
    assert live("a")["metadata"] == {**stamps(EARLY), "updated_at": LATER}
    change.refresh_from_db()
    assert change.live_before_as_dict() == before
    assert change.live_after_as_dict() == live("a")


def test_an_applied_delete_removes_the_record():
    before = make_live("a")
    change = apply_at_once(propose_delete("a"))
    assert live("a") is None
    assert (change.live_before_as_dict(), change.live_after_as_dict()) == (before, None)


def test_text_changes_can_be_applied():
    change = apply_at_once(
        propose_create("Org/New-13B", category="text_generation", parameters=13_000_000_000)
    )
    assert change.status == "applied"
    assert live("Org/New-13B", "text_generation")["parameters"] == 13_000_000_000


def test_the_model_event_comes_before_the_apply_and_both_carry_the_job():
    change = propose_create("fresh")
    approve(change)
    change_apply(actor=ADA, change_id=change.pk, job_id="job-1")
    assert last_events(2) == [(IMAGES, "fresh", "create"), ("pending_queue", str(change.pk), "apply")]
    created, applied = AuditEvent.objects.order_by("-event_id")[:2][::-1]
    assert (created.logical_user_id, created.request_id) == ("900", "job-1")
    assert created.payload_as_dict()["after"] == live("fresh")
    assert applied.payload_as_dict() == {
        "after": {
            "action": "apply",
            "change_id": change.pk,
            "batch_id": change.batch_id,
            "job_id": "job-1",
            "username": "Ada#900",
        }
    }
    change.refresh_from_db()
    assert change.applied_event_id == applied.event_id


def test_the_category_moves_with_what_was_applied():
    make_live("a")
    before = Category.objects.get(pk=IMAGES)
    apply_at_once(propose_update("a", description="after"))
    after = Category.objects.get(pk=IMAGES)
    assert after.revision == before.revision + 1
    assert (after.total_updates, after.error_count) == (before.total_updates + 1, 0)


def test_without_a_job_id_each_change_gets_its_own():
    one, two = propose_create("a"), propose_create("b")
    approve(one, two)
    jobs = [change.applied_job_id for change in changes_apply(actor=ADA, change_ids=[one.pk, two.pk]).applied]
    assert len(set(jobs)) == 2
    for change, job in zip((one, two), jobs, strict=True):
        assert re.fullmatch(rf"apply-{change.pk}-[0-9a-f]{{32}}", job)


def test_the_same_job_may_repeat_itself_and_writes_nothing_more():
    change = propose_create("a")
    approve(change)
    first = change_apply(actor=ADA, change_id=change.pk, job_id="job-1", at=LATER).applied[0]
    events = AuditEvent.objects.count()
    again = change_apply(actor=BEN, change_id=change.pk, job_id="job-1").applied[0]
    bulk = changes_apply(actor=BEN, change_ids=[change.pk], job_id="job-1")
    assert (again.applied_at, again.applied_by) == (first.applied_at, "900")
    assert (ids(bulk.applied), bulk.split) == ([change.pk], None)
    assert AuditEvent.objects.count() == events


@pytest.mark.parametrize("job_id", ["job-2", None, " "])
def test_another_job_cannot_apply_it_again(job_id):
    change = propose_create("a")
    approve(change)
    change_apply(actor=ADA, change_id=change.pk, job_id="job-1")
    with pytest.raises(PendingChangeStateError) as refused:
        change_apply(actor=ADA, change_id=change.pk, job_id=job_id)
    assert str(refused.value.detail) == f"Change {change.pk} is not approved (status=applied)."
    assert refused.value.status_code == 400


@pytest.mark.parametrize("number", [0, -1, MAX_ID, MAX_ID + 1])
def test_an_unknown_change_is_not_found(number):
    with pytest.raises(PendingChangeNotFoundError) as missing:
        change_apply(actor=ADA, change_id=number)
    assert str(missing.value.detail) == f"Change {number} not found"


def test_a_partial_apply_splits_the_batch():
    one, two, three, five = (propose_create(name) for name in ("a", "b", "c", "e"))
    approve(one, two, three, title="Batch one")
    number = approve(five, title="Late joiner", by=BEN)
    result = change_apply(actor=ADA, change_id=one.pk, at=LATER)
    assert result.split == BatchSplit(number, number + 1, (two.pk, three.pk, five.pk))
    for change in (one, two, three, five):
        change.refresh_from_db()
    assert [change.batch_id for change in (one, two, three, five)] == [number] + [number + 1] * 3
    assert [two.batch_title, five.batch_title, two.approved_by, two.updated_at] == [
        "Batch one",
        "Late joiner",
        "900",
        LATER,
    ]
    new = Batch.objects.get(pk=number + 1)
    assert (new.title, new.approved_by) == ("Late joiner", "900")
    assert last_events(1) == [("pending_queue", "queue", "batch_split")]
    assert AuditEvent.objects.last().payload_as_dict()["after"] == {
        "action": "batch_split",
        "original_batch_id": number,
        "new_batch_id": number + 1,
        "reassigned_change_ids": [two.pk, three.pk, five.pk],
        "reason": "partial_apply",
    }
    assert approve(propose_create("f")) == number + 1


def test_a_whole_batch_is_applied_in_one_and_stays_one():
    changes = [propose_create(name) for name in "abc"]
    number = approve(*changes)
    result = batch_apply(actor=ADA, batch_id=number, job_id="job-2")
    assert ids(result.applied) == ids(changes)
    assert {change.batch_id for change in result.applied} == {number}
    assert {change.applied_job_id for change in result.applied} == {"job-2"}
    assert result.split is None
    again = batch_apply(actor=ADA, batch_id=number, job_id="job-2")
    assert (again.applied, again.split, again.status) == ((), None, 200)
    assert approve(propose_create("d")) == number + 1


def test_a_closed_batch_with_rejects_has_nothing_left_to_do():
    one, two = propose_create("a"), propose_create("b")
    number = batch_decide(
        actor=ADA, title="T", approved_ids=[one.pk], rejected_ids=[two.pk], reject_reason="no"
    ).batch_id
    batch_apply(actor=ADA, batch_id=number)
    assert batch_apply(actor=ADA, batch_id=number).applied == ()


def test_a_batch_without_anything_approved_is_not_found():
    one, two = propose_create("a"), propose_create("b")
    number = batch_decide(
        actor=ADA, title="T", approved_ids=[one.pk], rejected_ids=[two.pk], reject_reason="no"
    ).batch_id
    queue_purge(actor=ADA, change_ids=[one.pk])
    for batch_id, words in (
        (number, f"No approved changes found in batch {number}"),
        (99, "No changes found for batch 99"),
        (MAX_ID + 1, f"No changes found for batch {MAX_ID + 1}"),
    ):
        with pytest.raises(NotFound) as missing:
            batch_apply(actor=ADA, batch_id=batch_id)
        assert str(missing.value.detail) == words


def test_a_list_is_applied_in_the_order_given_and_once_each():
    one, two, three = (propose_create(name) for name in "abc")
    number = approve(one, two, three)
    result = changes_apply(actor=ADA, change_ids=[three.pk, one.pk, three.pk])
    assert ids(result.applied) == [three.pk, one.pk]
    assert list(ModelRecord.objects.in_category(IMAGES).in_stored_order().names()) == ["c", "a"]
    assert result.split == BatchSplit(number, number + 1, (two.pk,))


def test_a_list_with_an_unknown_id_applies_nothing():
    change = propose_create("a")
    approve(change)
    with pytest.raises(PendingChangeNotFoundError):
        changes_apply(actor=ADA, change_ids=[change.pk, MAX_ID])
    assert live("a") is None


def test_a_list_across_batches_needs_to_say_so():
    one, two = propose_create("a"), propose_create("b")
    number = approve(one, two)
    change_apply(actor=ADA, change_id=one.pk)
    with pytest.raises(BadRequest) as refused:
        changes_apply(actor=ADA, change_ids=[two.pk, one.pk])
    assert str(refused.value.detail) == (
        f"All changes must belong to the same batch. Found batch IDs: [{number}, {number + 1}]"
    )
    result = changes_apply(actor=ADA, change_ids=[two.pk, one.pk], allow_mixed_batch=True)
    assert (ids(result.applied), result.failed_change_id, result.status) == ([two.pk], one.pk, 400)
    assert result.failed_error_type == "PendingChangeStateError"


def test_a_job_that_was_interrupted_goes_on_with_the_same_list():
    make_live("b", description="before")
    one, two, three = propose_create("a"), propose_update("b", description="mine"), propose_create("c")
    approve(one, two, three)
    ModelRecord.objects.filter(name="b").update(record='{"name":"b","baseline":"infer","nsfw":false}')
    stopped = changes_apply(actor=ADA, change_ids=[one.pk, two.pk, three.pk], job_id="job-1")
    assert (ids(stopped.applied), stopped.failed_change_id, stopped.status) == ([one.pk], two.pk, 409)
    result = changes_apply(
        actor=ADA, change_ids=[one.pk, two.pk, three.pk], job_id="job-1", on_conflict="overwrite"
    )
    assert (ids(result.applied), result.status) == ([one.pk, two.pk, three.pk], 200)
    assert live("b")["description"] == "mine"


def test_a_change_that_was_never_approved_needs_the_mixed_flag_to_be_reached():
    approved, pending = propose_create("a"), propose_create("b")
    approve(approved)
    with pytest.raises(
        PendingChangeStateError, match=rf"Change {pending.pk} is not approved \(status=pending\)"
    ):
        changes_apply(actor=ADA, change_ids=[approved.pk, pending.pk])
    assert live("a") is None
    result = changes_apply(actor=ADA, change_ids=[approved.pk, pending.pk], allow_mixed_batch=True)
    assert (ids(result.applied), result.failed_change_id, result.status) == ([approved.pk], pending.pk, 400)


def test_a_failure_in_the_middle_keeps_what_came_before_and_leaves_the_rest_approved():
    one, two, three, four = (propose_create(name, version=str(n)) for n, name in enumerate("aacd"))
    number = approve(one, two, three, four)
    result = changes_apply(actor=ADA, change_ids=[one.pk, two.pk, three.pk])
    assert ids(result.applied) == [one.pk]
    assert (result.failed_change_id, result.status) == (two.pk, 409)
    assert result.failed_error_type == "PendingChangeConflictError"
    assert "'a'" in result.failed_error
    assert result.split == BatchSplit(number, number + 1, (two.pk, three.pk, four.pk))
    assert live("c") is None
    assert ids(PendingChange.objects.approved().oldest_first()) == [two.pk, three.pk, four.pk]
    assert Category.objects.get(pk=IMAGES).error_count == 1


def test_a_request_that_applies_nothing_splits_nothing():
    one, two, three = propose_create("a"), propose_create("a", version="2"), propose_create("b")
    apply_at_once(one)
    number = approve(two, three)
    result = batch_apply(actor=ADA, batch_id=number)
    assert (result.applied, result.failed_change_id, result.split) == ((), two.pk, None)
    assert {change.batch_id for change in PendingChange.objects.approved()} == {number}


def test_a_job_id_may_be_too_long():
    change = propose_create("a")
    number = approve(change)
    for apply in (
        lambda job_id: change_apply(actor=ADA, change_id=change.pk, job_id=job_id),
        lambda job_id: changes_apply(actor=ADA, change_ids=[change.pk], job_id=job_id),
        lambda job_id: batch_apply(actor=ADA, batch_id=number, job_id=job_id),
    ):
        with pytest.raises(Unprocessable, match="121 of at most 120"):
            apply("x" * 121)
    assert change_apply(actor=ADA, change_id=change.pk, job_id=f" {'x' * 120} ").applied


@pytest.fixture
def store_that_fails_on(monkeypatch):
    """Makes the store fail right after it wrote the record of this name."""
    put = applying.record_put

    def break_for(name: str) -> None:
        def put_and_fail(**kwargs):
            write = put(**kwargs)
            if kwargs["name"] == name:
                raise DatabaseError("disk full")
            return write

        monkeypatch.setattr(applying, "record_put", put_and_fail)

    return break_for


def test_a_fault_of_the_store_leaves_everything_as_it_was(store_that_fails_on):
    store_that_fails_on("a")
    one, two = propose_create("a"), propose_create("b")
    number = approve(one, two)
    rows = list(PendingChange.objects.values())
    events = AuditEvent.objects.count()
    revision = Category.objects.get(pk=IMAGES).revision
    with pytest.raises(PendingChangeBackendError) as fault:
        change_apply(actor=ADA, change_id=one.pk)
    assert fault.value.status_code == 503
    assert live("a") is None
    assert list(PendingChange.objects.values()) == rows
    assert AuditEvent.objects.count() == events
    assert Batch.objects.get().number == number
    category = Category.objects.get(pk=IMAGES)
    assert (category.revision, category.error_count) == (revision, 1)


def test_a_fault_in_the_middle_keeps_what_came_before(store_that_fails_on):
    store_that_fails_on("b")
    one, two = propose_create("a"), propose_create("b")
    approve(one, two)
    result = changes_apply(actor=ADA, change_ids=[one.pk, two.pk])
    assert (ids(result.applied), result.failed_change_id, result.status) == ([one.pk], two.pk, 503)
    assert result.failed_error_type == "PendingChangeBackendError"
    assert (live("a") is not None, live("b")) == (True, None)


def test_a_fault_of_the_log_rolls_the_act_back(monkeypatch):
    change = propose_create("a")
    approve(change)

    def broken(*args, **kwargs):
        raise DatabaseError("no log")

    monkeypatch.setattr(applying, "event_append", broken)
    with pytest.raises(PendingChangeBackendError):
        change_apply(actor=ADA, change_id=change.pk)
    assert live("a") is None


@pytest.mark.parametrize(
    ("payload", "words"),
    [(None, "has no payload"), ({"name": "a", "baseline": "forgotten", "nsfw": False}, "baseline")],
)
def test_a_payload_that_is_none_today_is_refused(payload, words):
    change = change_propose(
        actor=RITA, category=IMAGES, name="a", operation="create", payload=payload, route="create_v2_model"
    )
    number = approve(change)
    with pytest.raises(PendingChangePayloadError, match=words):
        change_apply(actor=ADA, change_id=change.pk)
    result = batch_apply(actor=ADA, batch_id=number)
    assert (result.failed_error_type, result.status) == ("PendingChangePayloadError", 400)
    assert PendingChange.objects.get().status == "approved"


def test_fifty_changes_are_applied_without_reading_the_queue_for_each(django_assert_max_num_queries):
    changes = [propose_create(f"model {number}") for number in range(50)]
    number = approve(*changes)
    with django_assert_max_num_queries(50 * 25):
        assert len(batch_apply(actor=ADA, batch_id=number).applied) == 50
