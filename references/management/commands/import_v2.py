"""Imports a folder of v2 files."""

from argparse import ArgumentParser
from collections.abc import Iterable
from pathlib import Path

from references.legacy import CategorySource
from references.management.importing import ImportCommand
from references.sources import StoredRecords, v2_folder_read


class Command(ImportCommand):
    help = "Imports the {category}.json files of a folder, each an object of v2 records by name."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path)
        super().add_arguments(parser)

    def sources(self, options: dict) -> Iterable[CategorySource]:
        return v2_folder_read(options["folder"], known=StoredRecords())
