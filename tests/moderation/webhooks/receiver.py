"""Somebody who is told: a server on a free local port that checks signatures by itself, and misbehaves."""

import hashlib
import json
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

BLOCK_BYTES = 64
TOLERANCE = 300


@dataclass(frozen=True, slots=True)
class Told:
    """One request."""

    path: str
    headers: Message
    body: bytes

    @property
    def delivery(self) -> str:
        return self.headers["X-Model-Reference-Delivery"]

    def json(self) -> Any:
        return json.loads(self.body)

    def changes(self) -> list[tuple[str, str, str]]:
        return [
            (change["operation"], change["category"], change["model_name"])
            for category in self.json()["categories"].values()
            for change in category["changes"]
        ]

    def is_signed_with(self, secret: str) -> bool:
        parts = dict(part.split("=", 1) for part in self.headers["X-Model-Reference-Signature"].split(","))
        assert parts.keys() == {"t", "v1"}
        assert abs(time.time() - int(parts["t"])) < TOLERANCE
        return hmac_sha256(secret.encode(), parts["t"].encode() + b"." + self.body) == parts["v1"]


def hmac_sha256(key: bytes, message: bytes) -> str:
    """As RFC 2104 has it, without the module that the service uses."""
    if len(key) > BLOCK_BYTES:
        key = hashlib.sha256(key).digest()
    key = key.ljust(BLOCK_BYTES, b"\0")
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in key) + message).digest()
    return hashlib.sha256(bytes(byte ^ 0x5C for byte in key) + inner).hexdigest()


class Receiver(ThreadingHTTPServer):
    """Answers `statuses` one after the other, the last one from then on, with `text`.

    In place of a status: "drip" sends a header a byte at a time without end, "cut" ends the connection, "held"
    answers 200 once `released` is set.
    """

    daemon_threads = True

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        if context:
            self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self.statuses: list[int | str] = [200]
        self.text = "thanks"
        self.told: list[Told] = []
        self.released = threading.Event()
        self.closing = threading.Event()
        self._counting = threading.Condition()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hook"

    def note(self, told: Told) -> int | str:
        with self._counting:
            self.told.append(told)
            self._counting.notify_all()
            return self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]

    def wait_for(self, number: int, patience: float = 60) -> list[Told]:
        with self._counting:
            assert self._counting.wait_for(lambda: len(self.told) >= number, patience), self.told
            return list(self.told)

    def handle_error(self, request: object, client_address: object) -> None:
        """The other side hangs up on what misbehaves."""


class _Handler(BaseHTTPRequestHandler):
    server: Receiver
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        status = self.server.note(Told(self.path, self.headers, body))
        if status == "cut":
            self.close_connection = True
            return
        if status == "drip":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Drip: ")
            while not self.server.closing.wait(0.05):
                self.wfile.write(b"x")
        if status == "held":
            self.server.released.wait()
            status = 200
        answer = self.server.text.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(answer)))
        self.send_header("Location", "/elsewhere")
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *given: object) -> None:
        """Tests say what they saw."""


@contextmanager
def running_receiver(context: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    with Receiver(context) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.closing.set()
            server.released.set()
            server.shutdown()
            thread.join()
