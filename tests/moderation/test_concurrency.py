"""Many at once: whoever comes first wins, everyone else is told, and nothing is lost or done twice."""

import os
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, connection, connections, transaction
from rest_framework.exceptions import APIException

from moderation.models import AuditEvent, AuditHead, Batch, PendingChange
from moderation.rebuild import differences
from moderation.replay import log_replay
from moderation.services import (
    applying,
    batch_apply,
    batch_decide,
    change_apply,
    change_reopen,
    change_withdraw,
    changes_apply,
    queue_purge,
    transactions,
)
from moderation.services.transactions import in_one_transaction
from references.journal import RecordWrite
from references.models import Category, ModelRecord
from references.problems import Unavailable
from references.services import record_put
from tests.factories import make_v2
from tests.moderation.factories import (
    ADA,
    BEN,
    IMAGES,
    RITA,
    apply_at_once,
    approve,
    make_live,
    propose_create,
    propose_update,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("shared_store")]
ROOT = Path(__file__).resolve().parents[2]


def together(*acts: Callable[[], object]) -> list[object]:
    """Runs the acts at once, each on its own connection; returns what each returned or was refused with."""
    barrier = threading.Barrier(len(acts))

    def run(act: Callable[[], object]) -> object:
        try:
            barrier.wait(timeout=30)
            return act()
        except APIException as refusal:
            return refusal
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(acts)) as pool:
        return [future.result() for future in [pool.submit(run, act) for act in acts]]


def statuses(outcomes: Sequence[object]) -> Counter:
    return Counter(outcome.status_code if isinstance(outcome, APIException) else 200 for outcome in outcomes)


def actions() -> Counter:
    """How often each act on the queue is in the log, and each write of a live record."""
    counted = Counter()
    for event in AuditEvent.objects.all():
        if event.category == AuditEvent.QUEUE:
            counted[event.payload_as_dict()["after"]["action"]] += 1
        else:
            counted[f"live {event.operation}"] += 1
    return counted


def assert_the_log_is_true() -> None:
    replay = log_replay()
    assert [*replay.faults, *differences(replay)] == []
    assert AuditHead.objects.get().last_event_id == AuditEvent.objects.count()


def test_fifty_proposals_at_once_are_fifty_changes():
    outcomes = together(*[lambda number=number: propose_create(f"m{number}") for number in range(50)])
    assert len({change.change_id for change in outcomes}) == 50
    assert PendingChange.objects.count() == 50
    assert actions() == {"enqueue": 50}
    assert_the_log_is_true()


WORKER = """
import sys
import django
django.setup()
from tests.moderation.factories import propose_create
for number in range(10):
    propose_create(f"{sys.argv[1]} {number}")
"""


def test_proposals_of_several_processes_are_all_kept():
    environment = {**os.environ, "DATABASE_URL": database_url(), "DJANGO_SETTINGS_MODULE": "config.settings"}
    workers = [
        subprocess.Popen([sys.executable, "-c", WORKER, f"worker {number}"], cwd=ROOT, env=environment)
        for number in range(4)
    ]
    assert [worker.wait(timeout=120) for worker in workers] == [0] * 4
    assert PendingChange.objects.count() == 40
    assert actions() == {"enqueue": 40}
    assert_the_log_is_true()


def database_url() -> str:
    settings = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{settings['NAME']}"
    user = f"{settings['USER']}:{settings['PASSWORD']}" if settings["PASSWORD"] else settings["USER"]
    return f"postgres://{user}@{settings['HOST']}:{settings['PORT']}/{settings['NAME']}"


def test_a_change_applied_by_twenty_at_once_is_applied_once():
    change, other = propose_create("a"), propose_create("b")
    approve(change, other)
    outcomes = together(*[lambda: change_apply(actor=ADA, change_id=change.pk)] * 20)
    assert statuses(outcomes) == {200: 1, 400: 19}
    assert actions() == {"enqueue": 2, "approve": 2, "live create": 1, "apply": 1, "batch_split": 1}
    assert Category.objects.get(pk=IMAGES).revision == 1
    assert_the_log_is_true()


def test_a_job_that_twenty_repeat_at_once_is_done_once_and_well_for_all():
    change = propose_create("a")
    approve(change)
    outcomes = together(*[lambda: change_apply(actor=ADA, change_id=change.pk, job_id="job-1")] * 20)
    assert statuses(outcomes) == {200: 20}
    assert actions() == {"enqueue": 1, "approve": 1, "live create": 1, "apply": 1}


