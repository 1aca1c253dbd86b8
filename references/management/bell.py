"""What a signal handler rings to have the main thread stop, or look at something."""

from contextlib import suppress
from queue import Empty, SimpleQueue


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
        try:
            self._rings.get(timeout=timeout)
        except Empty:
            return False
        return True

    def clear(self) -> None:
        with suppress(Empty):
            while True:
                self._rings.get_nowait()
