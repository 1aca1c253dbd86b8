"""A server under a terminal of its own, as a person runs it."""

import os
import pty
import select
import signal
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 30.0
CTRL_C = b"\x03"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Terminal:
    """A process that leads a session with a terminal."""

    def __init__(self, command: list[str], variables: dict[str, str]) -> None:
        self.shown = b""
        self.status: int | None = None
        self.pid, self.end = pty.fork()
        if self.pid == 0:
            os.chdir(ROOT)
            # Whatever runs the tests may outlive its terminal.
            signal.signal(signal.SIGHUP, signal.SIG_DFL)
            os.execvpe(command[0], command, {**os.environ, **variables})  # noqa: S606 - no shell is wanted

    def press(self, keys: bytes) -> None:
        os.write(self.end, keys)

    def wait(self, until: str | None = None) -> bool:
        """Reads until a text is shown, or else until the process has ended; False if neither happens."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if select.select([self.end], [], [], 0.02)[0]:
                # A terminal whose programs have all ended fails to be read.
                with suppress(OSError):
                    self.shown += os.read(self.end, 65536)
            if until is not None and until.encode() in self.shown:
                return True
            if until is None and self._has_ended():
                return True
        return False

    def _has_ended(self) -> bool:
        if self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self.status = os.waitstatus_to_exitcode(status) if pid else None
        return self.status is not None

    def close(self) -> None:
        # What is left of the session goes with it.
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        if self.status is None:
            os.waitpid(self.pid, 0)
        os.close(self.end)


@contextmanager
def served(port: int, variables: dict[str, str], *arguments: str, prelude: str = "") -> Iterator[Terminal]:
    """`manage.py serve` in a terminal. `prelude` is Python that runs first."""
    code = (
        f"import os, sys; os.environ['DJANGO_SETTINGS_MODULE'] = 'config.settings'\n{prelude}\n"
        "from django.core.management import execute_from_command_line\n"
        "execute_from_command_line(sys.argv)"
    )
    start = ["-c", code] if prelude else ["manage.py"]
    terminal = Terminal([sys.executable, *start, "serve", "--port", str(port), *arguments], variables)
    try:
        yield terminal
    finally:
        terminal.close()


def answers(port: int) -> bool:
    """Whether a server is there, after some patience."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        connection = HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/api/heartbeat")
            return connection.getresponse().status == 200
        except (OSError, HTTPException):
            time.sleep(0.02)
        finally:
            connection.close()
    return False


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
