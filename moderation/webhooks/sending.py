"""One POST request that ends in bounded time, to an address that was checked, and what came of it."""

import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from http.client import HTTPException

import requests.certs
import urllib3
from django.conf import settings
from urllib3.connection import HTTPConnection, HTTPSConnection

from moderation.webhooks.addresses import AddressRefused, Target, target_resolve

TIMEOUT = 10.0
KEPT_CHARACTERS = 200
_READ_BYTES = 4 * KEPT_CHARACTERS


@dataclass(frozen=True, slots=True)
class Answer:
    """The status and the beginning of the body; without a status, `text` says why there is none."""

    status: int | None
    text: str = ""

    @property
    def is_good(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    def __str__(self) -> str:
        if self.status is None:
            return self.text
        return f"status {self.status}{': ' if self.text else ''}{self.text}"


def post(url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
    """Sends the body; redirects are not followed, and no proxy is asked."""
    try:
        target = target_resolve(url, allow_private=settings.WEBHOOK_ALLOW_PRIVATE)
        deadline = time.monotonic() + TIMEOUT
        connection = _connected(target, deadline)
        with _cut_off(connection, deadline):
            connection.request(
                "POST",
                target.path,
                body=body,
                headers={"Host": target.host, "Connection": "close", **headers},
                preload_content=False,
            )
            response = connection.getresponse()
            # Headers that were cut at the deadline look like whole ones.
            if time.monotonic() >= deadline:
                raise TimeoutError
            return Answer(response.status, _beginning(response))
    except AddressRefused as error:
        return Answer(None, str(error))
    except (OSError, HTTPException, urllib3.exceptions.HTTPError) as error:
        # The text of the library's own errors may repeat the address.
        return Answer(None, f"No answer: {type(error).__name__}.")


def _connected(target: Target, deadline: float) -> HTTPConnection:
    """A connection to the first of the addresses that takes one; none may use up the time of those after it."""
    for left, address in zip(range(len(target.addresses), 0, -1), target.addresses, strict=True):
        connection = _connection(target, address, _patience(deadline, among=left))
        try:
            connection.connect()
        except (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError):
            connection.close()
            if left == 1 or time.monotonic() > deadline:
                raise
        else:
            # The answer may take all of the time that is left.
            connection.timeout = _patience(deadline)
            return connection
    raise AssertionError("the last address connects or raises")


def _patience(deadline: float, *, among: int = 1) -> float:
    """Seconds for one step, where so many steps share what is left until the deadline."""
    return max(1.0, (deadline - time.monotonic()) / among)


def _connection(target: Target, address: str, timeout: float) -> HTTPConnection:
    if not target.is_encrypted:
        return HTTPConnection(address, target.port, timeout=timeout)
    return HTTPSConnection(
        address, target.port, timeout=timeout, ssl_context=_trust(), server_hostname=target.name
    )


@cache
def _trust() -> ssl.SSLContext:
    """The authorities that the system trusts, and those that the library brings where it has none."""
    context = ssl.create_default_context()
    context.load_verify_locations(requests.certs.where())
    return context


@contextmanager
def _cut_off(connection: HTTPConnection, deadline: float) -> Iterator[None]:
    """Ends the connection at the deadline, however steadily something still trickles in."""
    sock = connection.sock
    timer = threading.Timer(max(0.0, deadline - time.monotonic()), _shut, [sock])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        connection.close()
        # A body that was not read to its end keeps the socket open by itself.
        _shut(sock)


def _shut(sock: socket.socket) -> None:
    try:
        sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        # It is closed already.
        return


def _beginning(response: urllib3.BaseHTTPResponse) -> str:
    """As much of the body as is kept; the status stands, whatever becomes of the body."""
    try:
        read = response.read(_READ_BYTES, decode_content=False)
    except (OSError, HTTPException, urllib3.exceptions.HTTPError):
        return ""
    text = read.decode("utf-8", "replace")[:KEPT_CHARACTERS]
    return "".join(character if character.isprintable() else " " for character in text).strip()
