import json

import pytest

from references.horde import HordeBadAnswer, HordeTimeout, HordeUnavailable
from references.horde.client import (
    RETRIES,
    WAIT_CEILING,
    WAIT_FLOOR,
    BackgroundCall,
    horde_get,
    horde_get_with_retries,
    longest_call,
)
from references.horde.usage import STATUS_CALLS
from tests.hordedouble import ANSWERS, running_horde, stop_clock

PATH = STATUS_CALLS["image"].path
BODY = json.dumps(ANSWERS[PATH]).encode()
LIMIT = 1000


@pytest.fixture
def horde(settings):
    with running_horde() as horde:
        settings.HORDE_URL = horde.url
        yield horde


@pytest.fixture
def clock(monkeypatch):
    return stop_clock(monkeypatch)


def get(timeout=5):
    return horde_get_with_retries(PATH, timeout=timeout, limit=LIMIT)


def test_a_good_answer_takes_one_call(horde, clock):
    assert get() == BODY
    assert horde.calls == {PATH: 1}
    assert clock.slept == []


@pytest.mark.parametrize("mode", ["429", "500", "503", "599", "down", "cut"])
def test_what_may_pass_is_tried_three_times(horde, clock, mode):
    horde.mode = mode
    with pytest.raises(HordeUnavailable):
        get()
    assert horde.calls == {PATH: 3}


@pytest.mark.parametrize("mode", ["slow", "drip"])
def test_a_timeout_is_tried_three_times(horde, clock, mode):
    horde.mode = mode
    with pytest.raises(HordeTimeout):
        get(timeout=0.1)
    assert horde.calls == {PATH: 3}


@pytest.mark.parametrize("mode", ["400", "401", "404", "418", "204", "redirect"])
def test_what_will_not_pass_is_tried_once(horde, clock, mode):
    horde.mode = mode
    with pytest.raises(HordeBadAnswer):
        get()
    assert horde.calls == {PATH: 1}


@pytest.mark.parametrize("faults", [["500"], ["429", "cut"], ["down", "503"]])
def test_a_later_attempt_may_succeed(horde, clock, faults):
    horde.next_modes = list(faults)
    assert get() == BODY
    assert horde.calls == {PATH: len(faults) + 1}


def test_waits_keep_between_floor_and_ceiling(horde, clock):
    horde.mode = "500"
    with pytest.raises(HordeUnavailable):
        get()
    assert len(clock.slept) == 2
    assert all(WAIT_FLOOR <= wait <= 2 * WAIT_FLOOR for wait in clock.slept)
    tired = RETRIES.new(total=20)
    for _ in range(12):
        tired = tired.increment("GET", PATH, error=HordeTimeout())
    assert tired.get_backoff_time() == WAIT_CEILING


def test_a_retry_after_of_the_ai_horde_does_not_hold_a_thread(horde, clock):
    horde.mode = "429"
    with pytest.raises(HordeUnavailable):
        get()
    assert sum(clock.slept) < 5


def test_a_body_beyond_the_limit_is_refused(horde, clock):
    horde.answers[PATH] = b"[" + b" " * LIMIT + b"]"
    with pytest.raises(HordeBadAnswer):
        get()
    assert horde.calls == {PATH: 1}


def test_an_address_that_is_none_is_an_unavailable_horde(settings):
    settings.HORDE_URL = "http://[broken/api/"
    with pytest.raises(HordeUnavailable):
        horde_get(PATH, timeout=1, limit=LIMIT)


def test_the_longest_call_counts_all_attempts_and_waits():
    assert longest_call(30) == 3 * 30 + 2 * 15


@pytest.mark.parametrize("error", [HordeTimeout("late"), HordeBadAnswer("odd")])
def test_a_background_call_hands_its_error_to_everyone_who_waits(error):
    def fail():
        raise error

    call = BackgroundCall(fail, name="failing")
    call.start()
    for _ in range(2):
        with pytest.raises(type(error)):
            call.outcome(wait=5)


def test_nobody_waits_longer_than_they_want_for_a_background_call(horde):
    horde.mode = "slow"
    call = BackgroundCall(lambda: horde_get(PATH, timeout=5, limit=LIMIT), name="slow")
    call.start()
    with pytest.raises(HordeTimeout):
        call.outcome(wait=0)
    with pytest.raises(HordeTimeout):
        call.outcome(wait=-3)
    horde.closing.set()
    with pytest.raises(HordeUnavailable):
        call.outcome(wait=5)
