"""Replays the log, compares the store with it and, where asked to, brings the store in step with it."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from moderation.events import head_lock
from moderation.rebuild import differences, store_restore
from moderation.replay import Replay, log_replay
from moderation.services.transactions import categories_lock, queue_lock
from references.categories import CATEGORIES
from references.management.requirements import primary_check


class Command(BaseCommand):
    help = (
        "Replays the audit log from its first event and lists all in which live records, the queue or the "
        "log itself are not as they must be. Fails if there is anything to list."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="compare only, whatever else is given")
        parser.add_argument("--yes", action="store_true", help="make the store what the log says")

    @transaction.atomic
    def handle(self, *, check: bool, yes: bool, **options: Any) -> None:
        if not settings.AUDIT_ENABLED:
            raise CommandError("This deployment keeps no audit log.")
        if yes and not check:
            primary_check()
        if not check:
            queue_lock()
            categories_lock(CATEGORIES)
        # With the end of the log held, nothing can be committed that the log does not tell of.
        head_lock()
        replay = log_replay(progress=self._progress)
        found = [*replay.faults, *differences(replay)]
        for line in found:
            self.stdout.write(line)
        if not found:
            self.stdout.write(self.style.SUCCESS(f"{replay.last_event_id} events: all is as the log says."))
            # Kept elsewhere, it shows whether the whole log was replaced.
            self.stdout.write(f"The last hash is {replay.last_hash or 'none'}.")
        elif check or not yes or replay.faults:
            raise CommandError(f"{len(found)} differences. {_advice(replay, check)}".rstrip())
        else:
            self._restore(replay, found)

    def _restore(self, replay: Replay, found: list[str]) -> None:
        store_restore(replay)
        if left := list(differences(replay)):
            raise CommandError(f"Nothing was restored, since this would remain: {left[0]}")
        self.stdout.write(self.style.SUCCESS(f"{len(found)} differences removed."))

    def _progress(self, count: int) -> None:
        self.stdout.write(f"{count} events")


def _advice(replay: Replay, check: bool) -> str:
    if replay.faults:
        return "The log is damaged and cannot restore anything."
    return "" if check else "To make the store what the log says, add --yes."
