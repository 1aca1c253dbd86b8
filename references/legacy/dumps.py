"""Legacy JSON text: four spaces, non-ASCII escaped, a final newline."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

_INDENT = 4


def category_dump(entries: Mapping[str, Any] | Iterable[tuple[str, Any]]) -> str:
    """A whole legacy file."""
    return json.dumps(dict(entries), indent=_INDENT) + "\n"


def entry_dump(key: str, entry: Any) -> str:
    """One entry as it stands in `category_dump`, without the comma and newline around it."""
    return json.dumps({key: entry}, indent=_INDENT).removeprefix("{\n").removesuffix("\n}")
