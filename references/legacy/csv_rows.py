"""The CSV file of text models: its rows, its cells against v2 records, and the row of a record."""

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

from references.legacy.fields import CSV_COLUMNS
from references.legacy.issues import RecordError, SourceError, Warn
from references.legacy.text import BILLION, automatic_display_name, automatic_tags, text_record
from references.legacy.values import JsonObject, read_scalars, refuse_constant, require_in_range

_BYTE_ORDER_MARK = "\ufeff"
# Columns whose cells go into a record as they are. The last one is in no known file, but may come back.
_PLAIN_COLUMNS = ("description", "style", "baseline", "url", "display_name", "instruct_format", "version")


class Row(NamedTuple):
    """A row with the line it begins on and its text in the file, line end included."""

    line: int
    cells: list[str]
    raw: str


def read_rows(text: str, file: str) -> Iterator[Row]:
    """The rows of a CSV file, the header first; raises SourceError at the first torn one.

    A blank line is a row without cells.
    """
    raw: list[str] = []
    reader = csv.reader(_lines(text, raw), strict=True)
    width = None
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise SourceError(f"{file}: line {line}: {error}") from None
        if cells is None:
            return
        width = width or len(cells)
        if cells and len(cells) != width:
            raise SourceError(f"{file}: line {line}: {len(cells)} cells, not {width} as in the header")
        yield Row(line, cells, "".join(raw))
        raw.clear()


def _lines(text: str, raw: list[str]) -> Iterator[str]:
    """The lines of the text without byte order mark; each is noted in `raw` as it is handed out."""
    for number, line in enumerate(io.StringIO(text, newline="")):
        raw.append(line)
        yield line if number else line.removeprefix(_BYTE_ORDER_MARK)


def read_columns(row: Row | None, file: str) -> list[str]:
    """The names of the columns, in any order; raises SourceError unless each needed one is there once."""
    columns = [cell.strip() for cell in row.cells] if row else []
    missing = [column for column in CSV_COLUMNS if column not in columns]
    if missing:
        raise SourceError(f"{file}: line 1: the header lacks {', '.join(missing)}")
    repeated = sorted({column for column in columns if columns.count(column) > 1})
    if repeated:
        raise SourceError(f"{file}: line 1: the header repeats {', '.join(repeated)}")
    return columns


def csv_rows(text: str) -> list[tuple[str | None, str]]:
    """Each row's model name and its text in the file; the name is None for the header and for blank lines."""
    rows = list(read_rows(text, "CSV"))
    position = read_columns(rows[0] if rows else None, "CSV").index("name")
    header, *others = rows
    return [
        (None, header.raw),
        *((row.cells[position].strip() if row.cells else None, row.raw) for row in others),
    ]


def record_from_cells(cells: Mapping[str, str], warn: Warn) -> JsonObject:
    """The v2 record of a row, by column. A cell of nothing but spaces is empty; others keep theirs."""
    fields = {
        **{column: cell for column in _PLAIN_COLUMNS if (cell := cells.get(column, "")).strip()},
        "parameters": parameters_from_cell(cells["parameters_bn"]),
        "nsfw": cells.get("nsfw", "").strip().lower() == "true",
        "tags": [tag for tag in (word.strip() for word in cells["tags"].split(",")) if tag],
        "settings": _settings(cells["settings"]),
    }
    return text_record(cells["name"].strip(), fields, warn)


def parameters_from_cell(cell: str) -> int:
    """The number of parameters of a cell in billions, 0 for an empty one.

    Computed in binary floating point and cut off, as clients have always seen it: `8.2` is 8199999999.
    """
    if not cell.strip():
        return 0
    try:
        parameters = int(float(cell) * BILLION)
    except (ValueError, OverflowError):
        raise RecordError("bad_parameters", f"parameters_bn {cell!r} is not a number") from None
    return require_in_range(parameters, "parameters_bn")


def _settings(cell: str) -> JsonObject | None:
    if not cell.strip():
        return None
    try:
        settings = json.loads(cell, parse_constant=refuse_constant)
    except (ValueError, RecursionError):
        raise RecordError("bad_settings", "settings is not JSON") from None
    return read_scalars({"settings": settings}, "settings")


def csv_row(record: Mapping[str, Any], columns: Sequence[str] = CSV_COLUMNS) -> str:
    """The row of a record, without line end."""
    name, settings = record["name"], record.get("settings")
    display_name = record.get("display_name")
    cells = {
        **record,
        "parameters_bn": parameters_cell(record["parameters"]),
        "display_name": "" if display_name == automatic_display_name(name) else display_name,
        "tags": ",".join(sorted(set(record.get("tags") or ()) - automatic_tags(record))),
        "settings": json.dumps(settings, ensure_ascii=False) if settings else "",
        "nsfw": "true" if record.get("nsfw") else "",
    }
    line = io.StringIO(newline="")
    # The writer quotes the line breaks it knows as line ends, so it has to know both characters.
    csv.writer(line, lineterminator="\r\n").writerow([cells.get(column) or "" for column in columns])
    return line.getvalue().removesuffix("\r\n")


def parameters_cell(parameters: int) -> str:
    """The shortest cell that reads as this number of parameters; empty for 0."""
    if not parameters:
        return ""
    rounded = [round(Fraction(parameters, 10**place)) * 10**place for place in range(9, -1, -1)]
    cells = [_billions(number) for number in rounded]
    # Where binary floating point falls just short of the exact value, a tenth of a parameter lifts it over.
    cells.append(f"{parameters // BILLION}.{parameters % BILLION:09d}1")
    return next((cell for cell in cells if parameters_from_cell(cell) == parameters), _billions(parameters))


def _billions(number: int) -> str:
    return f"{number // BILLION}.{number % BILLION:09d}".rstrip("0").removesuffix(".")
