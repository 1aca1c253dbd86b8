"""Granian as `serve` runs it: it ends when it is told to, however often that is, and its workers end with it."""

import os
import signal
import threading
import time
from types import FrameType

from django.conf import settings
from granian import Granian
from granian.constants import Interfaces, Loops
from granian.http import HTTP1Settings, HTTP2Settings
from granian.log import LogLevels

from references.management.bell import Bell
from references.management.tied import end_with

# Seconds to begin a request, bytes of its head, and seconds that a stop waits for the answers under way.
HEAD_TIMEOUT = 15
HEAD_BYTES = 64 * 1024
STOP_PATIENCE = 20
# Seconds between two looks at whether the workers have ended, and those that what did not end has before it is killed.
LOOK_SECONDS = 0.02
KILL_PATIENCE = 1
STOP_SIGNALS = {signal.SIGINT, signal.SIGTERM}


class Server(Granian):
    def __init__(self, *, address: str, port: int, workers: int) -> None:
        super().__init__(
            "config.wsgi:application",
            address=address,
            port=port,
            workers=workers,
            interface=Interfaces.WSGI,
            blocking_threads=settings.WORKER_THREADS + settings.BODY_PLACES,
            websockets=False,
            loop=Loops.auto,
            http1_settings=HTTP1Settings(header_read_timeout=HEAD_TIMEOUT * 1000),
            http2_settings=HTTP2Settings(max_headers_size=HEAD_BYTES),
            workers_kill_timeout=KILL_PATIENCE,
            log_level=LogLevels.warning,
            log_dictconfig=settings.LOGGING,
        )
        self.main_loop_interrupt = Bell()

    def signal_handler_interrupt(self, number: int, frame: FrameType | None) -> None:
        # Workers that got the signal too end by themselves, which is no accident.
        for worker in self.wrks:
            worker.interrupt_by_parent = True
        super().signal_handler_interrupt(number, frame)

    def _stop_workers(self) -> None:
        # A worker counts as alive until the thread that waits for it runs again, which takes its time on a busy
        # machine: granian would call it one that refused to stop.
        for worker in self.wrks:
            worker.terminate()
        deadline = time.monotonic() + STOP_PATIENCE
        while any(worker.is_alive() for worker in self.wrks) and time.monotonic() < deadline:
            time.sleep(LOOK_SECONDS)
        super()._stop_workers()
        # Nor is it one where that was noticed first.
        if self.interrupt_signal:
            self.interrupt_children.clear()


def forks_prepare() -> None:
    """Has the processes that this one forks be workers, which stop when it tells them or when it is no more."""
    server = os.getpid()
    os.register_at_fork(
        before=_signals_hold,
        after_in_parent=_signals_release,
        after_in_child=lambda: _worker_begin(server),
    )


def _signals_hold() -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)


def _signals_release() -> None:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)


def _worker_begin(server: int) -> None:
    """Has a worker stop when the server tells it, even while it loads the application.

    A new process inherits the server's handlers, which do nothing there. Ctrl-C reaches every process of a
    terminal; it is for the server alone, which then ends its workers.
    """
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    # With signals still held, which are for the first thread.
    threading.Thread(target=end_with, args=(server,), name="tie", daemon=True).start()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
