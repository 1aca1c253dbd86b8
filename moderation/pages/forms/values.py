"""How values of a record are written in the fields of a form, and read back. Pure.

What was not touched is kept exactly as it is, whatever it holds. What cannot be read stays the text that was
typed, for the record type to refuse at its place.
"""

import json
import re
from typing import Any

from moderation.pages.forms.fields import FieldSpec, Kind
from moderation.pages.forms.rows import ABSENT
from references.legacy.issues import RecordError
from references.legacy.values import refuse_constant, require_storable

_INTEGER = re.compile(r"[+-]?[0-9]{1,30}")
_TRUTH = {"true": True, "false": False}


def value_written(spec: FieldSpec, value: Any) -> str:
    """The text of the field; nothing for null as for what is not there."""
    if value is None or value is ABSENT:
        return ""
    if isinstance(value, str):
        return unix_lines(value)
    if spec.kind is Kind.LINES and _is_lines(value):
        return "\n".join(value)
    return json.dumps(value, ensure_ascii=False, indent=2)


def value_read(spec: FieldSpec, text: str, before: Any) -> Any:
    """The value that the text stands for, ABSENT for none; `before` is what the field was written from."""
    text = unix_lines(text)
    if text == value_written(spec, before):
        return before
    if not text.strip():
        return ABSENT
    match spec.kind:
        case Kind.INTEGER:
            return int(text) if _INTEGER.fullmatch(text.strip()) else text
        case Kind.BOOLEAN:
            return _TRUTH.get(text, text)
        case Kind.LINES:
            return _lines(text, before)
        case Kind.JSON:
            return json_or_text(text)
    return text


def unix_lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _is_lines(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(line, str) and line.strip() and unix_lines(line).count("\n") == 0 for line in value
    )


def _lines(text: str, before: Any) -> Any:
    if isinstance(before, list) and not _is_lines(before):
        return json_or_text(text)
    kept = set(before) if isinstance(before, list) else set()
    lines = (line if line in kept else line.strip() for line in text.split("\n"))
    return [line for line in lines if line.strip()]


def json_or_text(text: str) -> Any:
    """The JSON that the text is; the text itself where it is none, or none that can be stored."""
    try:
        value = json.loads(text, parse_constant=refuse_constant)
        require_storable(value)
    except (ValueError, RecursionError, RecordError):
        return text
    return value
