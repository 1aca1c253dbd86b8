"""Clients that stop halfway, hang up or send too much: the others notice nothing."""

import json
import socket
import struct
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from functools import partial
from http.client import HTTPResponse
from urllib.parse import urlsplit

import pytest
from django.conf import settings

from config.body_waits import BODY_SECONDS
from config.limits import RETRY_AFTER
from tests.deployment.backends import ALL_IS_WELL, migrated
from tests.deployment.clients import QUEUE, V2
from tests.moderation.factories import IMAGES
from tests.moderation.processes import APPROVER, REQUESTOR, Site, Store, at_once, live_server

pytestmark = pytest.mark.deployment

CROWD = 200
READS = 20
NO_LINGERING = struct.pack("ii", 1, 0)
READ = f"GET /api/{V2}/{IMAGES} HTTP/1.1\r\nHost: localhost\r\n"
PROPOSAL = f"POST /api/{V2}/{IMAGES} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
KEY = f"apikey: {REQUESTOR}\r\n"
# Requests that begin and never end.
UNFINISHED = {
    "nothing": "",
    "half a line": READ[:20],
    "half a head": f"{READ}Accept: ",
    "no body, of a read": f"{READ}Content-Length: 5000\r\n\r\n",
    "half a body, without a key": f'{PROPOSAL}Content-Length: 5000\r\n\r\n{{"name"',
}
CUT_OFF = {
    "before the body": f"{PROPOSAL}{KEY}Content-Length: 5000\r\n\r\n",
    "in the body": f'{PROPOSAL}{KEY}Content-Length: 5000\r\n\r\n{{"name": "cut off", "nsfw": false',
    "in a chunk": f'{PROPOSAL}{KEY}Transfer-Encoding: chunked\r\n\r\n40\r\n{{"name": "cut off"',
}
STALLED = {
    "length": f'{PROPOSAL}{KEY}Content-Length: 5000\r\n\r\n{{"name"',
    "chunks": f'{PROPOSAL}{KEY}Transfer-Encoding: chunked\r\n\r\n40\r\n{{"name"',
}
LATE = (408, {"detail": "The request body took too long."}, None)
BUSY = [
    (503, {"detail": "Too many request bodies are awaited."}, str(RETRY_AFTER)),
    (503, {"detail": "Too many writes are under way."}, str(RETRY_AFTER)),
]
TOO_LARGE = {
    "address": f"GET /{'a' * 100_000} HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "number of headers": READ + "X-Header: value\r\n" * 500 + "\r\n",
    "header": f"{READ}X-Header: {'a' * 1_000_000}\r\n\r\n",
}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    folder = tmp_path_factory.mktemp("rude")
    return migrated(f"sqlite:///{folder / 'store.sqlite3'}", folder)


@pytest.fixture(scope="module")
def site(store: Store) -> Iterator[Site]:
    """One worker, so that every connection is with the same."""
    with live_server(store, workers=1) as site:
        yield site
        assert "Traceback" not in site.logged()
    assert ALL_IS_WELL in store.manage("rebuild_from_audit", "--check")


def sent(site: Site, text: str) -> socket.socket:
    address = urlsplit(site.base)
    connection = socket.create_connection((address.hostname, address.port), timeout=10)
    # A server that had enough hangs up before it has everything.
    with suppress(ConnectionError):
        connection.sendall(text.encode())
    return connection


def assert_healthy(site: Site) -> None:
    reads = at_once(*[partial(site.send, "GET", f"{V2}/{IMAGES}")] * READS)
    assert {read.status_code for read in reads} == {200}
    assert site.send("GET", f"{V2}/me/roles", key=REQUESTOR).json()["roles"] == ["requestor"]


@pytest.mark.parametrize("kind", UNFINISHED)
def test_others_are_served_while_requests_do_not_end(site: Site, kind: str) -> None:
    with ExitStack() as connections:
        for _ in range(CROWD):
            connections.enter_context(sent(site, UNFINISHED[kind]))
        assert_healthy(site)
    assert_healthy(site)


def answer_of(connection: socket.socket) -> tuple[int, dict, str | None]:
    """Status, body and `Retry-After` of the answer; the server must have hung up after it."""
    with HTTPResponse(connection) as response:
        response.begin()
        told = response.status, json.loads(response.read()), response.headers["Retry-After"]
    assert connection.recv(1) == b""
    return told


@pytest.mark.parametrize("kind", STALLED)
def test_bodies_that_stall_keep_no_read_waiting_and_are_given_up(site: Site, kind: str) -> None:
    with ExitStack() as connections:
        crowd = [connections.enter_context(sent(site, STALLED[kind])) for _ in range(CROWD)]
        assert_healthy(site)
        refused = []
        for connection in crowd:
            connection.settimeout(BODY_SECONDS + 30)
            refused.append(answer_of(connection))
    assert refused.count(LATE) == settings.BODY_PLACES
    assert sum(refused.count(busy) for busy in BUSY) == CROWD - settings.BODY_PLACES
    assert_healthy(site)
    # Reading of bodies goes on: this one is whole, and no record.
    assert site.send("POST", f"{V2}/{IMAGES}", {}, key=REQUESTOR).status_code == 422


@pytest.mark.parametrize("kind", CUT_OFF)
@pytest.mark.parametrize("is_reset", [False, True], ids=["closed", "reset"])
def test_proposals_that_are_cut_off_leave_nothing_behind(site: Site, kind: str, is_reset: bool) -> None:
    for _ in range(CROWD):
        with sent(site, CUT_OFF[kind]) as connection:
            if is_reset:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGERING)
    assert_healthy(site)
    assert site.send("GET", f"{QUEUE}/changes", key=APPROVER).json()["total"] == 0


@pytest.mark.parametrize("kind", TOO_LARGE)
def test_heads_that_are_too_large_end_their_connection_alone(site: Site, kind: str) -> None:
    for _ in range(READS):
        with sent(site, TOO_LARGE[kind]) as connection, suppress(ConnectionError):
            answer = connection.recv(1000)
            assert answer[:12] in (b"", b"HTTP/1.1 400", b"HTTP/1.1 414", b"HTTP/1.1 431")
    assert_healthy(site)
