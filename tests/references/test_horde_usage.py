import json
import os
import subprocess
import sys

import pytest

from references.horde import (
    CircuitOpen,
    HordeBadAnswer,
    HordeError,
    HordeTimeout,
    HordeUnavailable,
    ModelStatus,
    ModelUsage,
    Worker,
    circuit_state,
    models_status,
    models_usage,
    refresh,
    usage,
    usage_data,
    workers,
)
from references.horde.circuit import PAUSE_SECONDS
from references.horde.client import longest_call
from references.horde.usage import STATUS_CALLS, USAGE_CALLS, WORKER_CALLS
from references.models import UsageSnapshot
from tests.hordedouble import run_calls_inline, running_horde, stop_clock

STATUS = STATUS_CALLS["image"].path
USAGE = USAGE_CALLS["image"].path
WORKERS = WORKER_CALLS["image"].path
PAINTER = ModelStatus(name="Painter", count=4, jobs=1, queued=9, eta=3)


@pytest.fixture
def horde(settings):
    with running_horde() as horde:
        settings.HORDE_URL = horde.url
        yield horde


@pytest.fixture
def clock(monkeypatch, db):
    """A world without threads, whose time only the test moves."""
    run_calls_inline(monkeypatch)
    return stop_clock(monkeypatch)


def outcome(call):
    try:
        return call()
    except HordeError as error:
        return type(error)


def test_the_calls_are_those_of_the_ai_horde(horde, clock):
    for kind in ("image", "text"):
        models_status(kind)
        models_usage(kind)
        workers(kind)
    assert horde.calls == {
        "status/models?type=image&model_state=known": 1,
        "status/models?type=text&model_state=known": 1,
        "stats/img/models?model_state=known": 1,
        "stats/text/models?model_state=known": 1,
        "workers?type=image": 1,
        "workers?type=text": 1,
    }
    assert all(headers["apikey"] is None for headers in horde.headers)


def test_answers_come_parsed(horde, clock):
    assert models_status("image") == (PAINTER,)
    assert models_usage("image") == ModelUsage(
        day={"Painter": 1}, month={"Painter": 20}, total={"Painter": 300}
    )
    assert workers("image") == (Worker(id="w1", name="Easel", models=("Painter",), online=True),)


def test_all_data_of_a_kind_comes_at_once(horde, clock):
    without = usage_data("image")
    assert without.workers is None
    assert horde.calls == {STATUS: 1, USAGE: 1}
    data = usage_data("image", include_workers=True)
    assert (data.status, data.usage, data.workers) == (
        models_status("image"),
        models_usage("image"),
        workers("image"),
    )
    assert data.fetched_at == (clock.now,) * 3
    assert horde.calls == {STATUS: 1, USAGE: 1, WORKERS: 1}


def test_the_good_answer_is_stored_as_it_came(horde, clock):
    models_status("image")
    row = UsageSnapshot.objects.get(path=STATUS)
    assert json.loads(row.body) == horde.answers[STATUS]
    assert (row.fetched_at, row.claimed_until) == (clock.now, 0)


def test_a_fresh_copy_is_served_without_a_call(horde, clock, django_assert_num_queries):
    models_status("image")
    clock.now += 59
    with django_assert_num_queries(1):
        assert models_status("image") == (PAINTER,)
    assert horde.calls == {STATUS: 1}


def test_a_copy_that_another_process_stored_is_found(horde, clock):
    models_status("image")
    clock.now += 10
    newer = json.dumps([{"name": "Newcomer", "count": 1}])
    UsageSnapshot.objects.filter(path=STATUS).update(body=newer, fetched_at=clock.now)
    assert models_status("image") == (ModelStatus(name="Newcomer", count=1),)
    assert horde.calls == {STATUS: 1}


def test_the_time_to_live_is_a_setting(horde, clock, settings):
    settings.HORDE_API_CACHE_TTL = 5
    models_status("image")
    clock.now += 6
    models_status("image")
    assert horde.calls == {STATUS: 2}


def test_an_old_copy_is_served_at_once_and_renewed_behind(horde, clock):
    models_status("image")
    clock.now += 3600
    horde.answers[STATUS] = [{"name": "Newcomer", "count": 1}]
    assert models_status("image") == (PAINTER,)
    assert horde.calls == {STATUS: 2}
    assert models_status("image") == (ModelStatus(name="Newcomer", count=1),)
    assert horde.calls == {STATUS: 2}


@pytest.mark.parametrize("mode", ["500", "429", "down", "cut", "404", "garbage", "html", "redirect"])
def test_an_old_copy_outlives_any_failure(horde, clock, mode):
    data = usage_data("image", include_workers=True)
    horde.mode = mode
    for _ in range(10):
        clock.now += 1000
        assert usage_data("image", include_workers=True) == data
    assert circuit_state()["degraded"] is True


