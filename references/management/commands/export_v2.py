"""Exports to a folder of v2 files."""

import json
from argparse import ArgumentParser
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from references.categories import CATEGORIES
from references.documents import snapshot
from references.exports import file_replace


class Command(BaseCommand):
    help = (
        "Writes a {category}.json file of v2 records for each category to a folder, for import_v2 to read. "
        "What only the legacy format can say is not in them."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path)

    def handle(self, *args: object, **options: object) -> None:
        try:
            for category in CATEGORIES:
                self._write(category, options["folder"] / f"{category}.json")
        except OSError as error:
            raise CommandError(f"{error.filename}: {error.strerror}") from error

    def _write(self, category: str, path: Path) -> None:
        records = {row.name: row.record for row in snapshot(category).rows}
        content = f"{json.dumps(records, ensure_ascii=False, indent=1)}\n".encode()
        is_written = not path.is_file() or path.read_bytes() != content
        if is_written:
            file_replace(path, content)
        self.stdout.write(f"{path}: {len(records)} models, {'written' if is_written else 'unchanged'}")
