"""How long a process waits for the bodies of requests, and for how many at once.

The server hands a request over as soon as its head is there and knows no limit for the rest. A thread that reads what
does not come could answer nobody else, and nothing ends its wait but the end of the connection.
"""

import logging
import os
import socket
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import Any

from django.conf import settings

from config.places import NoPlace, Places

logger = logging.getLogger(__name__)

# Seconds from the first read of a body until all of it must be there.
BODY_SECONDS = 30.0
# Seconds that somebody who finds no place waits until another one has its body.
MOMENT = 0.25
# Seconds between two looks at who waits.
LOOK_SECONDS = 1.0
# One name a descriptor that this process has open.
DESCRIPTORS = "/dev/fd"

# The address and the port of a client.
Peer = tuple[str, int]


class BodyRefused(OSError):
    """A body that is not there, and not waited for any longer."""


class BodiesBusy(BodyRefused):
    """As many threads as may wait for bodies already do."""


class BodyLate(BodyRefused):
    """The time for a body is over."""


class BodyCutOff(BodyRefused):
    """A body ended before it was as long as its client had said."""


@dataclass(slots=True, eq=False)
class BodyWait:
    """A thread that waits for a body, since `began`, from a client at `address` which called `port`."""

    began: float
    address: str
    port: int
    # The client's connections when the wait was first seen; the body's is one of them.
    peers: frozenset[Peer] | None = None
    is_over: bool = False


class BodyWaits:
    """The waits of a process: as many as there are `places`, which may last BODY_SECONDS each."""

    def __init__(self, places: int) -> None:
        self._places = Places(places, moment=MOMENT)
        self._lock = threading.Lock()
        self._waits: list[BodyWait] = []
        self._watcher: threading.Thread | None = None

    @contextmanager
    def waiting(self, environ: dict[str, Any], began: float) -> Iterator[None]:
        """Reads within wait for a body that is awaited since `began`; raises BodiesBusy, BodyLate at its end too."""
        # Many reads may each be quick.
        if time.monotonic() - began > BODY_SECONDS:
            raise BodyLate("the body took too long")
        wait = BodyWait(began, environ.get("REMOTE_ADDR", ""), int(environ["SERVER_PORT"]))
        try:
            self._places.take(began)
        except NoPlace:
            raise BodiesBusy("enough wait for bodies already") from None
        with self._lock:
            self._waits.append(wait)
            if self._watcher is None:
                self._watcher = threading.Thread(target=self._watch, name="bodies", daemon=True)
                self._watcher.start()
        try:
            yield
        finally:
            with self._lock:
                self._waits.remove(wait)
            self._places.leave(began)
        if wait.is_over:
            raise BodyLate("the body took too long")

    def _watch(self) -> None:
        pause = threading.Event()
        while True:
            pause.wait(LOOK_SECONDS)
            try:
                self.look()
            except OSError as error:
                # Looking takes descriptors, and there may be none; nobody else would look ever after.
                logger.warning("who waits for bodies cannot be seen now: %s", error)

    def look(self) -> None:
        """Ends the connections of bodies whose time is over.

        The server does not tell which connection a request came by. Ended are all that its client had when the wait
        began and still has. What is answered on the others still goes out, and the client connects again; a proxy that
        has the bodies before it sends them on, as it should, never gets here.
        """
        with self._lock:
            # None of these can get its body and go on while it is looked at.
            for wait in self._waits:
                if wait.peers is None:
                    wait.peers = frozenset(peer for peer, _ in _connections(wait.address, wait.port))
                elif time.monotonic() - wait.began >= BODY_SECONDS:
                    wait.is_over = True
                    _end(wait)


def _end(wait: BodyWait) -> None:
    """Has the server read no more from the connections of a wait; what it still answers goes out."""
    for peer, connection in _connections(wait.address, wait.port):
        if peer in wait.peers:
            # It may have been closed by the client already.
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RD)


def _connections(address: str, port: int) -> Iterator[tuple[Peer, socket.socket]]:
    """The connections of this process from an address to a port, each open as long as it is looked at."""
    client = _plain(address)
    for name in os.listdir(DESCRIPTORS):
        # A descriptor may be closed at any moment, and sockets of other kinds have no peer.
        with suppress(OSError):
            if not stat.S_ISSOCK(os.stat(f"{DESCRIPTORS}/{name}").st_mode):
                continue
            with _opened(os.dup(int(name))) as connection:
                if connection.family not in (socket.AF_INET, socket.AF_INET6):
                    continue
                peer = connection.getpeername()[:2]
                if connection.getsockname()[1] == port and _plain(peer[0]) == client:
                    yield peer, connection


def _opened(descriptor: int) -> socket.socket:
    """The socket of a descriptor of our own, which is closed where it is no socket any more."""
    try:
        return socket.socket(fileno=descriptor)
    except OSError:
        os.close(descriptor)
        raise


def _plain(address: str) -> str:
    """One spelling of an address, whichever kind of socket it was seen on; what is none stays as it is."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    mapped = parsed.ipv4_mapped if isinstance(parsed, IPv6Address) else None
    return str(mapped or parsed)


body_waits = BodyWaits(settings.BODY_PLACES)