@pytest.mark.parametrize(
    "body", [b"[]x", b"{}", b'{"message": "maintenance"}', b"[1, 2]", b"null", b"\xff\xfe", b"[NaN"]
)
def test_a_wrong_body_is_a_failure_after_one_attempt_and_leaves_the_copy(horde, clock, body):
    models_status("image")
    stored = UsageSnapshot.objects.get(path=STATUS).body
    horde.answers[STATUS] = body
    clock.now += 100
    assert models_status("image") == (PAINTER,)
    assert UsageSnapshot.objects.get(path=STATUS).body == stored
    assert horde.calls == {STATUS: 2}
    assert circuit_state()["consecutive_failures"] == 1


@pytest.mark.parametrize(
    ("mode", "attempts", "error"),
    [
        ("503", 3, HordeUnavailable),
        ("429", 3, HordeUnavailable),
        ("down", 3, HordeUnavailable),
        ("cut", 3, HordeUnavailable),
        ("404", 1, HordeBadAnswer),
        ("garbage", 1, HordeBadAnswer),
    ],
)
def test_without_a_copy_a_failure_reaches_the_caller(horde, clock, mode, attempts, error):
    horde.mode = mode
    with pytest.raises(error):
        models_status("image")
    assert horde.calls == {STATUS: attempts}
    assert circuit_state()["consecutive_failures"] == 1


def test_a_failure_is_not_remembered_as_an_answer(horde, clock):
    horde.next_modes = ["404"]
    with pytest.raises(HordeBadAnswer):
        models_status("image")
    assert models_status("image") == (PAINTER,)
    assert circuit_state()["consecutive_failures"] == 0


def test_five_failures_in_a_row_end_all_calls_for_two_minutes(horde, clock):
    """An AI-Horde that is down from the start, and its return."""
    horde.mode = "503"
    asked = [models_status, models_usage, workers] * 2
    outcomes = [outcome(lambda ask=ask: ask("image")) for ask in asked]
    assert outcomes == [HordeUnavailable] * 5 + [CircuitOpen]
    assert horde.calls == {STATUS: 6, USAGE: 6, WORKERS: 3}
    assert circuit_state() == {"degraded": True, "consecutive_failures": 5, "seconds_until_retry": 120.0}

    horde.mode = "ok"
    clock.now += PAUSE_SECONDS - 1
    for kind in ("image", "text"):
        for ask in (models_status, models_usage, workers):
            assert outcome(lambda ask=ask, kind=kind: ask(kind)) is CircuitOpen
    assert horde.calls.total() == 15

    clock.now += 2
    assert models_status("image") == (PAINTER,)
    assert circuit_state() == {"degraded": False, "consecutive_failures": 0, "seconds_until_retry": None}
    assert horde.calls.total() == 16


def test_a_failing_probe_is_the_only_call_of_the_next_two_minutes(horde, clock):
    horde.mode = "404"
    for _ in range(5):
        outcome(lambda: models_status("text"))
    clock.now += PAUSE_SECONDS
    assert outcome(lambda: usage_data("image", include_workers=True)) is HordeBadAnswer
    assert horde.calls.total() == 6
    clock.now += PAUSE_SECONDS - 1
    assert outcome(lambda: usage_data("image", include_workers=True)) is CircuitOpen
    assert horde.calls.total() == 6


def test_an_open_circuit_costs_a_reader_of_old_copies_no_thread(horde, clock, monkeypatch):
    models_status("image")
    horde.mode = "404"
    for _ in range(5):
        outcome(lambda: models_status("text"))
    clock.now += 61
    monkeypatch.setattr(usage, "_refresh_behind", lambda call: pytest.fail("a refresh was started"))
    assert models_status("image") == (PAINTER,)


def test_a_claim_of_another_process_keeps_this_one_from_calling(horde, clock):
    models_status("image")
    clock.now += 100
    UsageSnapshot.objects.update(claimed_until=clock.now + 30)
    assert models_status("image") == (PAINTER,)
    assert horde.calls == {STATUS: 1}
    assert clock.slept == []
    clock.now += 31
    models_status("image")
    assert horde.calls == {STATUS: 2}


def test_without_a_copy_the_answer_of_the_process_with_the_claim_is_awaited(horde, clock, monkeypatch):
    UsageSnapshot.objects.create(path=STATUS, body="", fetched_at=0, claimed_until=clock.now + 30)

    def deliver(seconds):
        clock.now += seconds
        if clock.now > 1_700_000_001:
            body = json.dumps([{"name": "Delivered", "count": 1}])
            UsageSnapshot.objects.update(body=body, fetched_at=clock.now, claimed_until=0)

    monkeypatch.setattr(usage.time, "sleep", deliver)
    assert models_status("image") == (ModelStatus(name="Delivered", count=1),)
    assert not horde.calls


def test_the_failure_of_the_process_with_the_claim_is_shared(horde, clock, monkeypatch):
    UsageSnapshot.objects.create(path=STATUS, body="", fetched_at=0, claimed_until=clock.now + 30)
    monkeypatch.setattr(usage.time, "sleep", lambda seconds: UsageSnapshot.objects.update(claimed_until=0))
    with pytest.raises(HordeUnavailable):
        models_status("image")
    assert not horde.calls
    assert circuit_state()["consecutive_failures"] == 0


