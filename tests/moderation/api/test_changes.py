"""The queue through the API: lists, single changes, diffs, and acts on one change."""

from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from moderation.models import AuditEvent, PendingChange
from moderation.services import batch_decide, change_apply
from references.models import ModelRecord
from references.vocabulary import CanonicalFormat
from tests.moderation.api.callers import (
    APPROVER,
    HUGE,
    PLAIN,
    QUEUE,
    REQUESTOR,
    REQUESTOR2,
    UNKNOWN,
    V1,
    V2,
    problems,
    send,
    told,
)
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

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("people")]

BIGGEST_INTEGER = 2**63 - 1


def read(path: str, *, key: str = APPROVER) -> Any:
    response = send("GET", f"{QUEUE}/{path}", key=key)
    assert response.status_code == 200, response.content
    return response.json()


def act(path: str, body: Any = b"", *, key: str = APPROVER) -> tuple[int, Any]:
    return told(send("POST", f"{QUEUE}/{path}", body, key=key))


@pytest.fixture
def queue() -> list[PendingChange]:
    """Rita creates an image and a clip. Ravi's update of an image is approved, his delete of one rejected."""
    make_live("live_a")
    make_live("Live_B")
    changes = [
        propose_create("fresh"),
        propose_create("fresh", category="clip"),
        propose_update("live_a", by=RAVI, description="better"),
        propose_delete("Live_B", by=RAVI),
    ]
    batch_decide(
        actor=ADA,
        title="A batch",
        approved_ids=[changes[2].change_id],
        rejected_ids=[changes[3].change_id],
        reject_reason="no",
    )
    return changes


# Lists ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", [0, 1, 2, 3]),
        ("statuses=pending", [0, 1]),
        ("statuses=approved&statuses=rejected", [2, 3]),
        ("statuses=applying", []),
        ("categories=clip", [1]),
        ("categories=clip&categories=image_generation&statuses=pending", [0, 1]),
        ("model_name=LIVE", [2, 3]),
        ("model_name=%20live_a%20", [2]),
        ("model_name=%25", []),
        ("model_name=live_", [2, 3]),
        ("model_name=e_a", [2]),
        ("requested_by=102", [2, 3]),
        ("requested_by=101&requested_by=102&requested_by=", [0, 1, 2, 3]),
        ("requested_by=", [0, 1, 2, 3]),
        ("requested_by=10", []),
        ("model_name=LIVE&requested_by=101", []),
        ("limit=2&offset=1", [1, 2]),
        ("limit=500&offset=3", [3]),
        ("offset=4", []),
        (f"offset={BIGGEST_INTEGER}", []),
        (f"batch_id={BIGGEST_INTEGER}", []),
        ("limit=1&limit=3", [0, 1, 2]),
        ("unknown=1", [0, 1, 2, 3]),
    ],
)
def test_a_list_shows_what_all_filters_let_through(queue, query, found):
    page = read(f"changes?{query}")
    assert [item["change_id"] for item in page["items"]] == [queue[index].change_id for index in found]


def test_a_page_counts_before_it_cuts(queue):
    page = read("changes?limit=2&offset=1")
    assert {name: value for name, value in page.items() if name != "items"} == {
        "total": 4,
        "offset": 1,
        "limit": 2,
    }
    page = read("changes?statuses=pending&limit=1")
    assert (page["total"], len(page["items"])) == (2, 1)
    assert read("changes")["limit"] == 50


def test_the_members_of_a_batch_can_be_listed(queue):
    batch = read(f"changes/{queue[2].change_id}")["batch_id"]
    members = read(f"changes?batch_id={batch}")["items"]
    assert [change["change_id"] for change in members] == [queue[2].change_id, queue[3].change_id]


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("limit=501", ("less_than_equal", ["query", "limit"])),
        ("limit=0", ("greater_than_equal", ["query", "limit"])),
        ("limit=x", ("int_parsing", ["query", "limit"])),
        ("offset=-1", ("greater_than_equal", ["query", "offset"])),
        (f"offset={HUGE}", ("int_parsing_size", ["query", "offset"])),
        ("batch_id=0", ("greater_than_equal", ["query", "batch_id"])),
        ("statuses=bogus", ("enum", ["query", "statuses", 0])),
        ("statuses=pending&statuses=PENDING", ("enum", ["query", "statuses", 1])),
        ("categories=bogus", ("enum", ["query", "categories", 0])),
        ("model_name=", ("string_too_short", ["query", "model_name"])),
        ("model_name=%20", ("string_too_short", ["query", "model_name"])),
        (f"model_name={'x' * 201}", ("string_too_long", ["query", "model_name"])),
        ("model_name=%00", ("value_error", ["query", "model_name"])),
    ],
)
def test_a_filter_out_of_bounds_is_refused(query, problem):
    assert problems(send("GET", f"{QUEUE}/changes?{query}", key=APPROVER)) == (422, [problem])


