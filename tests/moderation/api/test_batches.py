"""Decisions over several changes, and applying them, through the API."""

from typing import Any

import pytest

from moderation.models import AuditEvent, PendingChange, QueueState
from references.models import ModelRecord
from tests.moderation.api.callers import (
    APPROVER,
    HUGE,
    QUEUE,
    REQUESTOR,
    UNKNOWN,
    V2,
    act,
    problems,
    send,
)
from tests.moderation.factories import (
    ADA,
    IMAGES,
    apply_at_once,
    approve,
    make_live,
    propose_create,
    propose_delete,
    propose_update,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("people")]


def decide(title: str = "A batch", **body: Any) -> tuple[int, Any]:
    return act("batches", {"batch_title": title, **body})


def statuses() -> list[str]:
    return list(PendingChange.objects.oldest_first().values_list("status", flat=True))


def ids_of(changes: list[dict]) -> list[int]:
    return [change["change_id"] for change in changes]


@pytest.fixture
def ids() -> list[int]:
    """Four proposals to create models of different names."""
    return [propose_create(name).change_id for name in "abcd"]


# Deciding ---------------------------------------------------------------------------------------------------


def test_some_are_approved_and_some_rejected(ids):
    a, b, c, d = ids
    status, answer = decide(" Batch one ", approved_ids=[c, a, b, b], rejected_ids=[d], reject_reason=" no ")
    assert (status, answer["batch_title"]) == (200, "Batch one")
    assert ids_of(answer["approved"]) == [a, b, c]
    [rejected] = answer["rejected"]
    assert (rejected["change_id"], rejected["reject_reason"]) == (d, "no")
    assert rejected["batch_id"] == answer["batch_id"]
    assert rejected["approved_by"] is None
    assert {change["approved_by"] for change in answer["approved"]} == {"900"}


def test_later_approvals_join_the_open_batch_under_their_own_title(ids):
    _, first = decide("Batch one", approved_ids=ids[:3])
    _, second = decide("Late joiner", approved_ids=ids[3:])
    assert first["batch_id"] == second["batch_id"]
    assert second["approved"][0]["batch_title"] == "Late joiner"
    one = send("GET", f"{QUEUE}/changes/{ids[0]}", key=APPROVER).json()
    assert one["batch_title"] == "Batch one"


def test_rejections_alone_make_no_batch(ids):
    status, answer = decide("No", rejected_ids=ids, reject_reason="r")
    assert (status, answer["batch_id"], answer["approved"]) == (200, None, [])
    assert {(change["batch_id"], change["batch_title"]) for change in answer["rejected"]} == {(None, "No")}


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({"approved_ids": [1]}, ("missing", ["body", "batch_title"])),
        ({"batch_title": "", "approved_ids": [1]}, ("string_too_short", ["body", "batch_title"])),
        ({"batch_title": "  ", "approved_ids": [1]}, ("value_error", ["body", "batch_title"])),
        ({"batch_title": "x" * 121, "approved_ids": [1]}, ("string_too_long", ["body", "batch_title"])),
        ({"batch_title": None, "approved_ids": [1]}, ("string_type", ["body", "batch_title"])),
        ({"batch_title": "x"}, ("value_error", ["body"])),
        ({"batch_title": "x", "approved_ids": [], "rejected_ids": None}, ("value_error", ["body"])),
        ({"batch_title": "x", "approved_ids": [0, -5]}, ("value_error", ["body"])),
        ({"batch_title": "x", "approved_ids": ["a"]}, ("int_parsing", ["body", "approved_ids", 0])),
        ({"batch_title": "x", "approved_ids": 1}, ("list_type", ["body", "approved_ids"])),
        (
            {"batch_title": "x", "approved_ids": [int(HUGE)]},
            ("int_parsing_size", ["body", "approved_ids", 0]),
        ),
        ({"batch_title": "x", "rejected_ids": [1]}, ("value_error", ["body"])),
        ({"batch_title": "x", "rejected_ids": [1], "reject_reason": " "}, ("value_error", ["body"])),
        (
            {"batch_title": "x", "rejected_ids": [1], "reject_reason": "x" * 501},
            ("string_too_long", ["body", "reject_reason"]),
        ),
        (
            {"batch_title": "x", "approved_ids": [1], "rejected_ids": [1], "reject_reason": "r"},
            ("value_error", ["body"]),
        ),
        ([], ("model_attributes_type", ["body"])),
        (b"", ("missing", ["body"])),
    ],
)
def test_a_decision_is_checked(ids, body, problem):
    assert problems(send("POST", f"{QUEUE}/batches", body, key=APPROVER)) == (422, [problem])
    assert set(statuses()) == {"pending"}


