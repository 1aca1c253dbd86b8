"""Serves the application."""

import os
from argparse import ArgumentParser

from django.core.management.base import BaseCommand
from django.db import connections
from granian import Granian
from granian.constants import Interfaces, Loops
from granian.log import LogLevels

from references.sync import missing_categories_seed

# More than one: a thread that waits for the AI-Horde to answer about a key must not keep reads waiting.
BLOCKING_THREADS = 4


class Command(BaseCommand):
    help = "Serves the application with granian."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=19800)
        parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)

    def handle(self, *args: object, **options: object) -> None:
        base = f"http://{options['host']}:{options['port']}"
        self.stdout.write(
            f"Serving on {base}\n"
            f"  catalogue       {base}/\n"
            f"  API             {base}/api/model_references/v2/model_categories\n"
            f"  documentation   {base}/api/docs\n"
            f"  administration  {base}/admin/"
        )
        self.stdout.flush()
        missing_categories_seed()
        # The workers are processes of their own, and open their own connections.
        connections.close_all()
        Granian(
            "config.wsgi:application",
            address=options["host"],
            port=options["port"],
            workers=options["workers"],
            interface=Interfaces.WSGI,
            blocking_threads=BLOCKING_THREADS,
            websockets=False,
            loop=Loops.auto,
            log_level=LogLevels.warning,
        ).serve()
