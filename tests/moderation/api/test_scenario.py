"""A recorded run through the moderated write path, from the first key check to the last purge, replayed."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management.color import no_style
from django.db import connection

from moderation.models import PendingChange
from references.horde import users
from references.services import record_put
from references.vocabulary import ReadRole
from tests.hordedouble import HordeDouble, running_horde
from tests.moderation.api.callers import PEOPLE, send, told
from tests.recorded import golden

Step = dict[str, Any]

RECORDED_AT = 1_700_000_000
EARLIEST = 1_600_000_000
# How the AI-Horde answers the keys of those whose key check fails.
UPSTREAM_MODES = {"timeout": "slow", "down": "down"}
# What diffs tell here beyond the recorded answers, and the words around a problem.
LEFT_OUT = frozenset(
    {"is_stale", "stale_reason", "base_state", "conflicting_fields", "item_diffs", "msg", "ctx", "input"}
)
TEXT_NAMES = ["aphrodite/Org/New-13B", "koboldcpp/New-13B"]

# The steps in which this service answers something else on purpose: status, and values by their place in the
# answer. `*` stands for every element.
OURS: dict[str, tuple[int, dict[str, Any]]] = {
    "my-plain": (401, {}),
    "batches-as-requestor": (401, {}),
    "create-as-plain": (401, {}),
    "apply-as-requestor": (401, {}),
    "create-6-text": (202, {"payload.parameters": 13_000_000_000, "related_models": TEXT_NAMES}),
    "list-all": (
        200,
        {"items.*.change_id": [1, 2, 3, 4, 5, 6], "items.5.payload.parameters": 13_000_000_000, "total": 6},
    ),
    "diff-delete": (
        200,
        {"proposed_state": None, "net_operation": "deleted", "is_critical": True, "fields_added": []},
    ),
    "apply-1-again": (
        200,
        {"record.change_id": 1, "record.status": "applied", "record.applied_job_id": "job-1"},
    ),
    "apply-batch-2": (
        200,
        {"applied.*.change_id": [2, 3, 5], "applied.*.batch_id": [2, 2, 2], "batch_split_occurred": False},
    ),
    "apply-batch-1-closed": (200, {"applied": []}),
    "approve-6": (200, {"batch_id": 3, "approved.0.payload.parameters": 13_000_000_000}),
    "apply-6-text": (200, {"applied.*.change_id": [6], "batch_split_occurred": False}),
    "audit-batches": (
        200,
        {
            "batches.*.batch_id": [3, 2],
            "batches.*.batch_title": ["Text", "Late joiner"],
            "batches.1.approved_change_count": 3,
            "batches.1.applied_change_count": 3,
            "batches.1.approved_by": "900",
            "next_cursor": 2,
        },
    ),
    "audit-batches-cursor": (200, {"batches.*.batch_id": [3, 2], "next_cursor": 2}),
    "net-1": (200, {"model_changes.*.net_operation": ["added"], "model_changes.0.before_state": None}),
    "net-2": (
        200,
        {
            "model_changes.*.model_name": ["live_a", "live_b", "live_c"],
            "model_changes.*.net_operation": ["modified", "deleted", "modified"],
            "model_changes.1.after_state": None,
        },
    ),
    "net-3": (200, {"model_changes.*.model_name": ["Org/New-13B"], "models_added": 1}),
    "net-4": (404, {}),
    "purge-dry": (200, {"removed_change_ids": [4], "dry_run": True}),
    "final-list": (200, {"items.*.change_id": [1, 2, 3, 5, 6], "items.*.batch_id": [1, 2, 2, 2, 3]}),
    "v1-no-roles": (200, {"user_id": "555", "roles": []}),
}


@pytest.fixture
def horde(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[HordeDouble]:
    monkeypatch.setattr(users, "CHECK_TIMEOUT", 0.3)
    with running_horde() as double:
        double.users = {**PEOPLE, "key-nohash": "Nobody"}
        settings.HORDE_URL = double.url
        settings.QUEUE_REQUESTOR_IDS = frozenset({"101", "102"})
        settings.QUEUE_APPROVER_IDS = frozenset({"900"})
        settings.QUEUE_READ_ROLE = ReadRole.ANY
        yield double


@pytest.fixture
def steps(db: None) -> list[Step]:
    """The steps, with the records they begin with stored and the ids of changes to be given from 1."""
    about, *steps = golden("queue_scenario.json")
    for name in ("live_a", "live_b", "live_c"):
        text = json.dumps(about["seeded_record"]).replace("live_a", name)
        record_put(category="image_generation", name=name, record=sendable(json.loads(text)))
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), [PendingChange]):
            cursor.execute(statement)
    return steps


def sendable(recorded: Any) -> Any:
    return json.loads(json.dumps(recorded).replace('"<timestamp>"', str(RECORDED_AT)))


def take(step: Step, horde: HordeDouble) -> tuple[int, Any]:
    role = step["role"]
    horde.next_modes = [UPSTREAM_MODES[role]] if role in UPSTREAM_MODES else []
    body = b"" if step["body"] is None else sendable(step["body"])
    key = None if role == "none" else f"key-{role}"
    return told(send(step["method"], f"/api{step['path']}", body, key=key))


def comparable(value: Any, name: str = "") -> Any:
    """An answer without what differs from run to run, and without wording."""
    if isinstance(value, dict):
        return {key: comparable(member, key) for key, member in value.items() if key not in LEFT_OUT}
    if isinstance(value, list):
        items = [comparable(item) for item in value]
        # The order of fields follows that of the stored record, which is not the recorded one's.
        return sorted(items, key=json.dumps) if name.startswith("field") else items
    if name in ("event_id", "last_event_id"):
        return "<event>"
    if name == "detail":
        return "<wording>"
    if isinstance(value, int) and value > EARLIEST and name != "parameters":
        return "<timestamp>"
    if isinstance(value, str) and re.fullmatch(r"apply-\d+-[0-9a-f]{32}", value):
        return "<generated job id>"
    return value


def at(answer: Any, place: str) -> Any:
    head, _, rest = place.partition(".")
    if head == "*":
        return [at(item, rest) for item in answer]
    found = answer[int(head)] if isinstance(answer, list) else answer[head]
    return at(found, rest) if rest else found


def test_the_recorded_run_goes_the_same_way_here(steps: list[Step], horde: HordeDouble):
    assert OURS.keys() == {step["step"] for step in steps if "ours" in step}
    for step in steps:
        name = step["step"]
        status, answer = take(step, horde)
        if name in OURS:
            expected_status, values = OURS[name]
            found = {place: at(answer, place) for place in values}
            assert (name, status, found) == (name, expected_status, values)
        else:
            expected = (name, step["status"], comparable(step["response"]))
            assert (name, status, comparable(answer)) == expected