def test_one_bad_id_undoes_the_decision_and_takes_no_number(ids):
    assert decide(approved_ids=[*ids, UNKNOWN]) == (400, {"detail": f"Change {UNKNOWN} does not exist."})
    assert set(statuses()) == {"pending"}
    approved = ids[:1]
    _, first = decide(approved_ids=approved)
    assert decide(approved_ids=approved)[0] == 400
    assert decide(rejected_ids=approved, reject_reason="r") == (
        400,
        {"detail": f"Change {approved[0]} is not pending (status=approved)."},
    )
    assert decide(approved_ids=ids[1:])[1]["batch_id"] == first["batch_id"]
    assert QueueState.objects.get().last_batch_id == first["batch_id"]


def test_a_requestor_decides_nothing(ids):
    assert act("batches", {"batch_title": "x", "approved_ids": ids}, key=REQUESTOR)[0] == 401
    assert set(statuses()) == {"pending"}


def test_approving_ones_own_change_can_be_forbidden(settings):
    own = propose_create("N", by=ADA)
    settings.QUEUE_FORBID_SELF_APPROVAL = True
    assert decide(approved_ids=[own.change_id])[0] == 400
    settings.QUEUE_FORBID_SELF_APPROVAL = False
    assert decide(approved_ids=[own.change_id])[0] == 200


# Applying several -------------------------------------------------------------------------------------------


def test_changes_are_applied_in_the_order_given(ids):
    decide(approved_ids=ids)
    a, b, c, d = ids
    status, answer = act("apply", {"change_ids": [c, a, c], "job_id": "job"})
    assert (status, ids_of(answer["applied"])) == (200, [c, a])
    assert {change["applied_job_id"] for change in answer["applied"]} == {"job"}
    assert (answer["batch_split_occurred"], answer["batch_split_reassigned_count"]) == (True, 2)
    assert "failed_change_id" not in answer
    assert all("reject_reason" not in change for change in answer["applied"])


def test_without_a_job_each_change_gets_one(ids):
    decide(approved_ids=ids)
    _, answer = act("apply", {"change_ids": ids})
    jobs = [change["applied_job_id"] for change in answer["applied"]]
    assert [job.rsplit("-", 1)[0] for job in jobs] == [f"apply-{change_id}" for change_id in ids]


def test_a_repeated_job_tells_the_same_and_writes_nothing(ids):
    decide(approved_ids=ids)
    first = act("apply", {"change_ids": ids, "job_id": "job"})
    events = AuditEvent.objects.count()
    assert act("apply", {"change_ids": ids, "job_id": "job"}) == first
    assert AuditEvent.objects.count() == events
    status, answer = act("apply", {"change_ids": ids})
    assert (status, answer["failed_change_id"], answer["applied"]) == (400, ids[0], [])
    assert answer["failed_error_type"] == "PendingChangeStateError"


def test_changes_of_several_batches_need_the_word_that_they_may_be(ids):
    decide(approved_ids=ids[:2])
    act(f"changes/{ids[0]}/apply", {})
    assert act("apply", {"change_ids": ids[:2]}) == (
        400,
        {"detail": "All changes must belong to the same batch. Found batch IDs: [1, 2]"},
    )
    status, answer = act("apply", {"change_ids": ids[1:3], "allow_mixed_batch": True})
    assert (status, ids_of(answer["applied"]), answer["failed_change_id"]) == (400, [ids[1]], ids[2])


def test_an_unknown_id_is_found_before_anything_is_applied(ids):
    decide(approved_ids=ids)
    for mixed in (False, True):
        body = {"change_ids": [*ids, UNKNOWN], "allow_mixed_batch": mixed}
        assert act("apply", body) == (404, {"detail": f"Change {UNKNOWN} not found"})
    assert set(statuses()) == {"approved"}


