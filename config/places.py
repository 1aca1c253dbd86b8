"""How many threads of a process may do at once what may take long."""

import threading
import time


class NoPlace(Exception):
    """All places are taken, and have been for more than a moment."""


class Places:
    """So many `places`, each taken since a time of the monotonic clock.

    A thread may wait as long as all others have them for no more than a `moment`, in seconds, so that requests which
    come at once all succeed.
    """

    def __init__(self, places: int, *, moment: float) -> None:
        self._places = places
        self._moment = moment
        self._changed = threading.Condition()
        self._taken_since: list[float] = []

    def take(self, since: float) -> None:
        """Whoever finds no place waits for one, as long as none of those who have one has it for long."""
        with self._changed:
            while len(self._taken_since) >= self._places:
                left = min(self._taken_since) + self._moment - time.monotonic()
                if left <= 0:
                    raise NoPlace
                self._changed.wait(left)
            self._taken_since.append(since)

    def leave(self, since: float) -> None:
        with self._changed:
            self._taken_since.remove(since)
            self._changed.notify()
