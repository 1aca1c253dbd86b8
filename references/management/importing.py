"""What the commands that import records share: all or nothing, progress, and the report at the end."""

from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from operator import length_hint

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from references.legacy import CategorySource, ImportedRecord, Severity, SourceError
from references.management.requirements import primary_check, tables_check
from references.services import ImportCounts, sources_import

COLUMNS = ("created", "updated", "unchanged", "moved", "kept", "skipped", "warnings")
PROGRESS_EVERY = 10_000


class ImportCommand(BaseCommand):
    """Subclasses say where the records come from, with `sources`."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--dry-run", action="store_true", help="Report what would be done, and change nothing."
        )

    def sources(self, options: dict) -> Iterable[CategorySource]:
        raise NotImplementedError

    def handle(self, *args: object, **options: object) -> None:
        primary_check()
        tables_check()
        self.verbosity = options["verbosity"]
        try:
            read = [self._noted(source) for source in self.sources(options)]
            with transaction.atomic():
                counts = sources_import(read)
                if options["dry_run"]:
                    transaction.set_rollback(True)
        except SourceError as error:
            raise CommandError(f"{error}\nNothing was changed.") from error
        self._report(read, counts)
        if options["dry_run"]:
            self.stdout.write("Dry run: nothing was changed.")

    def _noted(self, source: CategorySource) -> CategorySource:
        """The source, which tells how far it was gone through."""
        total = length_hint(source.records)
        if self.verbosity > 0:
            self.stdout.write(f"read {source.category}: {total} records")
        return replace(source, records=self._counted(source, total))

    def _counted(self, source: CategorySource, total: int) -> Iterator[ImportedRecord]:
        for number, record in enumerate(source.records, start=1):
            if self.verbosity > 0 and number % PROGRESS_EVERY == 0:
                self.stdout.write(f"{source.category}: {number} of {total} records")
            yield record

    def _report(self, read: list[CategorySource], counts: dict[str, ImportCounts]) -> None:
        for source in read:
            for issue in source.issues:
                if issue.severity == Severity.SKIPPED or self.verbosity > 1:
                    self.stdout.write(f"{issue.severity}: {source.category} {issue.name}: {issue.reason}")
        self.stdout.write(f"{'category':<20}" + "".join(f"{column:>11}" for column in COLUMNS))
        for source in read:
            done = counts[source.category]
            severities = Counter(issue.severity for issue in source.issues)
            numbers = (
                done.created,
                done.updated,
                done.unchanged,
                done.moved,
                done.kept,
                severities[Severity.SKIPPED],
                severities[Severity.WARNING],
            )
            self.stdout.write(f"{source.category:<20}" + "".join(f"{number:>11}" for number in numbers))
