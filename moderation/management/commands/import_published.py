"""Moves the store of a published service into this one."""

from argparse import ArgumentParser
from collections import Counter
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from moderation.published import MoveReport, StoreError, store_move_in, store_read
from references.management.requirements import primary_check, tables_check
from references.problems import Unavailable


class Command(BaseCommand):
    help = (
        "Moves the folder that a published Model Reference service keeps its data in into this service: records, "
        "queue, audit log, text groups. Nobody may have worked with this service before; records that were only "
        "imported here, such as the starter catalogue, give way. All of it is moved in or nothing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path)
        parser.add_argument(
            "--dry-run", action="store_true", help="Report what would be done, and change nothing."
        )

    def handle(self, *, folder: Path, dry_run: bool, verbosity: int, **options: object) -> None:
        primary_check()
        tables_check()
        progress = self.stdout.write if verbosity > 0 else lambda words: None
        try:
            progress(f"reading {folder}")
            report = store_move_in(store=store_read(folder), dry_run=dry_run, progress=progress)
        except (StoreError, Unavailable) as error:
            raise CommandError(f"{error}\nNothing was changed.") from error
        except OSError as error:
            raise CommandError(f"{error.filename}: {error.strerror}\nNothing was changed.") from error
        if report.is_repeat:
            self.stdout.write("This store was moved in before: 0 changes.")
            return
        self._report(report)
        if dry_run:
            self.stdout.write("Dry run: nothing was changed.")

    def _report(self, report: MoveReport) -> None:
        for title, lines in (("not carried over", report.left_out), ("added to the log", report.added)):
            for line in lines:
                self.stdout.write(f"{title}: {line}")
        if report.apart:
            self.stdout.write(
                f"{report.apart} times of changes differ between queue and log; the log's are kept"
            )
        self.stdout.write(f"{'category':<20}{'moved in':>11}{'removed':>11}")
        for category in report.records | report.removed:
            moved, removed = report.records[category], report.removed[category]
            if moved or removed:
                self.stdout.write(f"{category:<20}{moved:>11}{removed:>11}")
        self.stdout.write(f"changes: {_listed(report.changes)}")
        self.stdout.write(f"text groups: {_listed(report.structure)}")
        self.stdout.write(self.style.SUCCESS(f"{report.events} events tell its past."))


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.items() if count) or "none"
