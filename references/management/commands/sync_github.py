"""Proposes to the legacy repositories what the service says."""

from argparse import ArgumentParser
from dataclasses import replace

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from references.management.requirements import network_check
from references.sync import SyncError, SyncOptions, options_check, sync_run, sync_watch


class Command(BaseCommand):
    help = (
        "Compares the service at HORDE_GITHUB_SYNC_PRIMARY_API_URL with the legacy repositories and opens "
        "one pull request in each that differs. Settings are the variables HORDE_GITHUB_SYNC_*."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="Only report what differs.")
        parser.add_argument(
            "--no-pr",
            action="store_true",
            help="Write the changed files and changes.diff to the output folder instead.",
        )
        parser.add_argument("--output-dir", default="", help="The folder for --no-pr.")
        parser.add_argument(
            "--watch", action="store_true", help="Stay, and sync whenever the service has changed."
        )

    def handle(self, *args: object, **options: object) -> None:
        network_check()
        given = ("dry_run", "no_pr", "output_dir", "watch")
        sync = replace(
            SyncOptions(**settings.GITHUB_SYNC), **{name: options[name] for name in given if options[name]}
        )
        try:
            options_check(sync)
            if sync.watch:
                sync_watch(sync, report=self._report)
            elif not sync_run(sync, report=self._report):
                raise SyncError("Not everything could be synced.")
        except SyncError as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(f"{error.filename}: {error.strerror}") from error
        except KeyboardInterrupt:
            self._report("stopped")

    def _report(self, line: str) -> None:
        self.stdout.write(line)
        # Whoever follows a watching job through a pipe should not wait for the buffer to fill.
        self.stdout.flush()
