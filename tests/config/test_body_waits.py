"""Waits for bodies: so many at once, each for so long, and then the connection ends."""

import io
import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from errno import EMFILE
from typing import Any

import pytest
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, UnreadablePostError

from config import body_waits, requests
from config.body_waits import BODY_SECONDS, BodiesBusy, BodyLate, BodyWaits
from config.limits import RETRY_AFTER, BodyLimitMiddleware
from config.requests import Utf8Request
from references.api.bodies import request_body
from references.problems import BadRequest

PATIENCE = 60
# Longer than a moment, and no time for a body.
LONG = 1.0


@pytest.fixture(autouse=True)
def no_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests look themselves."""
    monkeypatch.setattr(body_waits, "LOOK_SECONDS", PATIENCE)


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(time, "monotonic", clock)
    return clock


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


@pytest.fixture
def connect(listener: socket.socket) -> Iterator[Callable[[], socket.socket]]:
    """Makes connections, and returns the server's end of each."""
    with ExitStack() as ends:

        def connect() -> socket.socket:
            ends.enter_context(socket.create_connection(listener.getsockname(), PATIENCE))
            end = ends.enter_context(listener.accept()[0])
            end.settimeout(PATIENCE)
            return end

        yield connect


def environ_of(listener: socket.socket, **members: Any) -> dict[str, Any]:
    address, port = listener.getsockname()
    return {"REMOTE_ADDR": address, "SERVER_PORT": str(port), **members}


def is_ended(connection: socket.socket) -> bool:
    connection.setblocking(False)
    try:
        return connection.recv(1) == b""
    except BlockingIOError:
        return False


def test_whoever_finds_no_place_is_refused_once_another_one_waits_for_long(listener):
    waits, environ = BodyWaits(1), environ_of(listener)
    long_ago = time.monotonic() - LONG
    with waits.waiting(environ, long_ago), pytest.raises(BodiesBusy), waits.waiting(environ, long_ago):
        pytest.fail("it was let in")
    with waits.waiting(environ, time.monotonic()):
        pass


def test_whoever_finds_no_place_gets_the_next_one_where_nobody_waits_for_long(listener, monkeypatch):
    monkeypatch.setattr(body_waits, "MOMENT", PATIENCE)
    waits, environ, queued = BodyWaits(1), environ_of(listener), threading.Event()
    changed_wait = waits._places._changed.wait

    def note(seconds: float) -> bool:
        queued.set()
        return changed_wait(seconds)

    def read() -> int:
        with waits.waiting(environ, time.monotonic()):
            return len(waits._waits)

    monkeypatch.setattr(waits._places._changed, "wait", note)
    with ThreadPoolExecutor(1) as threads:
        with waits.waiting(environ, time.monotonic()):
            other = threads.submit(read)
            assert queued.wait(PATIENCE)
            assert not other.done()
        assert other.result(PATIENCE) == 1


def given_up(clock: Clock, environ: dict[str, Any], between: Callable[[], Any] = lambda: None) -> None:
    """A wait that is seen, and seen again when its time is over."""
    waits = BodyWaits(1)
    with waits.waiting(environ, clock.now):
        waits.look()
        between()
        clock.now += BODY_SECONDS
        waits.look()


def test_a_body_whose_time_is_over_ends_the_connections_that_may_be_its_own(clock, listener, connect):
    own, later = connect(), []
    with socket.create_server(("127.0.0.1", 0)) as other_port:
        elsewhere = socket.create_connection(other_port.getsockname())
        with elsewhere, other_port.accept()[0] as at_another_port:
            with pytest.raises(BodyLate):
                given_up(clock, environ_of(listener), lambda: later.append(connect()))
            assert is_ended(own)
            assert not is_ended(later[0])
            assert not is_ended(at_another_port)


