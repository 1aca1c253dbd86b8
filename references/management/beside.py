"""Management commands that run beside a server, as processes of their own."""

import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from references.management import tied

logger = logging.getLogger(__name__)

RESTART_PAUSE = 5.0
STOP_PATIENCE = 10.0

# What the apps above this one add to what serve runs: commands, each with what tells at its start whether to.
added_commands: list[tuple[str, Callable[[], bool]]] = []


@contextmanager
def beside(command: str) -> Iterator[None]:
    """Runs `manage.py <command>` meanwhile, again after a pause should it end, and stops it with SIGTERM."""
    keeper = _Keeper(command)
    keeper.start()
    try:
        yield
    finally:
        keeper.stop()


class _Keeper(threading.Thread):
    def __init__(self, command: str) -> None:
        super().__init__(name=command)
        self.command = command
        self.stopping = threading.Event()
        self.changing = threading.Lock()
        self.process = _start(command)

    def run(self) -> None:
        while True:
            status = self.process.wait()
            if not self.stopping.is_set():
                logger.error("%s ended with status %s; it starts again soon.", self.command, status)
            self.stopping.wait(RESTART_PAUSE)
            with self.changing:
                if self.stopping.is_set():
                    return
                try:
                    self.process = _start(self.command)
                except OSError as error:
                    # The one that ended is still there to be waited for, so that the next attempt is made.
                    logger.error("%s cannot start: %s", self.command, error)

    def stop(self) -> None:
        with self.changing:
            self.stopping.set()
            self.process.terminate()
        self.join(STOP_PATIENCE)
        if self.is_alive():
            self.process.kill()
            self.join()


def _start(command: str) -> subprocess.Popen:
    """The process, tied to this one; the server alone decides when it ends.

    Neither Ctrl-C in the terminal nor the end of that reaches it.
    """
    held = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGHUP})
    try:
        return subprocess.Popen(  # noqa: S603 - a command of this project
            [sys.executable, tied.__file__, str(os.getpid()), sys.argv[0], command]
        )
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, held)
