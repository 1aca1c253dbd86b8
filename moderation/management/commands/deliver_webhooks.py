"""Tells webhooks what was written."""

import signal
from argparse import ArgumentParser
from types import FrameType

from django.core.management.base import BaseCommand, CommandError

from moderation.webhooks.deliveries import deliveries_prune
from moderation.webhooks.sender import send_due, send_forever
from moderation.webhooks.services import webhooks_possible
from references.management.bell import Bell


class Command(BaseCommand):
    help = (
        "Sends webhooks what was written to live records, again and again. Several may run, on several machines; each "
        "delivery is made by one of them. serve starts one by itself where there are webhooks."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--once", action="store_true", help="Make what is due now; fails if any attempt does."
        )

    def handle(self, *, once: bool, **options: object) -> None:
        if not webhooks_possible():
            raise CommandError("Webhooks are told by a PRIMARY that keeps its audit log; this is none.")
        if once:
            self._deliver_once()
            return
        stopping = Bell()

        def stop(number: int, frame: FrameType | None) -> None:
            stopping.set()

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        send_forever(stopping)

    def _deliver_once(self) -> None:
        counts = send_due()
        pruned = deliveries_prune()
        self.stdout.write(f"{counts[True]} delivered, {counts[False]} failed, {pruned} old ones removed")
        if counts[False]:
            raise CommandError("Not every delivery was made; `webhook list` tells why.")
