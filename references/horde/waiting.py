"""How many threads of a process wait for the AI-Horde at once.

A waiting thread answers nobody else, whatever it waits for. Were all of them to wait, reads would have to.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

from references.horde.client import HordeTimeout, HordeUnavailable

# The threads of a process that may wait for usage data, and those for key checks: half of all, together.
USAGE_PLACES = KEY_CHECK_PLACES = settings.WORKER_THREADS // 4
# Seconds that any thread may wait for an AI-Horde that is as quick, so that requests which come at once all succeed.
MOMENT = 0.5


class HordeBusy(HordeUnavailable):
    """A wait that was not begun, because as many threads as may wait already do."""


class Waits:
    """The waits of one kind: `places` of them may last, others only a moment, and that while moments are of use."""

    def __init__(self, places: int) -> None:
        self._places = places
        self._lock = threading.Lock()
        self._taken_at: list[float] = []
        self._has_moments = True

    @contextmanager
    def waiting(self, longest: float) -> Iterator[float]:
        """The seconds that the caller may wait within, `longest` at most; raises HordeBusy if it may not.

        There are no moments after one that has a place got no answer within a moment: until somebody does, nobody
        but those with places waits. What is left of a moment may be too short for any answer.
        """
        with self._lock:
            now = time.monotonic()
            has_place = len(self._taken_at) < self._places
            if has_place:
                self._taken_at.append(now)
            else:
                longest = min(longest, self._moment_left(now))
        try:
            yield longest
            self._has_moments = time.monotonic() - now <= MOMENT
        except HordeTimeout:
            if has_place:
                self._has_moments = False
            raise
        finally:
            if has_place:
                with self._lock:
                    self._taken_at.remove(now)

    def _moment_left(self, now: float) -> float:
        """The moment begins with the longest of the waits, so that it ends for all who come while that lasts."""
        left = min(self._taken_at) + MOMENT - now
        if left <= 0 or not self._has_moments:
            raise HordeBusy("enough wait for the AI-Horde already")
        return left