@pytest.mark.parametrize("address", ["192.0.2.1", "2001:db8::1", "", "no address"])
def test_the_connections_of_other_clients_go_on(clock, listener, connect, address):
    connection = connect()
    with pytest.raises(BodyLate):
        given_up(clock, environ_of(listener, REMOTE_ADDR=address))
    assert not is_ended(connection)


def test_a_client_is_known_by_either_spelling_of_its_address(clock, listener, connect):
    connection = connect()
    with pytest.raises(BodyLate):
        given_up(clock, environ_of(listener, REMOTE_ADDR="::ffff:127.0.0.1"))
    assert is_ended(connection)


def test_there_is_time_for_a_body(clock, listener, connect):
    waits, connection = BodyWaits(1), connect()
    with waits.waiting(environ_of(listener), clock.now):
        waits.look()
        clock.now += BODY_SECONDS - 1
        waits.look()
    assert not is_ended(connection)


def test_many_quick_reads_have_no_more_time_than_a_long_one(clock, listener):
    waits, began = BodyWaits(1), clock.now
    for later in (1, BODY_SECONDS):
        clock.now = began + later
        with waits.waiting(environ_of(listener), began):
            pass
    clock.now += 1
    with pytest.raises(BodyLate), waits.waiting(environ_of(listener), began):
        pytest.fail("it was let in")


def test_a_read_that_blocks_is_ended_by_itself(clock, listener, connect, monkeypatch):
    monkeypatch.setattr(body_waits, "LOOK_SECONDS", 0.01)
    waits, connection = BodyWaits(1), connect()

    def read() -> bytes:
        clock.now += BODY_SECONDS
        return connection.recv(1)

    with pytest.raises(BodyLate), waits.waiting(environ_of(listener), clock.now):
        assert read() == b""


def test_waits_are_ended_after_a_look_that_failed_for_want_of_descriptors(
    clock, listener, connect, monkeypatch, caplog
):
    monkeypatch.setattr(body_waits, "LOOK_SECONDS", 0.01)
    waits, connection, failures = BodyWaits(1), connect(), [OSError(EMFILE, "Too many open files")]
    listdir = os.listdir

    def listdir_at_last(path: str) -> list[str]:
        if failures:
            raise failures.pop()
        return listdir(path)

    monkeypatch.setattr(os, "listdir", listdir_at_last)

    def read() -> bytes:
        clock.now += BODY_SECONDS
        return connection.recv(1)

    with pytest.raises(BodyLate), waits.waiting(environ_of(listener), clock.now):
        assert read() == b""
    assert caplog.messages == ["who waits for bodies cannot be seen now: [Errno 24] Too many open files"]


# What clients are told


def told(view: Callable[[HttpRequest], Any], **members: Any) -> tuple[int, Any, dict[str, str]]:
    """The answer to a request of four bytes; the view reads them in its way."""
    server = {"SERVER_NAME": "localhost", "SERVER_PORT": "1", "wsgi.url_scheme": "http"}
    body = {"CONTENT_LENGTH": "4", "CONTENT_TYPE": "application/json", "wsgi.input": io.BytesIO(b"[12]")}
    request = Utf8Request({"REQUEST_METHOD": "POST", "PATH_INFO": "/", **server, **body, **members})

    def answer(request: HttpRequest) -> HttpResponse:
        try:
            return HttpResponse(json.dumps(view(request)))
        except (BadRequest, UnreadablePostError):
            return HttpResponse("no body", status=400)

    response = BodyLimitMiddleware(answer)(request)
    return response.status_code, json.loads(response.content), dict(response.headers)


def form_read(request: HttpRequest) -> dict:
    return dict(request.POST)


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> BodyWaits:
    waits = BodyWaits(1)
    monkeypatch.setattr(requests, "body_waits", waits)
    return waits


CHUNKED = {"CONTENT_LENGTH": "", "wsgi.input_terminated": True}
FORM = {"CONTENT_TYPE": "application/x-www-form-urlencoded"}
WAYS = [(request_body, {}), (request_body, CHUNKED), (form_read, FORM)]


