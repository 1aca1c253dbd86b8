"""Reads one file of the legacy repositories: every record it holds, and what is wrong with the others."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from references.categories import CATEGORIES, TEXT_CATEGORY
from references.legacy.csv_rows import read_columns, read_rows, record_from_cells
from references.legacy.from_legacy import record_from_legacy, require_name
from references.legacy.issues import Issue, RecordError, Severity, SourceError, warnings_into
from references.legacy.values import JsonObject, refuse_constant


@dataclass(frozen=True, slots=True)
class ImportedRecord:
    """A model as read from a file: the v2 record without timestamps, and the legacy object it came from.

    `name` is the key it is known by; `legacy` is None where a category keeps no legacy objects. `is_stored` tells
    that `record` is the very one that is stored under this name, timestamps and all.
    """

    name: str
    record: JsonObject
    legacy: JsonObject | None
    is_stored: bool = False


@dataclass(frozen=True, slots=True)
class CategorySource:
    """A file: its text, its records in order, its issues.

    A legacy file has been read whole. The records of other files, whose text is left empty, may be read while they
    are gone through, each time anew; the issues are complete then.
    """

    category: str
    text: str
    records: Iterable[ImportedRecord] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)

    @property
    def is_complete(self) -> bool:
        """Whether `records` hold all that `text` says."""
        return not any(issue.severity is Severity.SKIPPED for issue in self.issues)


def source_read(category: str, raw: bytes) -> CategorySource:
    """Reads a category's legacy file; raises SourceError when the file as a whole is no use."""
    file = CATEGORIES[category].source
    if file is None:
        raise SourceError(f"{category} has no legacy file")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise SourceError(f"{file}: not UTF-8 at byte {error.start}") from None
    if category == TEXT_CATEGORY:
        return _read_csv(category, file, text)
    return _read_json(category, file, text.removeprefix("\ufeff").replace("\r\n", "\n"))


def _read_json(category: str, file: str, text: str) -> CategorySource:
    source = CategorySource(category, text)
    repetitions = _Repetitions()
    try:
        entries = json.loads(text, object_pairs_hook=repetitions.note, parse_constant=refuse_constant)
    except (ValueError, RecursionError) as error:
        raise SourceError(f"{file}: not JSON: {error}") from None
    if not isinstance(entries, dict):
        raise SourceError(f"{file}: not an object but {type(entries).__name__}")
    for key in repetitions.keys_of(entries):
        warnings_into(source.issues, key)(
            "repeated_record", "occurs more than once in the file; the last one counts"
        )
    for key, legacy in entries.items():
        for repeated in repetitions.keys_within(legacy):
            warnings_into(source.issues, key)(
                "repeated_key", f"has {repeated!r} more than once; the last one counts"
            )
        try:
            record, issues = record_from_legacy(category, key, legacy)
        except RecordError as error:
            source.issues.append(_skipped(key, error))
            continue
        source.issues.extend(issues)
        source.records.append(ImportedRecord(key, record, legacy))
    return source


def _read_csv(category: str, file: str, text: str) -> CategorySource:
    if "\0" in text:
        raise SourceError(f"{file}: holds a null character")
    rows = read_rows(text, file)
    columns = read_columns(next(rows, None), file)
    source = CategorySource(category, text)
    records: dict[str, JsonObject] = {}
    for row in rows:
        if not row.cells:
            continue
        cells = dict(zip(columns, row.cells, strict=True))
        name = cells["name"].strip()
        warn = warnings_into(source.issues, name)
        try:
            require_name(name)
            record = record_from_cells(cells, warn)
        except RecordError as error:
            source.issues.append(_skipped(name, error, f"line {row.line}: "))
            continue
        if name in records:
            warn(
                "repeated_record", f"line {row.line}: occurs more than once in the file; the last one counts"
            )
        records[name] = record
    source.records.extend(ImportedRecord(name, record, None) for name, record in records.items())
    return source


def _skipped(name: str, error: RecordError, place: str = "") -> Issue:
    return Issue(name, Severity.SKIPPED, f"{place}{error}", error.code)


class _Repetitions:
    """Notes the keys that occur twice in one JSON object, which plain parsing drops without a word."""

    def __init__(self) -> None:
        # The objects are kept with their keys, so that no other object can take over an identity.
        self._noted: dict[int, tuple[JsonObject, list[str]]] = {}

    def note(self, pairs: list[tuple[str, Any]]) -> JsonObject:
        """For `json.loads`: an object from its pairs."""
        parsed = dict(pairs)
        if len(parsed) < len(pairs):
            counts = Counter(key for key, _ in pairs)
            self._noted[id(parsed)] = parsed, [key for key, count in counts.items() if count > 1]
        return parsed

    def keys_of(self, parsed: JsonObject) -> list[str]:
        return self._noted[id(parsed)][1] if id(parsed) in self._noted else []

    def keys_within(self, value: Any) -> Iterator[str]:
        """The keys noted for an object or any within it."""
        pending = [value]
        while pending:
            item = pending.pop()
            if isinstance(item, dict):
                yield from self.keys_of(item)
                pending.extend(item.values())
            elif isinstance(item, list):
                pending.extend(item)
