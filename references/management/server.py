"""Granian as `serve` runs it: it ends when it is told to, however often that is, and its workers end with it."""

import os
import signal
import sys
import threading
import time
from types import FrameType

from django.conf import settings
from granian import Granian
from granian.constants import Interfaces, Loops
from granian.http import HTTP1Settings, HTTP2Settings
from granian.log import LogLevels

from references.management.bell import Bell

# Seconds to begin a request, bytes of its head, and seconds that a stop waits for the answers under way.
HEAD_TIMEOUT = 15
HEAD_BYTES = 64 * 1024
STOP_PATIENCE = 20
# Seconds that one which did not stop has then, before it is killed, and those between two looks at such things.
KILL_PATIENCE = 1
LOOK_SECONDS = 0.02
# Seconds between two looks of a worker at whether its server is still there.
TIE_SECONDS = 1
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
            respawn_failed_workers=True,
            log_level=LogLevels.warning,
            log_dictconfig=settings.LOGGING,
        )
        self.main_loop_interrupt = Bell()
        # As by nohup, which is there to have it outlive its terminal.
        self.ignores_hangup = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN

    def signal_handler_reload(self, number: int, frame: FrameType | None) -> None:
        # Granian would start new workers, and a server whose terminal was closed would go on unseen.
        if not self.ignores_hangup:
            self.signal_handler_interrupt(number, frame)

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
    """Leaves both signals held in all threads of a worker, and has one of them take SIGTERM.

    A new process inherits the server's handlers, which do nothing there. Ctrl-C reaches every process of a
    terminal; it is for the server alone, which then ends its workers.
    """
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_worker_end, args=(server,), name="tie", daemon=True).start()


def _worker_end(server: int) -> None:
    """Ends this worker once it is told to, even while it loads the application, or once the server is no more.

    Granian's handler is called once, and when its worker waits for that: called before, it is forgotten, and a
    second time, it never returns.
    """
    while os.getppid() == server and signal.sigtimedwait({signal.SIGTERM}, TIE_SECONDS) is None:
        pass
    deadline = time.monotonic() + STOP_PATIENCE
    is_told = False
    while time.monotonic() < deadline:
        handler = signal.getsignal(signal.SIGTERM)
        if not callable(handler):
            os._exit(0)
        if not is_told and _is_waiting(threading.main_thread()):
            handler(signal.SIGTERM, None)
            is_told = True
        time.sleep(LOOK_SECONDS)
    os.kill(os.getpid(), signal.SIGKILL)


def _is_waiting(thread: threading.Thread) -> bool:
    return sys._current_frames()[thread.ident].f_code is threading.Condition.wait.__code__