def test_ones_own_changes_are_only_ones_own(queue):
    for query in ("", "?requested_by=102", "?requested_by=102&batch_id=1"):
        mine = read(f"my_changes{query}", key=REQUESTOR)
        assert {item["requested_by"] for item in mine["items"]} == {"101"}
        assert mine["total"] == 2
    assert read("my_changes?statuses=rejected", key=REQUESTOR2)["total"] == 1
    assert read("my_changes?categories=clip&limit=1", key=REQUESTOR)["total"] == 1
    assert read("my_changes", key=APPROVER)["items"] == []
    status, _ = told(send("GET", f"{QUEUE}/my_changes?limit=501", key=REQUESTOR))
    assert status == 422


def test_lists_count_and_cut_in_the_database(queue, django_assert_num_queries: DjangoAssertNumQueries):
    with django_assert_num_queries(2):
        read("changes?limit=1")


def test_both_mounts_show_the_one_queue(queue):
    for path in ("changes?limit=2", f"changes/{queue[0].change_id}", f"changes/{queue[2].change_id}/diff"):
        other = send("GET", f"{V1}/pending_queue/{path}", key=APPROVER)
        assert told(other) == (200, read(path))


def test_nothing_about_the_queue_is_kept_by_caches(queue):
    response = send("GET", f"{QUEUE}/changes", key=APPROVER)
    assert response.headers["Cache-Control"] == "no-store"


# One change -------------------------------------------------------------------------------------------------


def test_one_change_is_shown_with_its_nulls(queue):
    change = read(f"changes/{queue[0].change_id}")
    assert change["notes"] is None
    assert change["batch_id"] is None
    assert len(change) == 26


@pytest.mark.parametrize("path", ["changes/{}", "changes/{}/diff"])
@pytest.mark.parametrize(
    ("change_id", "status"),
    [
        (str(UNKNOWN), 404),
        ("0", 404),
        ("-1", 404),
        (HUGE, 404),
        (f"-{HUGE}", 404),
        ("x", 422),
        ("1.5", 422),
        ("1e3", 422),
    ],
)
def test_an_id_in_a_path_is_known_or_not_or_no_id(path, change_id, status):
    response = send("GET", f"{QUEUE}/{path.format(change_id)}", key=APPROVER)
    assert response.status_code == status
    if status == 422:
        assert problems(response) == (422, [("int_parsing", ["path", "change_id"])])
    else:
        assert response.json() == {"detail": "Change not found"}


@pytest.mark.parametrize("act_name", ["apply", "withdraw", "reopen", "revert"])
@pytest.mark.parametrize(("change_id", "status"), [(str(UNKNOWN), 404), ("0", 404), (HUGE, 404), ("x", 422)])
def test_acts_know_ids_likewise(act_name, change_id, status):
    assert act(f"changes/{change_id}/{act_name}", {})[0] == status


# Diffs ------------------------------------------------------------------------------------------------------


def test_a_diff_tells_what_changes(queue):
    diff = read(f"changes/{queue[2].change_id}/diff")
    assert (diff["net_operation"], diff["is_stale"], diff["is_critical"]) == ("modified", False, False)
    assert diff["fields_added"] == ["description"]
    assert diff["field_diffs"][0] == {
        "field_path": "description",
        "old_value": None,
        "new_value": "better",
        "change_type": "added",
    }
    assert diff["base_state"] == diff["current_state"]


def test_a_diff_of_a_stale_change_says_so(queue):
    apply_at_once(propose_update("live_a", description="theirs"))
    diff = read(f"changes/{queue[2].change_id}/diff")
    assert (diff["is_stale"], diff["stale_reason"]) == (True, "changed")
    assert diff["conflicting_fields"] == ["description"]


def test_diffs_come_in_the_order_asked_for_and_missing_ones_apart(queue):
    first, second = queue[0].change_id, queue[3].change_id
    page = read("diffs?" + "&".join(f"change_ids={number}" for number in (second, UNKNOWN, first, second, 0)))
    assert [diff["change_id"] for diff in page["diffs"]] == [second, first, second]
    assert page["total"] == 5
    assert page["errors"] == [
        {"change_id": missing, "error": "Change not found", "error_type": "NotFound"}
        for missing in (UNKNOWN, 0)
    ]


def test_all_diffs_may_be_missing():
    page = read(f"diffs?change_ids={UNKNOWN}&change_ids={UNKNOWN + 1}")
    assert (page["diffs"], page["total"], len(page["errors"])) == ([], 2, 2)


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("", ("missing", ["query", "change_ids"])),
        ("change_ids=", ("missing", ["query", "change_ids"])),
        ("change_ids=1&change_ids=x", ("int_parsing", ["query", "change_ids", 1])),
        ("&".join(f"change_ids={number}" for number in range(101)), ("too_long", ["query", "change_ids"])),
    ],
)
def test_diffs_need_some_ids_and_not_too_many(query, problem):
    assert problems(send("GET", f"{QUEUE}/diffs?{query}", key=APPROVER)) == (422, [problem])
    asked = "&".join(f"change_ids={number}" for number in range(100))
    assert read(f"diffs?{asked}")["total"] == 100


# Applying one -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [b"", {}, {"job_id": None}, {"job_id": "  "}])
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
