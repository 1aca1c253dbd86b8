"""What a signal handler rings to have the main thread stop, or look at something."""

import math
import time
from contextlib import suppress
from queue import Empty, SimpleQueue

# Seconds that a wait goes on without a look at signals. One that came while the main thread held it back, as around
# a fork, is taken by another thread: that does not interrupt the wait, and its handler runs when the main thread does.
LOOK_SECONDS = 1.0


class Bell:
    """What a `threading.Event` is to one that waits, and may be rung by a signal handler at any moment.

    An Event takes a lock to be set, and to be waited for. A signal that comes while the main thread has it, in `wait`
    or in the handler of another signal, such as those that a whole group of processes and then each of them gets,
    would wait for that lock forever.
    """

    def __init__(self) -> None:
        self._rings: SimpleQueue[None] = SimpleQueue()

    def set(self) -> None:
        self._rings.put(None)

    def is_set(self) -> bool:
        return not self._rings.empty()

    def wait(self, timeout: float | None = None) -> bool:
        """Takes one ring, waiting for it if need be; False where none came within `timeout` seconds."""
        deadline = math.inf if timeout is None else time.monotonic() + timeout
        while True:
            left = deadline - time.monotonic()
            with suppress(Empty):
                self._rings.get(timeout=max(0.0, min(left, LOOK_SECONDS)))
                return True
            if left <= LOOK_SECONDS:
                return False

    def clear(self) -> None:
        """Does nothing: a wait takes its ring with it, and one that came since is for the next wait."""
