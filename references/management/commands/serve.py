"""Serves the application."""

import json
import os
import socket
import threading
import time
from argparse import ArgumentParser
from contextlib import ExitStack
from datetime import UTC, datetime

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connections

from references.management.beside import added_commands, beside
from references.management.requirements import tables_check
from references.management.server import Server, forks_prepare
from references.sync import missing_categories_seed
from references.vocabulary import ReplicateMode

MAX_PORT = 65535
# Seconds between two looks at whether connections are taken.
LOOK_SECONDS = 0.05


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
        tables_check()
        missing_categories_seed()
        commands = side_commands()
        # The workers are processes of their own, and open their own connections.
        connections.close_all()
        forks_prepare()
        with ExitStack() as running:
            for command in commands:
                running.enter_context(beside(command))
            server = Server(address=address, port=port, workers=workers)
            greeter = threading.Thread(target=self._greet, args=(host, address, port), daemon=True)
            # Ctrl-C is the server's affair by then.
            server.on_startup(greeter.start)
            server.serve()

    def _greet(self, host: str, address: str, port: int) -> None:
        """Says where to look, once connections are taken there."""
        while not _is_open(address, port):
            time.sleep(LOOK_SECONDS)
        base = f"http://{f'[{host}]' if ':' in host else host}:{port}"
        is_json = settings.LOG_FORMAT == "json"
        self.stdout.write(_greeting_json(base) if is_json else _greeting(base))
        self.stdout.flush()


def _greeting(base: str) -> str:
    return (
        f"Serving on {base}\n"
        f"  catalogue       {base}/\n"
        f"  API             {base}/api/model_references/v2/model_categories\n"
        f"  documentation   {base}/api/docs\n"
        f"  administration  {base}/admin/"
    )


def _greeting_json(base: str) -> str:
    """The same as a line of the log."""
    moment = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return json.dumps({"time": moment, "level": "INFO", "logger": __name__, "message": f"Serving on {base}"})


def _is_open(address: str, port: int) -> bool:
    try:
        socket.create_connection((address, port), timeout=1).close()
    except OSError:
        return False
    return True


def side_commands() -> list[str]:
    """Management commands that run beside the workers, for as long as those do."""
    is_following = settings.REPLICATE_MODE is ReplicateMode.REPLICA and not settings.OFFLINE
    added = [command for command, is_needed in added_commands if is_needed()]
    return ["follow_primary", *added] if is_following else added


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