@pytest.mark.parametrize("attempt", range(3))
def test_of_an_approval_and_a_rejection_one_wins(attempt):
    change = propose_create("a")
    outcomes = together(
        lambda: batch_decide(actor=ADA, title="Yes", approved_ids=[change.pk]),
        lambda: batch_decide(actor=BEN, title="No", rejected_ids=[change.pk], reject_reason="no"),
    )
    assert statuses(outcomes) == {200: 1, 400: 1}
    change.refresh_from_db()
    approved = not isinstance(outcomes[0], APIException)
    assert change.status == ("approved" if approved else "rejected")
    assert change.batch_title == ("Yes" if approved else "No")
    assert actions() == {"enqueue": 1, "approve" if approved else "reject": 1}
    assert_the_log_is_true()


def test_approvals_at_once_share_one_batch():
    apply_at_once(propose_create("of a batch before"))
    changes = [propose_create(f"m{number}") for number in range(8)]
    outcomes = together(
        *[
            lambda change=change: batch_decide(actor=ADA, title="T", approved_ids=[change.pk])
            for change in changes
        ]
    )
    assert {decision.batch_id for decision in outcomes} == {2}
    assert Batch.objects.count() == 2
    assert_the_log_is_true()


@pytest.mark.parametrize("attempt", range(3))
def test_a_purge_and_an_apply_at_once_lose_nothing(attempt):
    change = propose_create("a")
    approve(change)
    applied, purged = together(
        lambda: change_apply(actor=ADA, change_id=change.pk),
        lambda: queue_purge(actor=BEN, change_ids=[change.pk]),
    )
    assert purged.removed_change_ids == (change.pk,)
    assert not PendingChange.objects.exists()
    if isinstance(applied, APIException):
        assert applied.status_code == 404
        assert actions() == {"enqueue": 1, "approve": 1, "purge": 1}
        assert not ModelRecord.objects.exists()
    else:
        assert actions() == {"enqueue": 1, "approve": 1, "live create": 1, "apply": 1, "purge": 1}
        assert PendingChange.recorded.get().status == "applied"
    assert_the_log_is_true()


def test_lists_that_overlap_apply_each_change_once():
    changes = [propose_create(f"m{number}", category=("clip", IMAGES)[number % 2]) for number in range(6)]
    ids = [change.pk for change in changes]
    approve(*changes)
    outcomes = together(
        lambda: changes_apply(actor=ADA, change_ids=ids[:4], job_id="one", allow_mixed_batch=True),
        lambda: changes_apply(actor=BEN, change_ids=ids[:1:-1], job_id="two", allow_mixed_batch=True),
    )
    assert {change.status for change in PendingChange.objects.all()} <= {"applied", "approved"}
    done = [change.pk for result in outcomes for change in result.applied]
    assert len(done) == len(set(done)) == PendingChange.objects.applied().count()
    counted = actions()
    assert counted["apply"] == counted["live create"] == len(done) == ModelRecord.objects.count()
    # Whoever comes second finds a change of the other's list applied, and stops there.
    assert sorted(result.status for result in outcomes) == [200, 400]
    assert_the_log_is_true()


def test_everything_at_once_ends_in_a_store_that_the_log_explains():
    make_live("live", description="before")
    changes = [propose_create(f"m{number}") for number in range(6)]
    updates = [propose_update("live", description=f"by {number}") for number in range(3)]
    pending = [propose_create(f"p{number}") for number in range(4)]
    batch_id = approve(*changes, *updates)
    acts = [
        lambda: batch_apply(actor=ADA, batch_id=batch_id),
        lambda: batch_apply(actor=BEN, batch_id=batch_id, on_conflict="overwrite"),
        lambda: changes_apply(actor=ADA, change_ids=[change.pk for change in reversed(changes)]),
        lambda: change_reopen(actor=BEN, change_id=changes[0].pk),
        lambda: queue_purge(actor=ADA, change_ids=[changes[1].pk]),
        lambda: change_withdraw(actor=RITA, change_id=pending[0].pk),
        lambda: batch_decide(actor=BEN, title="T", approved_ids=[pending[0].pk, pending[1].pk]),
        lambda: batch_decide(actor=ADA, title="U", approved_ids=[pending[2].pk, pending[1].pk]),
        lambda: queue_purge(actor=ADA, statuses=["rejected"]),
        lambda: propose_create("new"),
        lambda: record_put(category="clip", name="direct", record=make_v2("clip", "direct")),
        lambda: record_put(category=IMAGES, name="direct", record=make_v2(IMAGES, "direct")),
    ]
    outcomes = together(*acts)
    assert set(statuses(outcomes)) <= {200, 400, 404, 409}
    assert PendingChange.objects.approved().values("batch_id").distinct().count() <= 1
    assert_the_log_is_true()


