"""Puts load on a server and counts answers a second: with wrk, or without it with a client of its own."""

import re
import shutil
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from typing import NamedTuple, Protocol

HOST = "127.0.0.1"
CONNECTIONS = 16
# Whole catalogues of this size fill the pipe with few connections, and more would only fill the memory.
LARGE_BODY = 8_000_000
LARGE_BODY_CONNECTIONS = 2
PATIENCE = 120

_RATE = re.compile(r"^Requests/sec:\s+([\d.]+)", re.MULTILINE)
_REFUSED = re.compile(r"^\s*(Non-2xx.*|Socket errors: connect [^0].*)$", re.MULTILINE)


class LoadError(RuntimeError):
    """A server that answers something else than it was asked for, or nothing."""


class UnreachableError(LoadError):
    """A server that takes no connection or breaks it."""


@dataclass(frozen=True, slots=True)
class Request:
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    method: str = "GET"
    body: bytes | None = None
    expected: int = 200


class Reply(NamedTuple):
    """`headers` by their names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float


def fetch(port: int, request: Request) -> Reply:
    """One answer, over a connection of its own; raises LoadError for another status than the expected one."""
    connection = HTTPConnection(HOST, port, timeout=PATIENCE)
    try:
        connection.connect()
        begun = time.perf_counter()
        connection.request(request.method, request.path, body=request.body, headers=dict(request.headers))
        response = connection.getresponse()
        body = response.read()
        seconds = time.perf_counter() - begun
    except (OSError, HTTPException) as error:
        raise UnreachableError(f"{request.method} {request.path}: {error!r}") from error
    finally:
        connection.close()
    if response.status != request.expected:
        shown = body[:200].decode(errors="replace")
        raise LoadError(f"{request.method} {request.path} answered {response.status}: {shown}")
    return Reply(
        response.status, {name.lower(): value for name, value in response.getheaders()}, body, seconds
    )


class Client(Protocol):
    """`outruns_nginx` tells whether nginx, not the client, bounds what is measured of nginx."""

    name: str
    outruns_nginx: bool

    def rate(self, port: int, request: Request, *, body_size: int = 0) -> float:
        """Answers a second; `body_size` is how large they are."""


class Wrk:
    name = "wrk"
    outruns_nginx = True
    seconds = 1

    def rate(self, port: int, request: Request, *, body_size: int = 0) -> float:
        large = body_size >= LARGE_BODY
        command = [
            "wrk",
            "--threads=1",
            f"--connections={LARGE_BODY_CONNECTIONS if large else CONNECTIONS}",
            f"--duration={self.seconds}s",
            f"--timeout={PATIENCE}s",
            *(f"--header={name}: {value}" for name, value in request.headers.items()),
            f"http://{HOST}:{port}{request.path}",
        ]
        done = subprocess.run(command, capture_output=True, text=True)
        output = done.stdout
        if done.returncode:
            raise LoadError(f"{request.path}: wrk: {(output + done.stderr).strip()}")
        if refused := _REFUSED.search(output):
            raise LoadError(f"{request.path}: {refused[1]}")
        found = _RATE.search(output)
        if found is None or not float(found[1]):
            raise LoadError(f"{request.path}: no answer within the time of the measurement")
        return float(found[1])


class OwnClient:
    """Keeps a request under way on each of its connections, and takes the answers in turn."""

    name = "own client"
    outruns_nginx = False
    seconds = 0.5

    def rate(self, port: int, request: Request, *, body_size: int = 0) -> float:
        wanted = LARGE_BODY_CONNECTIONS if body_size >= LARGE_BODY else CONNECTIONS
        try:
            with ExitStack() as stack:
                connections = [stack.enter_context(_Connection(port, request)) for _ in range(wanted)]
                return self._rate(connections)
        except OSError as error:
            raise UnreachableError(f"{request.path}: {error!r}") from error

    def _rate(self, connections: Sequence["_Connection"]) -> float:
        for connection in connections:
            connection.ask()
        begun = time.perf_counter()
        answered = 0
        while (taken := time.perf_counter() - begun) < self.seconds or not answered:
            for connection in connections:
                connection.take_answer()
                connection.ask()
            answered += len(connections)
        return answered / taken


class _Connection:
    def __init__(self, port: int, request: Request) -> None:
        self.request = request
        self.asked = _request_bytes(request)
        self.socket = socket.create_connection((HOST, port), timeout=PATIENCE)
        self.reader = self.socket.makefile("rb", buffering=1 << 20)

    def __enter__(self) -> "_Connection":
        return self

    def __exit__(self, *error: object) -> None:
        self.reader.close()
        self.socket.close()

    def ask(self) -> None:
        self.socket.sendall(self.asked)

    def take_answer(self) -> None:
        if not (status_line := self.reader.readline()):
            raise ConnectionResetError("the connection was closed")
        status = int(status_line.split()[1])
        if status != self.request.expected:
            raise LoadError(f"{self.request.path} answered {status}")
        length = 0
        while (line := self.reader.readline()) not in {b"\r\n", b""}:
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        if status != 304:
            self.reader.read(length)


def _request_bytes(request: Request) -> bytes:
    lines = [
        f"GET {request.path} HTTP/1.1",
        f"Host: {HOST}",
        *(f"{k}: {v}" for k, v in request.headers.items()),
    ]
    return "\r\n".join([*lines, "", ""]).encode()


def client() -> Client:
    return Wrk() if shutil.which("wrk") else OwnClient()
