"""Django's `flush`, which the append-only log would refuse."""

from typing import Any

from django.core.management.commands import flush

from moderation.append_only import log_unlocked


class Command(flush.Command):
    help = f"{flush.Command.help} The audit log goes with the rest."

    def handle(self, **options: Any) -> None:
        with log_unlocked(options["database"]):
            super().handle(**options)
