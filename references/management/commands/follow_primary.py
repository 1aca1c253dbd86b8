"""Keeps a REPLICA in step with its PRIMARY."""

import signal
from argparse import ArgumentParser
from types import FrameType
from typing import NoReturn

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from references.categories import CATEGORIES
from references.following.place import PlaceLost
from references.following.rounds import follow, follow_once
from references.following.state import PartState, follow_state
from references.management.requirements import network_check, tables_check
from references.vocabulary import ReplicateMode


class Command(BaseCommand):
    help = (
        "Copies what changed from the PRIMARY at HORDE_MODEL_REFERENCE_PRIMARY_API_URL, again and again. "
        "Several may run; one of them works at a time. serve starts one by itself on a REPLICA."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--once",
            action="store_true",
            help="One round over everything; fails if anything could not be had.",
        )
        parser.add_argument(
            "--accept-empty",
            action="append",
            choices=tuple(CATEGORIES),
            default=[],
            metavar="CATEGORY",
            help="With --once: believe the PRIMARY that this category has no models any more.",
        )

    def handle(self, *args: object, **options: object) -> None:
        if settings.REPLICATE_MODE is not ReplicateMode.REPLICA:
            raise CommandError("This deployment is a PRIMARY: it follows nobody.")
        network_check()
        tables_check()
        if options["once"]:
            self._follow_once(options["accept_empty"])
        elif options["accept_empty"]:
            raise CommandError("--accept-empty goes with --once.")
        else:
            signal.signal(signal.SIGTERM, _end)
            try:
                follow()
            except KeyboardInterrupt:
                self.stdout.write("stopped")

    def _follow_once(self, accepted: list[str]) -> None:
        try:
            outcome = follow_once(accepted=accepted)
        except PlaceLost as error:
            raise CommandError(str(error)) from None
        self._report()
        if outcome.failed:
            raise CommandError(f"Not in step: {', '.join(outcome.failed)}.")

    def _report(self) -> None:
        state = follow_state()
        trouble = f", cannot be reached: {state.last_error}" if state.last_error else ""
        self.stdout.write(f"PRIMARY: {state.primary or 'none'}{trouble}")
        self.stdout.write(f"{'category':<20}{'source':>10}{'models':>8}{'revision':>10}  {'state'}")
        for part in state.parts:
            self.stdout.write(
                f"{part.name:<20}{part.source or '-':>10}{_cell(part.models):>8}{_cell(part.revision):>10}"
                f"  {_words(part)}"
            )


def _end(number: int, frame: FrameType | None) -> NoReturn:
    raise SystemExit(0)


def _cell(number: int | None) -> str:
    return "-" if number is None else str(number)


def _words(part: PartState) -> str:
    if part.last_error:
        return part.last_error
    return "never had" if part.lag is None else f"in step {part.lag:.0f} s ago"
