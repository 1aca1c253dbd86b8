"""The CSV file of text models, brought in step with the models there are. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from references.categories import CATEGORIES, TEXT_CATEGORY
from references.legacy import (
    CSV_COLUMNS,
    RecordError,
    SourceError,
    csv_row,
    csv_rows,
    record_from_legacy,
    source_read,
    text_entries,
)
from references.legacy.csv_rows import read_columns, read_rows
from references.legacy.values import JsonObject

CSV_FILE = CATEGORIES[TEXT_CATEGORY].source
CRLF = "\r\n"
LF = "\n"
Row = tuple[str | None, str]
"""The name in a row, None for the header and for blank lines, and its text, line end included."""


@dataclass(frozen=True, slots=True)
class RowsExport:
    """The file as it should be.

    `names` are those in it, in order, `held` those of the models it had, `touched` those whose rows changed.
    """

    content: bytes
    names: tuple[str, ...]
    held: frozenset[str]
    touched: frozenset[str]


def rows_export(held: bytes | None, entries: Mapping[str, JsonObject]) -> RowsExport:
    """The file with one row for each of `entries`, the v1 entries under the models' own names.

    Rows that say what the entry says are kept as they are, repetitions included; so are rows that no import
    could read, as their models were never here to be removed. Raises SourceError for a file that is no use.
    """
    raw = ",".join(CSV_COLUMNS).encode() + b"\n" if held is None else held
    source = source_read(TEXT_CATEGORY, raw)
    columns = read_columns(next(read_rows(source.text, CSV_FILE)), CSV_FILE)
    rows = csv_rows(source.text)
    end = CRLF if rows[0][1].endswith(CRLF) else LF
    before = {
        item.name: _row(item.name, text_entries(item.record)[0][1], columns) + end for item in source.records
    }
    wanted = {name: _row(name, entry, columns) + end for name, entry in entries.items()}
    lines, touched = _lines_in_step(rows, before, wanted)
    present = {name for name, _ in rows}
    new = {name: line for name, line in wanted.items() if name not in present}
    lines += new.items()
    return RowsExport(
        content=_joined([line for _, line in lines], end).encode(),
        names=tuple(dict.fromkeys(name for name, _ in lines if name)),
        held=frozenset(before),
        touched=frozenset(touched | set(new)),
    )


def _lines_in_step(
    rows: Sequence[Row], before: Mapping[str, str], wanted: Mapping[str, str]
) -> tuple[list[Row], set[str]]:
    """The rows that stay, with those in place that are written anew; and the names of which a row changed."""
    lines: list[Row] = []
    touched, rewritten = set(), set()
    for name, line in rows:
        if name in wanted and before.get(name) != wanted[name]:
            if name in rewritten or line != wanted[name]:
                touched.add(name)
            if name not in rewritten:
                rewritten.add(name)
                lines.append((name, wanted[name]))
        elif name in wanted or name not in before:
            lines.append((name, line))
        else:
            touched.add(name)
    return lines, touched


def _row(name: str, entry: JsonObject, columns: list[str]) -> str:
    """The row of a v1 entry; what it says by itself, such as the tag of its size, is not in it."""
    try:
        record, _ = record_from_legacy(TEXT_CATEGORY, name, entry)
    except RecordError as error:
        raise SourceError(f"{CSV_FILE}: {name!r} cannot be written as a row: {error}") from error
    return csv_row(record, columns)


def _joined(lines: list[str], end: str) -> str:
    """The lines in one text; the last one of a file may have had no line end of its own."""
    *others, last = lines
    return "".join(line if line.endswith(("\n", "\r")) else line + end for line in others) + last
