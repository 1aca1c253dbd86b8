"""Imports the files of the legacy repositories."""

from collections.abc import Iterable

from references.legacy import CategorySource
from references.management.importing import ImportCommand
from references.management.requirements import network_check
from references.sources import github_read


class Command(ImportCommand):
    help = "Imports what the two legacy repositories on GitHub hold now."

    def sources(self, options: dict) -> Iterable[CategorySource]:
        network_check()
        return github_read()