@pytest.mark.parametrize(("view", "members"), WAYS)
def test_a_body_that_nobody_has_time_for_may_be_sent_again(waits, view, members):
    with waits.waiting({"SERVER_PORT": "1"}, time.monotonic() - LONG):
        status, body, headers = told(view, **members)
    assert (status, body) == (503, {"detail": "Too many request bodies are awaited."})
    assert (headers["Retry-After"], headers["Connection"]) == (str(RETRY_AFTER), "close")


class SlowInput(io.BytesIO):
    """Comes when its time is over."""

    def __init__(self, body: bytes, clock: Clock) -> None:
        super().__init__(body)
        self.clock = clock

    def read(self, size: int) -> bytes:
        requests.body_waits.look()
        self.clock.now += BODY_SECONDS
        requests.body_waits.look()
        return super().read(size)


@pytest.mark.parametrize(("view", "members"), WAYS)
def test_a_body_that_takes_too_long_is_refused(clock, waits, view, members):
    status, body, headers = told(view, **members, **{"wsgi.input": SlowInput(b"[12]", clock)})
    assert (status, body) == (408, {"detail": "The request body took too long."})
    assert headers["Connection"] == "close"
    assert "Retry-After" not in headers


MULTIPART = {"CONTENT_TYPE": "multipart/form-data; boundary=x"}
PART = b'--x\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'


@pytest.mark.parametrize(
    ("view", "members", "body"),
    [
        (request_body, {}, b"[1"),
        (form_read, FORM, b"a=b&c=d"),
        (form_read, MULTIPART, PART % (b"a", b"b")),
        (form_read, MULTIPART, b""),
    ],
)
def test_a_body_that_ends_early_is_not_taken_for_a_whole_one(waits, view, members, body):
    length = {"CONTENT_LENGTH": "500", "wsgi.input": io.BytesIO(body)}
    status, answer, headers = told(view, **{**members, **length})
    assert (status, answer) == (400, {"detail": "The request ended before its body did."})
    assert headers["Connection"] == "close"


def test_a_form_with_a_file_may_be_no_larger_than_other_bodies(settings, waits):
    settings.MAX_BODY_BYTES = 200_000
    file = PART.replace(b'"%s"', b'"%s"; filename="f"') % (b"f", b"1" * 200_001)
    body = PART % (b"a", b"b") + file + b"--x--\r\n"
    length = {"CONTENT_LENGTH": str(len(body)), "wsgi.input": io.BytesIO(body)}
    with pytest.raises(RequestDataTooBig):
        told(form_read, **MULTIPART, **length)
    settings.MAX_BODY_BYTES = len(body)
    length["wsgi.input"] = io.BytesIO(body)
    assert told(form_read, **MULTIPART, **length)[:2] == (200, {"a": ["b"]})


def test_a_view_that_does_not_catch_a_refusal_is_no_failure(waits):
    body = {"CONTENT_LENGTH": "9", "wsgi.input": io.BytesIO(b"a=b")}
    server = {"SERVER_NAME": "localhost", "SERVER_PORT": "1", "wsgi.url_scheme": "http"}
    request = Utf8Request({"REQUEST_METHOD": "POST", "PATH_INFO": "/", **server, **FORM, **body})
    middleware = BodyLimitMiddleware(HttpResponse)
    error = ValueError()
    assert middleware.process_exception(request, error) is None
    with pytest.raises(UnreadablePostError) as caught:
        form_read(request)
    assert middleware.process_exception(request, caught.value).status_code == 400


def test_a_body_that_is_there_is_read(waits):
    assert told(request_body)[:2] == (200, [12])
    assert told(request_body, **CHUNKED)[:2] == (200, [12])


def test_what_has_no_body_to_read_is_not_touched(waits):
    body = io.BytesIO(b"")
    request = Utf8Request({"REQUEST_METHOD": "GET", "PATH_INFO": "/", "wsgi.input": body})
    assert request.META["wsgi.input"] is body
