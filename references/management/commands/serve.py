"""Serves the application."""

import os
import signal
import socket
from argparse import ArgumentParser
from contextlib import ExitStack
from functools import partial

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connections
from granian import Granian
from granian.constants import Interfaces, Loops
from granian.http import HTTP1Settings, HTTP2Settings
from granian.log import LogLevels

from references.management.beside import added_commands, beside
from references.sync import missing_categories_seed
from references.vocabulary import ReplicateMode

# Seconds to begin a request, bytes of its head, and seconds that a stop waits for the answers under way.
HEAD_TIMEOUT = 15
HEAD_BYTES = 64 * 1024
STOP_PATIENCE = 20
MAX_PORT = 65535
STOP_SIGNALS = {signal.SIGINT, signal.SIGTERM}


class Command(BaseCommand):
    help = "Serves the application with granian."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=19800)
        parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)

    def handle(self, *args: object, **options: object) -> None:
        host, port, workers = options["host"], options["port"], options["workers"]
        if workers < 1:
            raise CommandError("--workers must be at least 1.")
        if not 1 <= port <= MAX_PORT:
            raise CommandError(f"--port must be from 1 to {MAX_PORT}.")
        address = _free_address(host, port)
        missing_categories_seed()
        commands = side_commands()
        # The workers are processes of their own, and open their own connections.
        connections.close_all()
        os.register_at_fork(
            before=_signals_hold, after_in_parent=_signals_release, after_in_child=_worker_signals_reset
        )
        with ExitStack() as running:
            for command in commands:
                running.enter_context(beside(command))
            server = _server(address, port, workers)
            # Once it listens, and Ctrl-C is its affair.
            server.on_startup(partial(self._greet, host, port))
            server.serve()

    def _greet(self, host: str, port: int) -> None:
        base = f"http://{f'[{host}]' if ':' in host else host}:{port}"
        self.stdout.write(
            f"Serving on {base}\n"
            f"  catalogue       {base}/\n"
            f"  API             {base}/api/model_references/v2/model_categories\n"
            f"  documentation   {base}/api/docs\n"
            f"  administration  {base}/admin/"
        )
        self.stdout.flush()


def side_commands() -> list[str]:
    """Management commands that run beside the workers, for as long as those do."""
    is_following = settings.REPLICATE_MODE is ReplicateMode.REPLICA and not settings.OFFLINE
    added = [command for command, is_needed in added_commands if is_needed()]
    return ["follow_primary", *added] if is_following else added


def _server(address: str, port: int, workers: int) -> Granian:
    return Granian(
        "config.wsgi:application",
        address=address,
        port=port,
        workers=workers,
        interface=Interfaces.WSGI,
        blocking_threads=settings.WORKER_THREADS,
        websockets=False,
        loop=Loops.auto,
        http1_settings=HTTP1Settings(header_read_timeout=HEAD_TIMEOUT * 1000),
        http2_settings=HTTP2Settings(max_headers_size=HEAD_BYTES),
        workers_kill_timeout=STOP_PATIENCE,
        log_level=LogLevels.warning,
        log_dictconfig=settings.LOGGING,
    )


def _free_address(host: str, port: int) -> str:
    """The address of a host, if nothing listens there; raises CommandError.

    The workers share their port, so they would share it with those of another server too, without a word.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            # As the workers do: connections of a server that has just ended hold nothing up.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise CommandError(f"Cannot serve on {host} port {port}: {error.strerror or error}.") from None
    return address[0]


def _signals_hold() -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)


def _signals_release() -> None:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)


def _worker_signals_reset() -> None:
    """Has a worker stop when the server tells it, even while it loads the application.

    A new process inherits the server's handlers, which do nothing there. Ctrl-C reaches every process of a
    terminal; it is for the server alone, which then ends its workers.
    """
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
