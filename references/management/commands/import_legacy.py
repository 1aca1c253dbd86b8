"""Imports a folder of legacy files."""

from argparse import ArgumentParser
from collections.abc import Iterable
from pathlib import Path

from references.legacy import CategorySource
from references.management.importing import ImportCommand
from references.sources import legacy_folder_read


class Command(ImportCommand):
    help = (
        "Imports the legacy files of a folder: image/*.json and text/models.csv, or all of them side by side."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path)
        super().add_arguments(parser)

    def sources(self, options: dict) -> Iterable[CategorySource]:
        return legacy_folder_read(options["folder"])
