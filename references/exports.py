"""What the files of the legacy repositories should hold, against what they hold; and how they are written.

Nothing here knows where files come from: whoever exports hands over their bytes and the v1 entries there are.
"""

import difflib
import io
import json
import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from references.categories import CATEGORIES, TEXT_CATEGORY
from references.export_csv import CSV_FILE, rows_export
from references.json_equality import json_equal
from references.legacy import Severity, SourceError, category_dump, legacy_normalised, source_read
from references.legacy.values import JsonObject
from references.text import name_variants, split_backend

DB_FILE = "db.json"
NO_FINAL_NEWLINE = "\n\\ No newline at end of file\n"
Entries = Mapping[str, JsonObject]


@dataclass(frozen=True, slots=True)
class ExportFile:
    """A file of a legacy repository: what it holds (None: it is not there) and what it should hold."""

    name: str
    held: bytes | None
    content: bytes

    @property
    def is_changed(self) -> bool:
        return self.content != self.held


@dataclass(frozen=True, slots=True)
class CategoryExport:
    """A category's files, and the models in which they differ from those there are."""

    category: str
    files: tuple[ExportFile, ...]
    added: tuple[str, ...] = ()
    modified: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    @property
    def changed_files(self) -> list[ExportFile]:
        return [file for file in self.files if file.is_changed]

    @property
    def change_count(self) -> int:
        """How many models differ; the three entries of a text model count as one."""
        return len(self.added) + len(self.modified) + len(self.removed)

    @property
    def summary(self) -> str:
        return f"{len(self.added)} added, {len(self.modified)} modified, {len(self.removed)} removed"


def export_file_names(category: str) -> tuple[str, ...]:
    """The files that a category with a legacy form is written to."""
    return (CSV_FILE, DB_FILE) if category == TEXT_CATEGORY else (CATEGORIES[category].source,)


def export_side(category: str) -> str:
    """The folder of a category's files in exports of both repositories."""
    return "text" if category == TEXT_CATEGORY else "image"


def category_export(category: str, entries: Entries, held: Mapping[str, bytes]) -> CategoryExport:
    """A category's files for its v1 `entries`; `held` has the present ones by name, absent files left out.

    A file that says the same already keeps its bytes. Raises SourceError when one of `held` is no use.
    """
    export = _text_export if category == TEXT_CATEGORY else _objects_export
    return export(category, entries, held)


def held_check(category: str, name: str, content: bytes) -> bytes:
    """The content, after making sure that it can be exported over; raises SourceError."""
    if name == DB_FILE:
        _parsed(name, content)
    else:
        source_read(category, content)
    return content


def _objects_export(category: str, entries: Entries, held: Mapping[str, bytes]) -> CategoryExport:
    [name] = export_file_names(category)
    content = held.get(name)
    before = {} if content is None else _parsed(name, content)
    unread = set() if content is None else _unread(category, content)
    after = _merged(before, entries, kept=unread)
    touched = _differences(before, after)
    if content is None or touched:
        content = category_dump(after).encode()
    file = ExportFile(name, held.get(name), content)
    return _category_export(category, (file,), touched, held=before, wanted=entries)


def _text_export(category: str, entries: Entries, held: Mapping[str, bytes]) -> CategoryExport:
    base = {
        name: legacy_normalised(category, entry)
        for name, entry in entries.items()
        if not split_backend(name)[0]
    }
    rows = rows_export(held.get(CSV_FILE), base)
    content = held.get(DB_FILE)
    before = {} if content is None else _parsed(DB_FILE, content)
    after = _merged(before, _variants(base, rows.names), kept=_variant_names(set(rows.names) - set(base)))
    after = {key: after[key] for key in _variant_names(rows.names) if key in after}
    differing = _differences(before, after)
    touched = set(rows.touched)
    if content is not None:
        models = [name for name in (*before, *rows.names) if not split_backend(name)[0]]
        owners = {key: name for name in models for key in name_variants(name)}
        touched.update(owners.get(key, key) for key in differing)
    if content is None or differing:
        content = category_dump(after).encode()
    files = (
        ExportFile(CSV_FILE, held.get(CSV_FILE), rows.content),
        ExportFile(DB_FILE, held.get(DB_FILE), content),
    )
    return _category_export(category, files, touched, held={*before, *rows.held}, wanted=base)


def _category_export(
    category: str,
    files: tuple[ExportFile, ...],
    touched: Iterable[str],
    *,
    held: Iterable[str],
    wanted: Iterable[str],
) -> CategoryExport:
    """The export with the names in `touched` told apart, in the order in which they are wanted or held."""
    wanted, held = dict.fromkeys(wanted), dict.fromkeys(held)
    touched = set(touched)
    return CategoryExport(
        category,
        files,
        added=tuple(name for name in wanted if name in touched and name not in held),
        modified=tuple(name for name in wanted if name in touched and name in held),
        removed=tuple(sorted(touched - set(wanted))),
    )


def _parsed(name: str, content: bytes) -> dict[str, Any]:
    try:
        entries = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise SourceError(f"{name}: not JSON: {error}") from None
    if not isinstance(entries, dict):
        raise SourceError(f"{name}: not an object but {type(entries).__name__}")
    return entries


def _unread(category: str, content: bytes) -> set[str]:
    """The records of a file that no import takes, so that their absence here does not mean removal."""
    issues = source_read(category, content).issues
    return {issue.name for issue in issues if issue.severity is Severity.SKIPPED}


def _merged(before: Entries, entries: Entries, *, kept: Iterable[str]) -> dict[str, JsonObject]:
    """The entries in the order of the file, new ones last; equal ones keep the order of their fields."""
    kept = set(kept)
    after = {
        key: entry if json_equal(entry, entries.get(key, entry)) else entries[key]
        for key, entry in before.items()
        if key in entries or key in kept
    }
    return {**after, **{key: entry for key, entry in entries.items() if key not in after}}


def _differences(before: Entries, after: Entries) -> set[str]:
    both = before.keys() & after.keys()
    return (before.keys() ^ after.keys()) | {key for key in both if not json_equal(before[key], after[key])}


def _variants(base: Entries, names: Iterable[str]) -> dict[str, JsonObject]:
    """The entries of the models, each under all of its names; a later model may take over a shared one."""
    return {key: {**base[name], "name": key} for name in names if name in base for key in name_variants(name)}


def _variant_names(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(key for name in names for key in name_variants(name)))


def changes_diff(path: str, file: ExportFile) -> str:
    """The change of a file as a unified diff, which patch tools understand."""
    before = "/dev/null" if file.held is None else f"a/{path}"
    lines = difflib.unified_diff(_lines(file.held or b""), _lines(file.content), before, f"b/{path}")
    return "".join(line if line.endswith("\n") else f"{line}{NO_FINAL_NEWLINE}" for line in lines)


def _lines(content: bytes) -> list[str]:
    """Lines that end at line feeds only; a carriage return before one is part of the line."""
    return list(io.StringIO(content.decode(), newline="\n"))


def file_replace(path: Path, content: bytes) -> None:
    """Writes a file in one step: whoever reads it meanwhile sees all of the old content or all of the new."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        draft.write_bytes(content)
        if path.exists():
            shutil.copymode(path, draft)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
