"""What is done to changes through the API: applying, taking back, undoing, removing."""

import pytest

from moderation.models import AuditEvent, PendingChange
from moderation.services import change_apply
from references.models import ModelRecord
from references.vocabulary import CanonicalFormat
from tests.moderation.api.callers import (
    APPROVER,
    PLAIN,
    QUEUE,
    REQUESTOR,
    REQUESTOR2,
    UNKNOWN,
    V1,
    V2,
    act,
    problems,
    read,
    send,
    told,
)
from tests.moderation.factories import (
    ADA,
    IMAGES,
    apply_at_once,
    approve,
    make_live,
    propose_create,
    propose_update,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("people")]

BIGGEST_INTEGER = 2**63 - 1


# Applying one -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [b"", {}, {"job_id": None}, {"job_id": " " * 121}])
def test_a_change_is_applied_under_an_id_made_for_it(body):
    change = propose_create("N")
    approve(change)
    status, answer = act(f"changes/{change.change_id}/apply", body)
    assert (status, answer["batch_split_occurred"]) == (200, False)
    assert answer["record"]["status"] == "applied"
    assert "reject_reason" not in answer["record"]
    assert answer["record"]["applied_job_id"].startswith(f"apply-{change.change_id}-")
    assert send("GET", f"{V2}/{IMAGES}/model/N").status_code == 200


def test_applying_again_is_safe_under_the_same_id_only():
    change = propose_create("N")
    approve(change)
    path = f"changes/{change.change_id}/apply"
    first = act(path, {"job_id": " job "})
    events = AuditEvent.objects.count()
    assert act(path, {"job_id": "job"}) == first
    assert act(path, {"job_id": "other"})[0] == 400
    assert act(path) == (400, {"detail": f"Change {change.change_id} is not approved (status=applied)."})
    assert AuditEvent.objects.count() == events


def test_a_split_is_told():
    one, two = propose_create("a"), propose_create("b")
    batch = approve(one, two)
    status, answer = act(f"changes/{one.change_id}/apply", {})
    assert status == 200
    assert {name: value for name, value in answer.items() if name != "record"} == {
        "batch_split_occurred": True,
        "batch_split_original_batch_id": batch,
        "batch_split_new_batch_id": batch + 1,
        "batch_split_reassigned_count": 1,
    }


def test_a_stale_change_is_refused_unless_it_may_overwrite():
    make_live("m")
    mine, theirs = propose_update("m", description="mine"), propose_update("m", description="theirs")
    approve(mine, theirs)
    change_apply(actor=ADA, change_id=theirs.change_id)
    path = f"changes/{mine.change_id}/apply"
    status, answer = act(path, {})
    assert status == 409
    assert all(word in answer["detail"] for word in ("'m'", "changed", "description"))
    assert read(f"changes/{mine.change_id}")["status"] == "approved"
    assert ModelRecord.objects.get(name="m").as_dict()["description"] == "theirs"
    assert act(path, {"on_conflict": "overwrite"})[0] == 200
    assert ModelRecord.objects.get(name="m").as_dict()["description"] == "mine"


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({"job_id": "x" * 121}, ("string_too_long", ["body", "job_id"])),
        ({"job_id": 5}, ("string_type", ["body", "job_id"])),
        ({"on_conflict": "maybe"}, ("literal_error", ["body", "on_conflict"])),
        ([], ("model_attributes_type", ["body"])),
    ],
)
def test_how_to_apply_is_checked(body, problem):
    change = propose_create("N")
    approve(change)
    response = send("POST", f"{QUEUE}/changes/{change.change_id}/apply", body, key=APPROVER)
    assert problems(response) == (422, [problem])


# Taking back ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "body", "reason"),
    [
        (REQUESTOR, b"", "Withdrawn by the requestor"),
        (REQUESTOR, {"reason": "  "}, "Withdrawn by the requestor"),
        (REQUESTOR, {"reason": None}, "Withdrawn by the requestor"),
        (APPROVER, {"reason": " a typo "}, "a typo"),
    ],
)
def test_owner_and_approvers_withdraw_a_pending_change(key, body, reason):
    change = propose_create("N")
    status, answer = act(f"changes/{change.change_id}/withdraw", body, key=key)
    assert (status, answer["status"], answer["reject_reason"]) == (200, "rejected", reason)
    assert answer["batch_id"] is None
    assert act(f"changes/{change.change_id}/withdraw", key=key)[0] == 400


def test_nobody_withdraws_the_change_of_somebody_else():
    change = propose_create("N")
    unknown = act(f"changes/{UNKNOWN}/withdraw", key=REQUESTOR2)
    status, answer = act(f"changes/{change.change_id}/withdraw", key=REQUESTOR2)
    assert (status, unknown[0]) == (404, 404)
    assert answer["detail"].replace(str(change.change_id), str(UNKNOWN)) == unknown[1]["detail"]
    assert act(f"changes/{change.change_id}/withdraw", key=PLAIN)[0] == 401
    assert read(f"changes/{change.change_id}")["status"] == "pending"


