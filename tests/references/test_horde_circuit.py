import pytest

from references.horde import CircuitOpen, circuit_state
from references.horde.circuit import (
    OPEN_AT,
    PAUSE_SECONDS,
    circuit_close,
    circuit_count_failure,
    circuit_enter,
    circuit_is_open,
)
from references.horde.client import longest_call
from references.models import HordeCircuit

pytestmark = pytest.mark.django_db

NOW = 1_700_000_000.0
CLOSED = {"degraded": False, "consecutive_failures": 0, "seconds_until_retry": None}


def trip(at=NOW):
    for _ in range(OPEN_AT):
        circuit_count_failure(at=at)


def admitted(at):
    try:
        circuit_enter(at=at)
    except CircuitOpen:
        return False
    return True


def test_a_new_circuit_is_closed():
    assert circuit_state() == CLOSED
    assert admitted(NOW)


def test_fewer_failures_than_the_limit_are_counted_and_let_calls_pass():
    for failures in range(1, OPEN_AT):
        circuit_count_failure(at=NOW)
        expected = {"degraded": False, "consecutive_failures": failures, "seconds_until_retry": None}
        assert circuit_state(at=NOW) == expected
        assert admitted(NOW)
        assert not circuit_is_open(at=NOW)


def test_a_success_in_between_starts_the_count_anew():
    for _ in range(OPEN_AT - 1):
        circuit_count_failure(at=NOW)
    circuit_close()
    assert circuit_state(at=NOW) == CLOSED
    circuit_count_failure(at=NOW)
    assert circuit_state(at=NOW)["consecutive_failures"] == 1


def test_the_fifth_failure_in_a_row_opens_the_circuit():
    trip()
    expected = {"degraded": True, "consecutive_failures": 5, "seconds_until_retry": 120.0}
    assert circuit_state(at=NOW) == expected
    assert circuit_is_open(at=NOW)
    assert not admitted(NOW)


@pytest.mark.parametrize(
    ("passed", "seconds"),
    [(0.04, 120.0), (0.06, 119.9), (60, 60.0), (119.9, 0.1), (119.96, None), (120, None), (500, None)],
)
def test_the_wait_counts_down_in_tenths_and_ends_as_null(passed, seconds):
    trip()
    state = circuit_state(at=NOW + passed)
    assert state["seconds_until_retry"] == (None if seconds is None else pytest.approx(seconds))
    assert state["degraded"] is True


def test_the_pause_runs_from_the_last_failure():
    trip()
    circuit_count_failure(at=NOW + 50)
    assert not admitted(NOW + PAUSE_SECONDS + 49)
    assert admitted(NOW + PAUSE_SECONDS + 50)


def test_after_the_pause_one_probe_passes():
    trip()
    assert not admitted(NOW + PAUSE_SECONDS - 0.1)
    after = NOW + PAUSE_SECONDS
    assert not circuit_is_open(at=after)
    assert [admitted(after), admitted(after), admitted(after + 5)] == [True, False, False]
    assert circuit_state(at=after + 5)["degraded"] is True


def test_a_probe_that_succeeds_closes_the_circuit():
    trip()
    circuit_enter(at=NOW + PAUSE_SECONDS)
    circuit_close()
    assert circuit_state(at=NOW + PAUSE_SECONDS) == CLOSED
    assert [admitted(NOW + PAUSE_SECONDS) for _ in range(3)] == [True, True, True]


def test_a_probe_that_fails_starts_the_pause_again():
    trip()
    failed_at = NOW + PAUSE_SECONDS + 3
    circuit_enter(at=NOW + PAUSE_SECONDS)
    circuit_count_failure(at=failed_at)
    expected = {"degraded": True, "consecutive_failures": 6, "seconds_until_retry": 120.0}
    assert circuit_state(at=failed_at) == expected
    assert not admitted(failed_at + PAUSE_SECONDS - 0.1)
    assert [admitted(failed_at + PAUSE_SECONDS) for _ in range(2)] == [True, False]


def test_a_probe_whose_process_died_makes_room_for_another(settings):
    trip()
    probed_at = NOW + PAUSE_SECONDS
    circuit_enter(at=probed_at)
    lapsed_at = probed_at + longest_call(settings.HORDE_API_TIMEOUT)
    assert not admitted(lapsed_at - 1)
    assert admitted(lapsed_at + 1)


def test_times_from_a_wrong_clock_hold_nothing_up():
    trip(at=NOW + 1_000_000)
    assert admitted(NOW)
    HordeCircuit.objects.update(probing_until=NOW + 1_000_000)
    assert admitted(NOW)


def test_a_failure_seconds_ahead_on_another_machine_still_counts():
    trip(at=NOW + 2)
    assert circuit_state(at=NOW)["seconds_until_retry"] == 120.0
    assert not admitted(NOW)


def test_the_state_is_one_row(django_assert_num_queries):
    trip()
    circuit_close()
    trip()
    assert HordeCircuit.objects.count() == 1
    with django_assert_num_queries(1):
        circuit_state()
