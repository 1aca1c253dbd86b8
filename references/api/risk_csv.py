"""Deletion risk as a table for spreadsheets."""

import csv
import io
import re
from collections.abc import Iterable
from typing import Any

from references.deletion_risk import RiskEntry, RiskFlag

CSV = "text/csv"

# What a spreadsheet takes for the beginning of a formula, in wide letters too.
_FORMULA_START = re.compile(r"\s*[=+\-@\uff1d\uff0b\uff0d\uff20\t\r\n]")
_LIST_SEPARATOR = " "

COLUMNS = (
    "name",
    "category",
    "at_risk",
    "risk_score",
    "is_critical",
    "has_warning",
    "worker_count",
    "usage_day",
    "usage_month",
    "usage_total",
    "usage_percentage_of_category",
    "size_gb",
    "cost_benefit_score",
    "baseline",
    "nsfw",
    "has_description",
    "download_count",
    "download_hosts",
)


def risk_csv(entries: Iterable[RiskEntry]) -> str:
    """One line per entry, after one with the names of the columns. The flags are the last columns."""
    table = io.StringIO()
    writer = csv.writer(table)
    writer.writerow([*COLUMNS, *(flag.value for flag in RiskFlag)])
    for entry in entries:
        shown = entry.as_dict()
        flags = shown["deletion_risk_flags"]
        writer.writerow([*(_cell(shown[column]) for column in COLUMNS), *map(_cell, flags.values())])
    return table.getvalue()


def _cell(value: Any) -> str | int | float:
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case int() | float():
            return value
        case list():
            return spreadsheet_safe(_LIST_SEPARATOR.join(map(str, value)))
        case _:
            return spreadsheet_safe(str(value))


def spreadsheet_safe(text: str) -> str:
    """The text, with an apostrophe before what a spreadsheet would compute."""
    return f"'{text}" if _FORMULA_START.match(text) else text
