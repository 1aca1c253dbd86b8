"""The legacy formats: reading their files, converting records both ways, and writing them out. Pure."""

from references.legacy.csv_rows import csv_row, csv_rows
from references.legacy.dumps import category_dump, entry_dump
from references.legacy.fields import CSV_COLUMNS, LEGACY_TYPES
from references.legacy.from_legacy import record_from_legacy
from references.legacy.issues import Issue, RecordError, Severity, SourceError
from references.legacy.source import CategorySource, ImportedRecord, source_read
from references.legacy.text import group_view, text_entries
from references.legacy.to_legacy import legacy_from_record, legacy_normalised, legacy_overlay

__all__ = [
    "CSV_COLUMNS",
    "LEGACY_TYPES",
    "CategorySource",
    "ImportedRecord",
    "Issue",
    "RecordError",
    "Severity",
    "SourceError",
    "category_dump",
    "csv_row",
    "csv_rows",
    "entry_dump",
    "group_view",
    "legacy_from_record",
    "legacy_normalised",
    "legacy_overlay",
    "record_from_legacy",
    "source_read",
    "text_entries",
]
