"""How long the service waits before it tries again."""

import pytest

from references.pauses import JITTER, backed_off, jittered, retried
from tests.hordedouble import stop_clock


def test_pauses_double_up_to_the_longest():
    pauses = [backed_off(failures, first=30.0, longest=7200.0) for failures in (1, 2, 3, 8, 9, 4000)]
    assert pauses == [30.0, 60.0, 120.0, 3840.0, 7200.0, 7200.0]


def test_pauses_are_put_off_by_up_to_a_quarter_and_cut_short_only_where_asked():
    later = [jittered(100.0) for _ in range(200)]
    assert 100 <= min(later) < max(later) <= 100 * (1 + JITTER)
    around = [jittered(100.0, least=1 - JITTER) for _ in range(200)]
    assert 100 * (1 - JITTER) <= min(around) < 100 < max(around) <= 100 * (1 + JITTER)


def test_what_may_pass_is_tried_again_while_there_are_pauses_and_all_else_is_final(monkeypatch, caplog):
    clock = stop_clock(monkeypatch)
    outcomes = iter(
        [OSError("one"), OSError("two"), "well", OSError("three"), OSError("four"), KeyError("five")]
    )

    def call() -> str:
        outcome = next(outcomes)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    assert retried(call, passing=OSError, pauses=[1, 2]) == "well"
    with pytest.raises(OSError, match="four"):
        retried(call, passing=OSError, pauses=[3])
    with pytest.raises(KeyError):
        retried(call, passing=OSError, pauses=[4])
    assert clock.slept == [1, 2, 3]
    assert [record.name for record in caplog.records] == ["references.pauses"] * 3
