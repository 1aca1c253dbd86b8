"""Exports to a folder of legacy files."""

from argparse import ArgumentParser
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from references.categories import CATEGORIES, CategorySpec
from references.documents import snapshot
from references.exports import CategoryExport, category_export, export_file_names, export_side, file_replace
from references.legacy import SourceError
from references.models import LegacySource


class Command(BaseCommand):
    help = (
        "Writes image/*.json, text/models.csv and text/db.json to a folder. Files that are there keep every "
        "byte that need not change; those that say the same already are left alone."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path)

    def handle(self, *args: object, **options: object) -> None:
        folder = options["folder"]
        specs = [spec for spec in CATEGORIES.values() if spec.has_legacy_form]
        try:
            exports = [_export(spec, _paths(spec, folder)) for spec in specs]
            for spec, export in zip(specs, exports, strict=True):
                self._write(export, _paths(spec, folder))
        except SourceError as error:
            raise CommandError(f"{error}\nNothing was written.") from error
        except OSError as error:
            raise CommandError(f"{error.filename}: {error.strerror}") from error

    def _write(self, export: CategoryExport, paths: dict[str, Path]) -> None:
        self.stdout.write(f"{export.category}: {export.summary}")
        for file in export.files:
            path = paths[file.name]
            is_written = _content(path) != file.content
            if is_written:
                file_replace(path, file.content)
            self.stdout.write(f"  {path}: {'written' if is_written else 'unchanged'}")


def _paths(spec: CategorySpec, folder: Path) -> dict[str, Path]:
    """Where a category's files are or will be: on their side, unless the folder holds all side by side."""
    side = folder / export_side(spec.name)
    is_flat = (folder / spec.source).is_file() and not (side / spec.source).is_file()
    return {name: (folder if is_flat else side) / name for name in export_file_names(spec.name)}


def _export(spec: CategorySpec, paths: dict[str, Path]) -> CategoryExport:
    held = {name: content for name, path in paths.items() if (content := _content(path)) is not None}
    if spec.source not in held:
        imported = LegacySource.objects.filter(category=spec.name).first()
        if imported:
            held[spec.source] = imported.text.encode()
    entries = dict(entry for row in snapshot(spec.name).rows for entry in row.legacy_entries)
    return category_export(spec.name, entries, held)


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None
