"""A process that is killed while it applies leaves everything of an apply behind, or nothing."""

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from django.db import connections, transaction

from moderation.events import head_lock
from moderation.models import AuditEvent, AuditHead, Batch, PendingChange, QueueState
from moderation.rebuild import differences
from moderation.replay import log_replay
from moderation.services import Proposal, batch_decide, change_apply, changes_apply, changes_propose
from moderation.services.transactions import queue_lock
from moderation.states import Operation, Status
from references.models import Category, ModelRecord
from tests.factories import make_v2
from tests.moderation.factories import ADA, RITA, make_live
from tests.moderation.processes import Store, forked, throwaway_store

SEED = 20_240
CHANGES = 200
# So many applies a process finishes at the most, before it is killed during the next one.
LONGEST_LIFE = 8
FIRST_PACE = 0.02
ALL_IS_WELL = "all is as the log says"
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
    assert seen["faults"] == []
    assert seen["kills"] >= CHANGES // LONGEST_LIFE
    assert seen["statuses"] == {"applied": CHANGES}
    assert seen["apply events"] == seen["live writes"] == CHANGES
    assert ALL_IS_WELL in store.manage("rebuild_from_audit", "--check")


def test_an_apply_killed_at_any_of_its_steps_leaves_no_trace(store):
    outcomes = store.call(apply_killed_at_every_step)
    assert len(outcomes) > 30
    # The last step comes after the commit.
    assert outcomes == ["untouched"] * (len(outcomes) - 1) + ["applied"]
    assert ALL_IS_WELL in store.manage("rebuild_from_audit", "--check")


# What follows runs in the processes that the tests start.


def approved_changes(number: int) -> list[int]:
    """So many approved changes of all kinds, each of a model of its own, by id."""
    proposals = []
    for index in range(number):
        operation = list(EFFECTS)[index % len(EFFECTS)]
        category, name = CATEGORIES[index // len(EFFECTS) % len(CATEGORIES)], f"model {index}"
        before, after = EFFECTS[operation]
        if before:
            make_live(name, category=category, description=before)
        payload = make_v2(category, name, description=after) if after else None
        proposals.append(Proposal(category, name, operation, payload, route="test"))
    ids = [change.pk for change in changes_propose(actor=RITA, proposals=proposals)]
    batch_decide(actor=ADA, title="All", approved_ids=ids)
    return ids


def apply_under_fire(seed: int) -> dict[str, Any]:
    """Applies changes in processes that are killed, one after the other, until everything is applied."""
    chance = random.Random(seed)  # noqa: S311 - moments, no secrets
    waiting = approved_changes(CHANGES)
    faults: list[str] = []
    finished: set[int] = set()
    kills = 0
    while waiting:
        finished |= finished_before_the_kill(waiting, chance)
        kills += 1
        faults += store_faults(finished)
        waiting = list(PendingChange.objects.approved().oldest_first().values_list("pk", flat=True))
    return {
        "faults": faults,
        "kills": kills,
        "statuses": Counter(PendingChange.objects.values_list("status", flat=True)),
        "apply events": sum(apply_events().values()),
        "live writes": sum(live_writes().values()),
    }


def finished_before_the_kill(waiting: Sequence[int], chance: random.Random) -> set[int]:
    """The changes whose apply had returned when the process that applies them was killed."""
    worker = forked(apply_each, waiting)
    worker.end.recv()
    begun, pace, finished = time.monotonic(), FIRST_PACE, set()
    life = min(chance.randrange(LONGEST_LIFE), len(waiting))
    for done in range(1, life + 1):
        finished.add(worker.end.recv())
        pace = (time.monotonic() - begun) / done
    time.sleep(chance.uniform(0, 1.5 * pace))
    finished.update(worker.kill())
    assert worker.process.exitcode in (-signal.SIGKILL, 0)
    return finished


def apply_each(waiting: Sequence[int], end: Connection) -> None:
    connections["default"].ensure_connection()
    end.send(None)
    for change_id in waiting:
        change_apply(actor=ADA, change_id=change_id)
        end.send(change_id)


def apply_killed_at_every_step() -> list[str]:
    """What became of an apply of three changes, killed before its first step, before its second, and so on."""
    ids = approved_changes(4)
    outcomes: list[str] = []
    before = everything()
    while not outcomes or outcomes[-1] == "untouched":
        worker = forked(apply_killed_at, ids[:3], len(outcomes))
        worker.left()
        assert worker.process.exitcode == -signal.SIGKILL
        is_untouched = everything() == before
        outcomes.append("untouched" if is_untouched else ", ".join(store_faults(ids[:3])) or "applied")
    return outcomes


def apply_killed_at(ids: Sequence[int], last: int, end: Connection) -> None:
    """Steps are statements, and both sides of the commit."""
    connection, steps = connections["default"], count()
    connection.ensure_connection()
    commit = connection._commit

    def step() -> None:
        if next(steps) == last:
            os.kill(os.getpid(), signal.SIGKILL)

    def execute_step(execute: Callable, *statement: Any) -> Any:
        step()
        return execute(*statement)

    def commit_step() -> None:
        step()
        commit()
        step()

    with connection.execute_wrapper(execute_step), patch.object(connection, "_commit", commit_step):
        changes_apply(actor=ADA, change_ids=ids)


def everything() -> list[list[tuple]]:
    with nobody_writes():
        return [list(table._base_manager.order_by("pk").values_list()) for table in TABLES]


def store_faults(finished: Sequence[int] | set[int]) -> list[str]:
    """All in which the store is not what it must be when these changes, and perhaps others, are applied."""
    with nobody_writes():
        replay = log_replay()
        faults = [*replay.faults, *differences(replay)]
        logged, written = apply_events(), live_writes()
        live = {
            (row.category_id, row.name): row.as_dict()["description"] for row in ModelRecord.objects.all()
        }
        for change in PendingChange.objects.all():
            is_applied = change.status == Status.APPLIED
            if change.pk in finished and not is_applied:
                faults.append(f"{change.pk} is lost")
            if live.get((change.category, change.model_name)) != EFFECTS[change.operation][is_applied]:
                faults.append(f"{change.pk} is {change.status}, its model is not")
            if not logged[str(change.pk)] == written[change.applied_job_id] == is_applied:
                faults.append(f"{change.pk} is {change.status}, the log is not")
        if PendingChange.objects.approved().order_by().values("batch_id").distinct().count() > 1:
            faults.append("two batches are open")
        faults += [
            f"{row.name} has revision {row.revision}"
            for row in Category.objects.all()
            if row.revision != AuditEvent.objects.filter(category=row.name).count()
        ]
    return faults


@contextmanager
def nobody_writes() -> Iterator[None]:
    """Waits for the last words of a process that was killed: a database server may still carry them out."""
    with transaction.atomic():
        queue_lock()
        head_lock()
        yield


def apply_events() -> Counter[str]:
    """How often the log says of each change that it was applied."""
    events = AuditEvent.objects.filter(category=AuditEvent.QUEUE)
    return Counter(
        event.model_name for event in events if event.payload_as_dict()["after"]["action"] == "apply"
    )


def live_writes() -> Counter[str | None]:
    """How often each job wrote a live record."""
    events = AuditEvent.objects.filter(category__in=CATEGORIES, request_id__isnull=False)
    return Counter(events.values_list("request_id", flat=True))