def test_the_claim_of_a_process_that_died_lapses(horde, clock, settings):
    lapse = clock.now + longest_call(settings.HORDE_API_TIMEOUT)
    UsageSnapshot.objects.create(path=STATUS, body="", fetched_at=0, claimed_until=lapse)
    with pytest.raises(HordeUnavailable):
        models_status("image")
    assert clock.now > lapse
    assert models_status("image") == (PAINTER,)


def test_times_from_a_wrong_clock_are_neither_fresh_nor_claims(horde, clock):
    far = clock.now + 1_000_000
    body = json.dumps([{"name": "Old", "count": 1}])
    UsageSnapshot.objects.create(path=STATUS, body=body, fetched_at=far, claimed_until=far)
    models_status("image")
    assert models_status("image") == (PAINTER,)


def test_a_stored_copy_that_cannot_be_parsed_counts_as_none(horde, clock):
    UsageSnapshot.objects.create(path=STATUS, body="{}", fetched_at=clock.now)
    assert models_status("image") == (PAINTER,)
    assert horde.calls == {STATUS: 1}


def test_a_copy_is_parsed_once(horde, clock, monkeypatch):
    models_status("image")
    assert models_status("image") is models_status("image")
    usage._copies.clear()
    first = models_status("image")
    assert models_status("image") is first


def test_refresh_reports_each_path(horde, clock):
    horde.answers[USAGE] = b"nonsense"
    outcomes = refresh("image")
    assert list(outcomes) == [STATUS, USAGE, WORKERS]
    assert (outcomes[STATUS], outcomes[WORKERS]) == (None, None)
    assert isinstance(outcomes[USAGE], HordeBadAnswer)
    assert horde.calls == {STATUS: 1, USAGE: 1, WORKERS: 1}


def test_refresh_makes_all_attempts_and_leaves_fresh_copies_alone(horde, clock):
    models_status("image")
    horde.next_modes = ["500", "down", "ok"]
    assert set(refresh("image").values()) == {None}
    assert horde.calls == {STATUS: 1, USAGE: 3, WORKERS: 1}


def test_a_caller_who_will_not_wait_gets_the_copy_or_a_timeout(horde, clock, monkeypatch):
    monkeypatch.setattr(usage.BackgroundCall, "start", lambda self: None)
    monkeypatch.setattr(usage.BackgroundCall, "is_alive", lambda self: True)
    with pytest.raises(HordeTimeout):
        models_status("image", wait=0)
    UsageSnapshot.objects.create(path=STATUS, body="[]", fetched_at=1)
    assert models_status("image", wait=0) == ()


def test_calls_that_have_to_be_made_share_the_time_to_wait(clock, monkeypatch):
    waits = []

    class Refreshing:
        def outcome(self, *, wait):
            waits.append(wait)
            clock.now += 4
            return usage._Copy((), 0)

    monkeypatch.setattr(usage.time, "monotonic", lambda: clock.now)
    monkeypatch.setattr(usage, "_refresh_behind", lambda call: Refreshing())
    usage_data("image", include_workers=True)
    assert waits == [9, 5, 1]


@pytest.mark.django_db(transaction=True)
def test_a_slow_call_goes_on_when_its_request_has_given_up(horde, monkeypatch):
    horde.mode = "slow"
    with pytest.raises(HordeTimeout):
        models_status("image", wait=0.1)
    refreshing = usage._refreshes[STATUS]
    with pytest.raises(HordeTimeout):
        models_status("image", wait=0.1)
    assert usage._refreshes[STATUS] is refreshing
    monkeypatch.setattr(usage.time, "sleep", lambda seconds: None)
    horde.mode = "ok"
    horde.closing.set()
    refreshing.join()
    assert models_status("image", wait=0) == (PAINTER,)


READER = """
import sys, threading
import django
django.setup()
from references.horde import models_status, models_usage, waiting
# However slow this machine is: all of them may wait.
waiting.MOMENT = 60
results = []
def read():
    results.append((models_status("image")[0].name, models_usage("image").total))
threads = [threading.Thread(target=read) for _ in range(int(sys.argv[1]))]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(results), set(map(str, results)))
"""


def test_parallel_cold_requests_of_several_processes_make_one_call_a_path(tmp_path, settings):
    with running_horde() as horde:
        environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "DATABASE_URL": f"sqlite:///{tmp_path}/store.sqlite3",
            "HORDE_URL": horde.url,
            "AIWORKER_CACHE_HOME": str(tmp_path),
        }
        migrate = [sys.executable, "manage.py", "migrate", "--skip-checks", "-v", "0"]
        subprocess.run(migrate, cwd=settings.BASE_DIR, env=environment, check=True)
        readers = [
            subprocess.Popen(
                [sys.executable, "-c", READER, "50"],
                cwd=settings.BASE_DIR,
                env=environment,
                stdout=subprocess.PIPE,
                text=True,
            )
            for _ in range(4)
        ]
        printed = [reader.communicate()[0].strip() for reader in readers]
    assert printed == ["50 {\"('Painter', {'Painter': 300})\"}"] * 4
    assert horde.calls == {STATUS: 1, USAGE: 1}