def test_an_approval_is_taken_back():
    change = propose_create("N")
    approve(change)
    assert act(f"changes/{change.change_id}/reopen", {"reason": "too early"}, key=REQUESTOR)[0] == 401
    status, answer = act(f"changes/{change.change_id}/reopen", {"reason": "too early"})
    assert (status, answer["status"], answer["batch_id"], answer["approved_by"]) == (
        200,
        "pending",
        None,
        None,
    )
    assert act(f"changes/{change.change_id}/reopen")[0] == 400


@pytest.mark.parametrize("act_name", ["withdraw", "reopen"])
def test_a_reason_has_a_length(act_name):
    change = propose_create("N")
    response = send(
        "POST", f"{QUEUE}/changes/{change.change_id}/{act_name}", {"reason": "x" * 501}, key=APPROVER
    )
    assert problems(response) == (422, [("string_too_long", ["body", "reason"])])


def test_an_applied_change_is_undone_by_a_proposal():
    change = apply_at_once(propose_create("N"))
    status, answer = act(f"changes/{change.change_id}/revert")
    assert (status, answer["operation"], answer["model_name"]) == (202, "delete", "N")
    assert answer["status"] == "pending"
    assert "batch_id" not in answer
    assert act(f"changes/{answer['change_id']}/revert")[0] == 400


# Purging ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"model_name": "  "},
        {"statuses": [], "categories": None},
        {"requested_by": " "},
        {"requested_by": []},
        {"dry_run": True},
        {"purge_all": False},
    ],
)
def test_a_purge_needs_a_filter_or_the_word_that_all_may_go(queue, body):
    assert problems(send("POST", f"{QUEUE}/purge", body, key=APPROVER)) == (422, [("value_error", ["body"])])
    assert PendingChange.objects.count() == 4


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"statuses": ["bogus"]}, ["body", "statuses", 0]),
        ({"statuses": "pending"}, ["body", "statuses"]),
        ({"categories": ["bogus"]}, ["body", "categories", 0]),
        ({"model_name": "x" * 201}, ["body", "model_name"]),
        ({"requested_by": 5}, ["body", "requested_by"]),
        ({"batch_id": 0}, ["body", "batch_id"]),
        ({"change_ids": []}, ["body", "change_ids"]),
        ({"change_ids": ["x"]}, ["body", "change_ids", 0]),
        ({"purge_all": "maybe"}, ["body", "purge_all"]),
        ({"requested_by": [str(number) for number in range(10_001)]}, ["body", "requested_by"]),
    ],
)
def test_what_to_purge_is_checked(queue, body, place):
    status, [(_, found)] = problems(send("POST", f"{QUEUE}/purge", body, key=APPROVER))
    assert (status, found) == (422, place)
    assert PendingChange.objects.count() == 4


@pytest.mark.parametrize(
    ("body", "removed"),
    [
        ({"statuses": ["rejected"]}, [3]),
        ({"statuses": ["pending", "approved"]}, [0, 1, 2]),
        ({"categories": ["clip"]}, [1]),
        ({"model_name": " LIVE "}, [2, 3]),
        ({"requested_by": "102"}, [2, 3]),
        ({"requested_by": ["101", "", "102"], "categories": ["image_generation"]}, [0, 2, 3]),
        ({"purge_all": True}, [0, 1, 2, 3]),
        ({"purge_all": True, "categories": ["clip"]}, [1]),
        ({"batch_id": 999}, []),
        ({"change_ids": [BIGGEST_INTEGER, -1]}, []),
    ],
)
def test_a_purge_removes_what_all_filters_let_through(queue, body, removed):
    ids = [queue[index].change_id for index in removed]
    events = AuditEvent.objects.count()
    expected = {"removed_count": len(ids), "removed_change_ids": ids}
    assert act("purge", {**body, "dry_run": True}) == (200, {**expected, "dry_run": True})
    assert (PendingChange.objects.count(), AuditEvent.objects.count()) == (4, events)
    assert act("purge", body) == (200, {**expected, "dry_run": False})
    assert AuditEvent.objects.count() == events + len(ids)
    assert [item["change_id"] for item in read("changes")["items"]] == [
        change.change_id for change in queue if change.change_id not in ids
    ]
    assert act("purge", body)[1]["removed_count"] == 0


def test_single_changes_can_be_purged_and_their_ids_are_not_given_again(queue):
    last = queue[3].change_id
    assert act("purge", {"change_ids": [last, queue[0].change_id, last]})[1]["removed_change_ids"] == [
        queue[0].change_id,
        last,
    ]
    assert told(send("GET", f"{QUEUE}/changes/{last}", key=APPROVER))[0] == 404
    assert propose_create("another").change_id > last


def test_writes_go_through_the_mount_of_the_canonical_format(settings, queue):
    path = f"changes/{queue[2].change_id}/apply"
    assert told(send("POST", f"{V1}/pending_queue/{path}", {}, key=APPROVER))[0] == 503
    settings.CANONICAL_FORMAT = CanonicalFormat.LEGACY
    assert act(path)[0] == 503
    assert told(send("POST", f"{V1}/pending_queue/{path}", {}, key=APPROVER))[0] == 200
