"""A small AI-Horde on a free local port: it answers key checks and usage calls, counts, and misbehaves."""

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from django.core.cache import cache

from references.horde import usage, users
from references.horde.client import BackgroundCall
from references.horde.usage import STATUS_CALLS, USAGE_CALLS, WORKER_CALLS
from references.horde.waiting import KEY_CHECK_PLACES, USAGE_PLACES, Waits

PATIENCE = 60
API_PREFIX = "/api/v2/"
FIND_USER = "find_user"
USERS = {
    "key-plain": "Paul#555",
    "key-requestor": "Rita#101",
    "key-approver": "Ada#900",
}
ANSWERS: dict[str, Any] = {
    STATUS_CALLS["image"].path: [{"name": "Painter", "count": 4, "queued": 9, "jobs": 1, "eta": 3}],
    STATUS_CALLS["text"].path: [{"name": "koboldcpp/Writer-7B", "count": 2}],
    USAGE_CALLS["image"].path: {"day": {"Painter": 1}, "month": {"Painter": 20}, "total": {"Painter": 300}},
    USAGE_CALLS["text"].path: {"day": {}, "month": {"koboldcpp/Writer-7B": 7}, "total": {}},
    WORKER_CALLS["image"].path: [{"id": "w1", "name": "Easel", "models": ["Painter"], "online": True}],
    WORKER_CALLS["text"].path: [{"id": "w2", "name": "Desk", "models": ["koboldcpp/Writer-7B"]}],
}


class HordeDouble(ThreadingHTTPServer):
    """`mode` decides how calls are answered; `next_modes`, while there are any, come before it.

    Modes: ok, down (the connection is cut), cut (in the middle of the body), slow (no answer), held (none until
    `released`), drip (a byte at a time, without end), garbage, html, redirect, or a status. `answers` maps a
    path with its query to a body, `users` a key to a user name or, where the value is not text, to a whole body.
    """

    daemon_threads = True
    request_queue_size = 256

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.mode = "ok"
        self.next_modes: list[str] = []
        self.users: dict[str, Any] = dict(USERS)
        self.answers: dict[str, Any] = dict(ANSWERS)
        self.calls: Counter[str] = Counter()
        self.headers: list[Message] = []
        self.closing = threading.Event()
        self.released = threading.Event()
        self._called = threading.Condition()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/api/"

    def note(self, path: str, headers: Message) -> str:
        """Counts a call and tells how to answer it."""
        with self._called:
            self.calls[path] += 1
            self.headers.append(headers)
            self._called.notify_all()
            return self.next_modes.pop(0) if self.next_modes else self.mode

    def await_calls(self, path: str, count: int) -> None:
        """Returns once the path was called so many times."""
        with self._called:
            assert self._called.wait_for(lambda: self.calls[path] >= count, PATIENCE)

    def handle_error(self, request: object, client_address: object) -> None:
        """Callers that hang up are part of the game."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Headers and body are sent apart; without this, the second waits 40 ms for the first to be acknowledged.
    disable_nagle_algorithm = True
    server: HordeDouble

    def do_GET(self) -> None:
        path = self.path.removeprefix(API_PREFIX)
        mode = self.server.note(path, self.headers)
        if mode == "held":
            self.server.released.wait()
            mode = "ok"
        if mode in {"down", "slow"}:
            if mode == "slow":
                self.server.closing.wait()
            self.close_connection = True
        elif mode == "cut":
            self._reply(200, b"[", length=100)
            self.close_connection = True
        elif mode == "drip":
            self._drip()
        elif mode in {"garbage", "html"}:
            self._reply(200, b"<html></html>" if mode == "html" else b"\xff\x00{")
        elif mode == "redirect":
            self._reply(302, b"", location=f"{self.server.url}v2/elsewhere")
        elif mode.isdigit():
            self._reply(int(mode), b'{"message": "no"}')
        else:
            self._answer(path)

    def _answer(self, path: str) -> None:
        if path == FIND_USER:
            found = self.server.users.get(self.headers.get("apikey", ""))
            body = {"username": found, "id": 1, "kudos": 0.5} if isinstance(found, str) else found
        else:
            body = self.server.answers.get(path)
        if body is None:
            self._reply(404, b'{"message": "not found"}')
        else:
            self._reply(200, body if isinstance(body, bytes) else json.dumps(body).encode())

    def _drip(self) -> None:
        self._reply(200, b"[", length=1_000_000)
        while not self.server.closing.wait(0.02):
            self.wfile.write(b" ")
            self.wfile.flush()
        self.close_connection = True

    def _reply(
        self, status: int, body: bytes, *, length: int | None = None, location: str | None = None
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Set-Cookie", "seen=1; Path=/")
        self.send_header("Content-Length", str(len(body) if length is None else length))
        if location:
            self.send_header("Location", location)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def running_horde() -> Iterator[HordeDouble]:
    """A double that this process knows nothing of yet: no key check or usage copy is remembered."""
    cache.clear()
    usage._copies.clear()
    usage._refreshes.clear()
    usage._waits = Waits(USAGE_PLACES)
    users._waits = Waits(KEY_CHECK_PLACES)
    with HordeDouble() as horde:
        thread = threading.Thread(target=horde.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield horde
        finally:
            horde.closing.set()
            horde.released.set()
            horde.shutdown()


def run_calls_inline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets calls that go to a thread run in the caller's, so that they see its transaction."""
    monkeypatch.setattr(BackgroundCall, "start", BackgroundCall.work)
    monkeypatch.setattr(BackgroundCall, "join", lambda self, timeout=None: None)


class Clock:
    """Stands in for `time.time` and `time.sleep`: the time is what a test says, sleeping only moves it."""

    def __init__(self, now: float) -> None:
        self.now = now
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def stop_clock(monkeypatch: pytest.MonkeyPatch, *, now: float = 1_700_000_000.0) -> Clock:
    clock = Clock(now)
    monkeypatch.setattr(time, "time", lambda: clock.now)
    monkeypatch.setattr(time, "sleep", clock.sleep)
    return clock
