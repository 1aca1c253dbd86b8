"""The queue through the API: lists, single changes and diffs."""

from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries

from tests.moderation.api.callers import (
    APPROVER,
    HUGE,
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
    apply_at_once,
    propose_create,
    propose_update,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("people")]

BIGGEST_INTEGER = 2**63 - 1


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


@pytest.mark.parametrize(
    ("part", "is_found"),
    [("ÉTUDE", True), ("étude (7b.v", True), ("ЖУК", True), (".*", False), ("7b_v", False), ("7B.V+", True)],
)
def test_a_part_of_a_name_is_found_in_any_case_of_any_alphabet(part, is_found):
    change = propose_create("Étude (7B.v+) жук")
    page = read(f"changes?{urlencode({'model_name': part})}")
    assert [item["change_id"] for item in page["items"]] == ([change.change_id] if is_found else [])


@pytest.mark.parametrize("path", ["pending_queue/changes", "pending_queue/my_changes", "clip/pending"])
def test_a_list_leaves_the_states_that_it_does_not_show_in_the_database(queue, path):
    with CaptureQueriesContext(connection) as captured:
        assert send("GET", f"{V2}/{path}", key=APPROVER).status_code == 200
    assert any("payload" in query["sql"] for query in captured)
    assert not any("base_record" in query["sql"] or "live_" in query["sql"] for query in captured)


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