def test_readers_see_all_of_an_apply_or_none_of_it():
    changes = [propose_create(f"m{number}") for number in range(20)]
    number = approve(*changes)
    seen = []

    def watch() -> None:
        for _ in range(200):
            seen.append((ModelRecord.objects.count(), PendingChange.objects.applied().count()))
            if seen[-1][0] == 20:
                return
            time.sleep(0.002)

    together(watch, lambda: batch_apply(actor=ADA, batch_id=number))
    assert {records for records, _ in seen} <= {0, 20}


def failing(times: int, error: Exception) -> Callable[[], str]:
    """A service that fails so many times before it works."""
    left = [error] * times

    @in_one_transaction
    def service() -> str:
        ModelRecord.objects.exists()
        if left:
            raise left.pop()
        return "done"

    return service


@pytest.fixture
def no_pause(monkeypatch):
    monkeypatch.setattr(transactions, "_PAUSE", 0)


@pytest.mark.usefixtures("no_pause")
def test_what_the_database_broke_off_is_begun_again():
    assert failing(3, OperationalError("database is locked"))() == "done"
    with pytest.raises(Unavailable):
        failing(4, OperationalError("database is locked"))()


@pytest.mark.usefixtures("no_pause")
@pytest.mark.parametrize("code", ["40001", "40P01"])
def test_deadlocks_and_serialization_failures_are_begun_again(code):
    cause = Exception()
    cause.sqlstate = code
    error = OperationalError("broken off")
    error.__cause__ = cause
    assert failing(3, error)() == "done"


@pytest.mark.usefixtures("no_pause")
def test_other_faults_of_the_store_are_not_repeated():
    service = failing(1, OperationalError("disk I/O error"))
    with pytest.raises(Unavailable):
        service()
    assert service() == "done"


@pytest.mark.usefixtures("no_pause")
def test_a_fault_that_ends_the_whole_transaction_is_told_and_leaves_nothing_applied(monkeypatch):
    number = approve(propose_create("a"), propose_create("b"))
    put = applying.record_put

    def put_and_lose_all(**given: Any) -> RecordWrite:
        write = put(**given)
        if given["name"] == "b":
            # What a full disk does to SQLite.
            with connection.cursor() as cursor:
                cursor.execute("ROLLBACK")
            raise OperationalError("database or disk is full")
        return write

    monkeypatch.setattr(applying, "record_put", put_and_lose_all)
    with pytest.raises(Unavailable, match="nothing was changed"):
        batch_apply(actor=ADA, batch_id=number)
    assert not ModelRecord.objects.exists()
    assert [change.status for change in PendingChange.objects.all()] == ["approved", "approved"]
    assert_the_log_is_true()


def test_a_commit_that_broke_off_is_not_said_to_have_changed_nothing(monkeypatch, caplog):
    service = failing(0, OperationalError())

    def break_off(atomic: transaction.Atomic, *error: object) -> None:
        rollback(atomic, RuntimeError, RuntimeError(), None)
        raise OperationalError("the connection was lost")

    rollback = transaction.Atomic.__exit__
    with monkeypatch.context() as broken:
        broken.setattr(transaction.Atomic, "__exit__", break_off)
        with pytest.raises(Unavailable, match="see whether this was done"):
            service()
    assert "the connection was lost" in caplog.text
    with pytest.raises(Unavailable, match="nothing was changed"):
        failing(1, OperationalError("disk I/O error"))()


@pytest.mark.usefixtures("no_pause")
def test_inside_a_transaction_of_the_caller_nothing_is_repeated():
    service = failing(1, OperationalError("database is locked"))
    with pytest.raises(OperationalError), transaction.atomic():
        service()