def test_a_failure_in_the_middle_keeps_what_was_applied_before_it():
    make_live("m")
    stale = propose_update("m", description="stale")
    theirs = propose_update("m", description="theirs")
    first, last = propose_create("first"), propose_create("last")
    approve(stale, theirs, first, last)
    act(f"changes/{theirs.change_id}/apply", {})
    ids = [first.change_id, stale.change_id, last.change_id]
    status, answer = act("apply", {"change_ids": ids})
    assert (status, ids_of(answer["applied"])) == (409, [first.change_id])
    assert (answer["failed_change_id"], answer["failed_error_type"]) == (
        stale.change_id,
        "PendingChangeConflictError",
    )
    assert "description" in answer["failed_error"]
    assert answer["batch_split_reassigned_count"] == 2
    status, answer = act("apply", {"change_ids": ids[1:], "on_conflict": "overwrite"})
    assert (status, ids_of(answer["applied"])) == (200, ids[1:])
    assert ModelRecord.objects.get(name="m").as_dict()["description"] == "stale"


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({}, ["body", "change_ids"]),
        ({"change_ids": []}, ["body", "change_ids"]),
        ({"change_ids": None}, ["body", "change_ids"]),
        ({"change_ids": [1, 0]}, ["body", "change_ids", 1]),
        ({"change_ids": [-1]}, ["body", "change_ids", 0]),
        ({"change_ids": ["x"]}, ["body", "change_ids", 0]),
        ({"change_ids": [*range(1, 10_002)]}, ["body", "change_ids"]),
        ({"change_ids": [1], "job_id": "x" * 121}, ["body", "job_id"]),
        ({"change_ids": [1], "on_conflict": "merge"}, ["body", "on_conflict"]),
        ({"change_ids": [1], "allow_mixed_batch": "maybe"}, ["body", "allow_mixed_batch"]),
        (b"", ["body"]),
    ],
)
def test_what_to_apply_is_checked(body, place):
    status, [(_, found)] = problems(send("POST", f"{QUEUE}/apply", body, key=APPROVER))
    assert (status, found) == (422, place)


def test_a_great_many_ids_are_taken(ids):
    body = {"change_ids": [*ids, *range(UNKNOWN, UNKNOWN + 9_000)]}
    assert act("apply", body) == (404, {"detail": f"Change {UNKNOWN} not found"})


# Applying a batch -------------------------------------------------------------------------------------------


def test_a_batch_is_applied_whole_and_once(ids):
    _, decision = decide(approved_ids=ids[:3], rejected_ids=ids[3:], reject_reason="r")
    path = f"apply_batch/{decision['batch_id']}"
    status, answer = act(f"{path}?job_id=job")
    assert (status, ids_of(answer["applied"])) == (200, ids[:3])
    assert {change["applied_job_id"] for change in answer["applied"]} == {"job"}
    assert answer["batch_split_occurred"] is False
    for query in ("?job_id=job", ""):
        assert act(path + query) == (200, {"applied": [], "batch_split_occurred": False})


def test_of_two_proposals_for_one_name_the_second_conflicts_unless_it_may_overwrite():
    approve(propose_create("N", description="one"), propose_create("N", description="two"))
    status, answer = act("apply_batch/1")
    assert (status, len(answer["applied"]), answer["failed_error_type"]) == (
        409,
        1,
        "PendingChangeConflictError",
    )
    assert (answer["batch_split_occurred"], answer["batch_split_new_batch_id"]) == (True, 2)
    assert act("apply_batch/2?on_conflict=overwrite")[0] == 200
    assert ModelRecord.objects.get(name="N").as_dict()["description"] == "two"


def test_a_second_delete_finds_nothing_to_delete():
    make_live("m")
    approve(propose_delete("m"), propose_delete("m"))
    status, answer = act("apply_batch/1")
    assert (status, answer["failed_error_type"]) == (409, "PendingChangeConflictError")
    assert "gone" in answer["failed_error"]


@pytest.mark.parametrize(
    ("batch_id", "status"), [("99", 404), ("0", 404), ("-1", 404), (HUGE, 404), ("x", 422)]
)
@pytest.mark.parametrize("path", ["apply_batch/{}", "batches/{}/revert"])
def test_an_id_of_a_batch_is_known_or_not_or_no_id(path, batch_id, status):
    assert act(path.format(batch_id))[0] == status


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        (f"job_id={'x' * 121}", ("string_too_long", ["query", "job_id"])),
        ("on_conflict=merge", ("literal_error", ["query", "on_conflict"])),
    ],
)
def test_how_to_apply_a_batch_is_checked(query, problem):
    response = send("POST", f"{QUEUE}/apply_batch/1?{query}", key=APPROVER)
    assert problems(response) == (422, [problem])


def test_a_batch_is_undone_by_proposals():
    make_live("old", description="before")
    applied = apply_at_once(propose_update("old", description="after"))
    status, answer = act(f"batches/{applied.batch_id}/revert")
    assert (status, answer["batch_id"]) == (202, applied.batch_id)
    [change] = answer["changes"]
    assert (change["operation"], change["payload"]["description"]) == ("update", "before")
    approve(PendingChange.objects.get(pk=change["change_id"]))
    act(f"changes/{change['change_id']}/apply", {})
    assert send("GET", f"{V2}/{IMAGES}/model/old").json()["description"] == "before"
