"""A process that is killed while it applies leaves everything of an apply behind, or nothing."""

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction

from moderation.events import head_lock
from moderation.models import AuditEvent, AuditHead, Batch, PendingChange, QueueState
from moderation.rebuild import differences
from moderation.replay import log_replay
from moderation.services import Proposal, batch_decide, change_apply, changes_apply, changes_propose
from moderation.services.transactions import queue_lock
from moderation.states import Operation
from references.models import Category, ModelRecord
from tests.factories import make_v2
from tests.moderation.factories import ADA, RITA, make_live
from tests.moderation.processes import _FORK, Store, forked, throwaway_store

SEED = 20_240
CHANGES = 200
# At most so many applies are finished before the next kill.
LONGEST_LIFE = 8
CATEGORIES = ("image_generation", "text_generation", "clip")
# The description of the live record before and after a change of each kind; None where there is no record.
EFFECTS = {
    Operation.CREATE: (None, "after"),
    Operation.UPDATE: ("before", "after"),
    Operation.DELETE: ("before", None),
}
TABLES = (Category, ModelRecord, PendingChange, Batch, QueueState, AuditEvent, AuditHead)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with throwaway_store(tmp_path) as store:
        yield store


def test_two_hundred_applies_survive_kills_at_random_moments(store):
    seen = store.call(apply_under_fire, SEED)
    assert seen["torn"] == []
    assert seen["kills"] >= CHANGES / LONGEST_LIFE
    assert seen["killed inside an apply"] > 0
    assert seen["statuses"] == {"applied": CHANGES}
    assert seen["apply events"] == seen["live writes"] == CHANGES
    assert "all is as the log says" in store.manage("rebuild_from_audit", "--check")


def test_an_apply_killed_before_any_of_its_statements_leaves_no_trace(store):
    outcomes = store.call(apply_killed_at_every_step)
    # The last kill comes after the commit.
    assert outcomes == ["untouched"] * (len(outcomes) - 1) + ["applied"]
    assert len(outcomes) > 30
    assert "all is as the log says" in store.manage("rebuild_from_audit", "--check")


# What follows runs in the process that the tests start.


def approved_changes(count: int) -> list[int]:
    """So many approved changes of all kinds, each of a model of its own."""
    proposals = []
    for number in range(count):
        operation = list(EFFECTS)[number % len(EFFECTS)]
        category, name = CATEGORIES[number // len(EFFECTS) % len(CATEGORIES)], f"model {number}"
        if operation is not Operation.CREATE:
            make_live(name, category=category, description="before")
        payload = None
        if operation is not Operation.DELETE:
            payload = make_v2(category, name, description="after")
        proposals.append(Proposal(category, name, operation, payload, route="a test"))
    ids = [change.pk for change in changes_propose(actor=RITA, proposals=proposals)]
    batch_decide(actor=ADA, title="All", approved_ids=ids)
    return ids


def apply_under_fire(seed: int) -> dict[str, Any]:
    """Applies one change after the other in processes that are killed at any moment, until all are applied."""
    chance = random.Random(seed)  # noqa: S311 - moments, not secrets
    waiting = approved_changes(CHANGES)
    told: set[int] = set()
    kills = inside = 0
    torn: list[str] = []
    while waiting:
        lives = chance.randrange(LONGEST_LIFE)
        told |= killed_after(waiting, lives, chance)
        applied = set(PendingChange.objects.applied().values_list("pk", flat=True))
        torn += store_faults(told)
        kills += 1
        inside += bool(applied - told)
        told |= applied
        waiting = [change_id for change_id in waiting if change_id not in applied]
    return {
        "kills": kills,
        "killed inside an apply": inside,
        "torn": torn,
        "statuses": Counter(PendingChange.objects.values_list("status", flat=True)),
        "apply events": len(apply_events()),
        "live writes": AuditEvent.objects.filter(category__in=CATEGORIES, request_id__isnull=False).count(),
    }
