import time

import pytest

from references.management import server as module
from references.management.server import Server


class Worker:
    """A worker process that counts as alive for some seconds after it was told to stop."""

    idx = 0

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.end = float("inf")
        self.was_killed = False

    def terminate(self) -> None:
        self.end = min(self.end, time.monotonic() + self.seconds)

    def join(self, timeout: float | None = None) -> None:
        """Returns at once, as where the process has ended and the thread that waits for it has not."""

    def is_alive(self) -> bool:
        return not self.was_killed and time.monotonic() < self.end

    def kill(self) -> None:
        self.was_killed = True


@pytest.fixture
def server(monkeypatch) -> Server:
    monkeypatch.setattr(module, "STOP_PATIENCE", 5)
    return Server(address="127.0.0.1", port=19800, workers=1)


def test_a_worker_that_ended_before_anybody_noticed_is_not_called_one_that_refused(server, caplog):
    worker = Worker(seconds=0.2)
    server.wrks = [worker]
    server._stop_workers()
    assert (worker.was_killed, caplog.messages, server.wrks) == (False, [], [])


def test_a_worker_that_does_not_end_is_killed(server, monkeypatch, caplog):
    monkeypatch.setattr(module, "STOP_PATIENCE", 0.1)
    worker = Worker(seconds=60)
    server.wrks = [worker]
    server._stop_workers()
    assert worker.was_killed
    assert caplog.messages == ["Killing worker-1 after it refused to gracefully stop"]
