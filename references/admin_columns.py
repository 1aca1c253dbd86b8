"""Columns of the lists of rows in the admin that keep a list light, whatever people wrote."""

from collections.abc import Callable
from functools import cache
from typing import Any

from django.contrib import admin

# Characters of one text in a list.
LONGEST_SHOWN = 80


@cache
def cut_column(name: str, description: str | None = None) -> Callable[[Any], str | None]:
    """The column of that name with the beginning of each text; the page of the row has the whole of it."""

    @admin.display(description=description or name.replace("_", " "), ordering=name)
    def shown(row: Any) -> str | None:
        return cut_text(getattr(row, name))

    shown.__name__ = name
    return shown


def cut_text(text: str | None) -> str | None:
    return f"{text[: LONGEST_SHOWN - 1]}…" if text and len(text) > LONGEST_SHOWN else text
