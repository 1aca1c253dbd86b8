"""The audit views through the API."""

from typing import Any

import pytest

from moderation.models import AuditEvent
from moderation.services import batch_decide, change_apply, queue_purge
from references.vocabulary import CanonicalFormat
from tests.moderation.api.callers import APPROVER, HUGE, QUEUE, REQUESTOR, V1, problems, send, told
from tests.moderation.factories import (
    ADA,
    RAVI,
    apply_at_once,
    approve,
    make_live,
    propose_create,
    propose_delete,
    propose_update,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("people")]

AUDIT = f"{QUEUE}/audit"


def read(path: str) -> Any:
    response = send("GET", f"{AUDIT}/{path}", key=APPROVER)
    assert response.status_code == 200, response.content
    return response.json()


def test_what_is_pending_is_shown_newest_first_with_its_events():
    first, second, gone = propose_create("a"), propose_create("b", by=RAVI), propose_create("c")
    queue_purge(actor=ADA, change_ids=[gone.change_id])
    approve(propose_create("approved"))
    view = read("current")
    assert (view["domain"], view["total_pending"]) == ("v2", 2)
    assert view["generated_at"] >= second.requested_at
    newest, oldest = view["pending_changes"]
    assert (newest["change_id"], newest["requested_by"]) == (second.change_id, "102")
    assert oldest["events"] == [
        {
            "event_id": AuditEvent.objects.get(model_name=str(first.change_id)).event_id,
            "timestamp": first.requested_at,
            "action": "enqueue",
            "logical_user_id": "101",
            "payload": {
                "action": "enqueue",
                "change_id": first.change_id,
                "operation": "create",
                "category": "image_generation",
                "model": "a",
            },
        }
    ]


def test_a_batch_is_summed_up_and_shown_with_its_members():
    a, b, c = propose_create("a"), propose_create("b"), propose_create("c")
    batch_decide(
        actor=ADA,
        title="One",
        approved_ids=[a.change_id, b.change_id],
        rejected_ids=[c.change_id],
        reject_reason="r",
    )
    change_apply(actor=ADA, change_id=a.change_id)
    detail = read("batches/1")
    assert [(change["change_id"], change["status"]) for change in detail["changes"]] == [
        (a.change_id, "applied"),
        (c.change_id, "rejected"),
    ]
    assert [event["action"] for event in detail["changes"][0]["events"]] == ["enqueue", "approve", "apply"]
    summary = {name: value for name, value in detail.items() if name != "changes"}
    assert summary == read("batches")["batches"][1]
    counts = ("approved_change_count", "rejected_change_count", "applied_change_count", "total_change_count")
    assert [summary[name] for name in counts] == [1, 1, 1, 2]
    assert (summary["approved_by"], summary["applied_at"] is None) == ("900", False)


def test_batches_are_paged_without_gap_or_repeat():
    for number in range(5):
        apply_at_once(propose_create(f"m{number}"))
    seen, cursor = [], ""
    while True:
        page = read(f"batches?limit=2{cursor}")
        seen += [batch["batch_id"] for batch in page["batches"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert seen == [5, 4, 3, 2, 1]
    assert len(read("batches")["batches"]) == 5
    assert read("batches?cursor=1") == {"domain": "v2", "batches": [], "next_cursor": None}


def test_net_changes_tell_what_a_batch_came_to_and_are_never_behind():
    make_live("changed", nsfw=False)
    make_live("removed")
    created, updated = propose_create("added"), propose_update("changed", nsfw=True)
    deleted = propose_delete("removed")
    batch = approve(created, updated, deleted)
    assert read(f"batches/{batch}/net_changes")["model_changes"] == []
    change_apply(actor=ADA, change_id=created.change_id)
    assert read("batches/1/net_changes")["models_added"] == 1
    response = send("POST", f"{QUEUE}/apply_batch/2", key=APPROVER)
    assert response.status_code == 200
    net = read("batches/2/net_changes")
    assert (net["models_added"], net["models_modified"], net["models_deleted"]) == (0, 1, 1)
    assert net["has_critical_changes"] is True
    by_name = {change["model_name"]: change for change in net["model_changes"]}
    assert by_name["changed"]["before_state"]["nsfw"] is False
    assert by_name["changed"]["after_state"]["nsfw"] is True
    assert by_name["removed"]["after_state"] is None
    assert by_name["removed"]["net_operation"] == "deleted"


@pytest.mark.parametrize("path", ["batches/{}", "batches/{}/net_changes"])
@pytest.mark.parametrize(
    ("batch_id", "expected"),
    [
        ("99", (404, "Batch not found")),
        ("0", (404, "Batch not found")),
        ("-1", (404, "Batch not found")),
        (HUGE, (404, "Batch not found")),
        ("x", (422, "int_parsing")),
    ],
)
def test_an_id_of_a_batch_is_known_or_not_or_no_id(path, batch_id, expected):
    status, answer = told(send("GET", f"{AUDIT}/{path.format(batch_id)}", key=APPROVER))
    detail = answer["detail"]
    assert (status, detail if isinstance(detail, str) else detail[0]["type"]) == expected


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("batches?limit=0", ("greater_than_equal", ["query", "limit"])),
        ("batches?limit=51", ("less_than_equal", ["query", "limit"])),
        ("batches?cursor=0", ("greater_than_equal", ["query", "cursor"])),
        ("batches?cursor=x", ("int_parsing", ["query", "cursor"])),
        ("current?domain_override=v3", ("enum", ["query", "domain_override"])),
        ("batches?domain_override=V2", ("enum", ["query", "domain_override"])),
        ("batches/1?domain_override=", ("enum", ["query", "domain_override"])),
        ("batches/1/net_changes?domain_override=v3", ("enum", ["query", "domain_override"])),
    ],
)
def test_a_parameter_out_of_bounds_is_refused(path, problem):
    assert problems(send("GET", f"{AUDIT}/{path}", key=APPROVER)) == (422, [problem])


def test_the_domain_is_the_canonical_one_unless_another_is_asked_for(settings):
    apply_at_once(propose_create("m"))
    propose_create("n")
    assert read("current?domain_override=legacy")["pending_changes"] == []
    assert read("batches?domain_override=legacy") == {"domain": "legacy", "batches": [], "next_cursor": None}
    assert told(send("GET", f"{AUDIT}/batches/1?domain_override=legacy", key=APPROVER))[0] == 404
    settings.CANONICAL_FORMAT = CanonicalFormat.LEGACY
    assert read("current")["domain"] == "legacy"
    assert read("current?domain_override=v2")["total_pending"] == 1


def test_both_mounts_show_the_one_log():
    apply_at_once(propose_create("m"))
    for path in ("batches", "batches/1"):
        response = send("GET", f"{V1}/pending_queue/audit/{path}", key=APPROVER)
        assert told(response) == (200, read(path))


@pytest.mark.parametrize("path", ["current", "batches", "batches/1", "batches/1/net_changes"])
def test_without_a_log_its_views_are_unavailable_to_everyone(settings, path):
    settings.AUDIT_ENABLED = False
    for key in (None, REQUESTOR, APPROVER):
        status, answer = told(send("GET", f"{AUDIT}/{path}", key=key))
        assert (status, "disabled" in answer["detail"]) == (503, True)
