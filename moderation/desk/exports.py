"""Tables and lists to take away, sent as they are read."""

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from django.http import StreamingHttpResponse

from references.api.risk_csv import CSV, spreadsheet_safe

JSON = "application/json"


class _Echo:
    """A file that hands each line back to who writes it."""

    def write(self, line: str) -> str:
        return line


def csv_download(name: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> StreamingHttpResponse:
    """A line for each row, after one with the names of the columns."""
    writer = csv.writer(_Echo())

    def lines() -> Iterator[str]:
        yield writer.writerow(columns)
        for row in rows:
            yield writer.writerow([_cell(value) for value in row])

    return _download(f"{name}.csv", f"{CSV}; charset=utf-8", lines())


def json_download(
    name: str, head: dict[str, Any], member: str, items: Iterable[dict]
) -> StreamingHttpResponse:
    """An object with the members of `head`, and last the items as a list called `member`."""

    def pieces() -> Iterator[str]:
        start = json.dumps(head, ensure_ascii=False)[:-1]
        yield f"{start}{', ' if head else ''}{json.dumps(member)}: ["
        for index, item in enumerate(items):
            yield f"{',' if index else ''}\n{json.dumps(item, ensure_ascii=False)}"
        yield "\n]}\n"

    return _download(f"{name}.json", JSON, pieces())


def time_text(seconds: int | None) -> str:
    """UNIX seconds as spreadsheets read them."""
    return "" if seconds is None else datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _download(name: str, content_type: str, pieces: Iterator[str]) -> StreamingHttpResponse:
    response = StreamingHttpResponse(pieces, content_type=content_type)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _cell(value: Any) -> str | int:
    if value is None:
        return ""
    return value if isinstance(value, int) else spreadsheet_safe(str(value))
