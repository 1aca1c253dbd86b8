"""Requests that wait for the AI-Horde, while it does not answer: few do, and nothing else has to."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from functools import partial
from threading import Barrier
from typing import Any

import pytest
from django.db import connections

from references.api.responses import NO_CACHE
from references.horde import (
    HordeBusy,
    HordeError,
    HordeTimeout,
    HordeUnavailable,
    InvalidKey,
    models_status,
    usage,
    usage_data,
    user_find,
    users,
    waiting,
)
from references.horde.usage import STATUS_CALLS, USAGE_CALLS
from references.horde.waiting import KEY_CHECK_PLACES, MOMENT, USAGE_PLACES, Waits
from tests.factories import make_record
from tests.hordedouble import FIND_USER, PATIENCE, HordeDouble, running_horde
from tests.references.api import ask

STATUS = STATUS_CALLS["image"].path
USAGE = USAGE_CALLS["image"].path


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[float], None]]:
    """Lets the time, which otherwise stands, go on."""
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])

    def go_on(seconds: float) -> None:
        now[0] += seconds

    return go_on


def test_at_most_half_of_the_threads_wait_for_long(settings):
    assert min(USAGE_PLACES, KEY_CHECK_PLACES) >= 1
    assert USAGE_PLACES + KEY_CHECK_PLACES <= settings.WORKER_THREADS / 2


def test_whoever_has_a_place_may_wait_as_long_as_it_wants(clock):
    waits = Waits(2)
    with waits.waiting(10) as first:
        clock(5)
        with waits.waiting(7) as second:
            assert (first, second) == (10, 7)


def test_the_others_may_wait_a_moment_that_begins_with_the_longest_wait(clock):
    waits = Waits(2)
    with waits.waiting(10), waits.waiting(10):
        with waits.waiting(10) as seconds:
            assert seconds == MOMENT
        clock(MOMENT / 2)
        with waits.waiting(10) as seconds:
            assert seconds == MOMENT / 2
        with waits.waiting(0.1) as seconds:
            assert seconds == 0.1
        clock(MOMENT / 2)
        with pytest.raises(HordeBusy), waits.waiting(10):
            pytest.fail("it was let in")


def test_a_moment_takes_no_place(clock):
    waits = Waits(1)
    with waits.waiting(10), waits.waiting(10):
        pass
    with waits.waiting(10) as seconds:
        assert seconds == 10


@pytest.mark.parametrize("error", [HordeTimeout, HordeUnavailable, ValueError])
def test_a_wait_that_fails_gives_its_place_back(clock, error):
    waits = Waits(1)
    with pytest.raises(error), waits.waiting(10):
        raise error
    with waits.waiting(10) as seconds:
        assert seconds == 10


def test_after_a_timeout_there_are_no_moments_until_an_answer(clock):
    waits = Waits(1)
    with pytest.raises(HordeTimeout), waits.waiting(10):
        raise HordeTimeout
    with waits.waiting(10), pytest.raises(HordeBusy), waits.waiting(10):
        pytest.fail("it was let in")
    with waits.waiting(10), waits.waiting(10) as seconds:
        assert seconds == MOMENT


def test_after_an_answer_that_took_longer_there_are_no_moments_until_a_quick_one(clock):
    waits = Waits(1)
    with waits.waiting(10):
        clock(2 * MOMENT)
    with waits.waiting(10), pytest.raises(HordeBusy), waits.waiting(10):
        pytest.fail("it was let in")
    with waits.waiting(10):
        clock(MOMENT)
    with waits.waiting(10), waits.waiting(10) as seconds:
        assert seconds == MOMENT


def test_a_made_up_key_takes_no_moment_from_the_keys_of_others(horde, threads):
    assert outcome(partial(user_find, "made-up")) is InvalidKey
    with users._waits.waiting(10):
        assert user_find("key-plain").user_id == "555"


def test_a_moment_that_is_over_says_nothing_about_those_to_come(clock):
    waits = Waits(1)
    with ExitStack() as late:
        late.enter_context(pytest.raises(HordeTimeout))
        with waits.waiting(10):
            late.enter_context(waits.waiting(10))
        # An answer came in time for the first, and for nobody else.
        raise HordeTimeout
    with waits.waiting(10), waits.waiting(10) as seconds:
        assert seconds == MOMENT


# Against an AI-Horde that accepts and does not answer


@pytest.fixture
def horde(settings: Any, transactional_db: None) -> Iterator[HordeDouble]:
    with running_horde() as horde:
        settings.HORDE_URL = horde.url
        yield horde
        horde.released.set()
        for refreshing in usage._refreshes.values():
            refreshing.join(PATIENCE)


@pytest.fixture
def no_moments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "MOMENT", 0)


@pytest.fixture
def threads(horde: HordeDouble) -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(64) as pool:
        yield pool
        horde.released.set()


def outcome(call: Callable[[], Any]) -> Any:
    """What the call returns, or the type of what it raises."""
    try:
        return call()
    except HordeError as error:
        return type(error)
    finally:
        connections.close_all()


def begin(threads: ThreadPoolExecutor, calls: list[Callable[[], Any]]) -> set[Future]:
    """Makes the calls, all at the same time."""
    start = Barrier(len(calls))

    def one(call: Callable[[], Any]) -> Any:
        start.wait(PATIENCE)
        return outcome(call)

    return {threads.submit(one, call) for call in calls}


def first_outcomes(futures: set[Future], count: int) -> tuple[list[Any], set[Future]]:
    """The outcomes of those that are done first, `count` at least, and those still to be awaited."""
    done, pending = set(), futures
    while len(done) < count:
        more, pending = wait(pending, PATIENCE, FIRST_COMPLETED)
        assert more
        done |= more
    return [future.result() for future in done], pending


@pytest.mark.parametrize("count", [1, 3, 8, 32])
def test_of_requests_for_usage_as_many_wait_as_there_are_places(horde, threads, no_moments, count):
    horde.mode = "held"
    futures = begin(threads, [partial(usage_data, "image")] * count)
    refused, waiting_ones = first_outcomes(futures, count - USAGE_PLACES)
    assert refused == [HordeBusy] * (count - USAGE_PLACES)
    assert len(waiting_ones) == USAGE_PLACES
    horde.released.set()
    assert [future.result().status[0].name for future in waiting_ones] == ["Painter"] * USAGE_PLACES
    assert horde.calls == {STATUS: 1, USAGE: 1}
    assert usage_data("image", wait=0).status[0].name == "Painter"


@pytest.mark.parametrize("count", [1, 3, 8, 32])
def test_of_key_checks_as_many_wait_as_there_are_places(horde, threads, no_moments, count):
    horde.mode = "held"
    futures = begin(threads, [partial(user_find, f"made-up-{number}") for number in range(count)])
    refused, waiting_ones = first_outcomes(futures, count - KEY_CHECK_PLACES)
    assert refused == [HordeBusy] * (count - KEY_CHECK_PLACES)
    assert len(waiting_ones) == KEY_CHECK_PLACES
    horde.released.set()
    assert [future.result() for future in waiting_ones] == [InvalidKey] * KEY_CHECK_PLACES
    assert horde.calls == {FIND_USER: KEY_CHECK_PLACES}


def test_requests_that_come_at_once_all_wait_for_an_answer_that_takes_a_moment(horde, threads, monkeypatch):
    monkeypatch.setattr(waiting, "MOMENT", PATIENCE)
    data = begin(threads, [partial(models_status, "image")] * 16)
    checks = begin(threads, [partial(user_find, "key-requestor")] * 16)
    assert {future.result()[0].name for future in data} == {"Painter"}
    assert {future.result().username for future in checks} == {"Rita#101"}
    assert horde.calls[STATUS] == 1


def test_a_moment_that_passes_without_an_answer_ends_in_a_timeout(horde, threads, monkeypatch):
    monkeypatch.setattr(waiting, "MOMENT", 0.1)
    horde.mode = "held"
    count = 4
    futures = begin(threads, [partial(models_status, "image")] * count)
    refused, waiting_ones = first_outcomes(futures, count - USAGE_PLACES)
    assert set(refused) <= {HordeTimeout, HordeBusy}
    assert len(waiting_ones) == USAGE_PLACES


def test_waiting_for_usage_keeps_no_key_waiting_and_the_other_way_round(horde, threads, no_moments):
    horde.next_modes = ["held"]
    status = begin(threads, [partial(models_status, "image")] * USAGE_PLACES)
    horde.await_calls(STATUS, 1)
    assert user_find("key-requestor").user_id == "101"
    horde.next_modes = ["held"] * KEY_CHECK_PLACES
    checks = begin(threads, [partial(user_find, f"made-up-{number}") for number in range(KEY_CHECK_PLACES)])
    horde.await_calls(FIND_USER, 1 + KEY_CHECK_PLACES)
    assert outcome(partial(user_find, "key-plain")) is HordeBusy
    assert user_find("key-requestor").user_id == "101"
    assert outcome(partial(models_status, "text")) is HordeBusy
    horde.released.set()
    assert [future.result() for future in checks] == [InvalidKey] * KEY_CHECK_PLACES
    assert [future.result()[0].name for future in status] == ["Painter"] * USAGE_PLACES


def test_usage_that_is_known_is_served_while_all_places_are_taken(horde, threads, no_moments):
    assert models_status("text")[0].name == "koboldcpp/Writer-7B"
    horde.mode = "held"
    begin(threads, [partial(models_status, "image")] * USAGE_PLACES)
    horde.await_calls(STATUS, 1)
    assert models_status("text")[0].name == "koboldcpp/Writer-7B"
    assert outcome(partial(models_status, "image")) is HordeBusy


def test_requests_that_may_not_wait_are_answered_as_if_there_were_no_ai_horde(horde, no_moments):
    make_record("image_generation", "Painter")
    horde.mode = "held"
    with usage._waits.waiting(10), users._waits.waiting(10):
        risk = ask("/api/model_references/statistics/image_generation/deletion-risk")
        popular = ask("/api/model_references/v2/image_generation/popular")
        key = ask("/api/model_references/v2/me/roles", headers={"apikey": "key-requestor"})
    assert (risk.status, [*risk.json()]) == (503, ["detail"])
    assert (popular.status, popular.json(), popular.headers["cache-control"]) == (200, [], NO_CACHE)
    assert (key.status, key.json()) == (503, {"detail": "Auth service unavailable"})
    assert horde.calls[FIND_USER] == 0
