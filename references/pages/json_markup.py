"""JSON as people read it: indented, with its keys and values told apart by colour."""

import json
import re
from typing import Any

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

_TOKEN = re.compile(
    r'(?P<key>"(?:[^"\\]|\\.)*")(?=:)|(?P<string>"(?:[^"\\]|\\.)*")|(?P<number>-?\d[\d.eE+-]*)|(?P<word>true|false|null)'
)
# Colours take three times the room of the text. A record as long as this has dozens of files, and its page is heavy.
_LONGEST_COLOURED = 8_000
_CLASSES = {"key": "jk", "string": "js", "number": "jn", "word": "jn"}


def json_indented(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def json_highlighted(value: Any) -> SafeString:
    """The same text as markup. Every piece of it, inside a token or between tokens, is escaped."""
    source = json_indented(value)
    if len(source) > _LONGEST_COLOURED:
        return escape(source)
    pieces, end = [], 0
    for match in _TOKEN.finditer(source):
        pieces.append(escape(source[end : match.start()]))
        pieces.append(f'<span class="{_CLASSES[match.lastgroup]}">{escape(match[0])}</span>')
        end = match.end()
    pieces.append(escape(source[end:]))
    return mark_safe("".join(pieces))  # noqa: S308 - escaped above, piece by piece
