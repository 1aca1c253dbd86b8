"""How values of a record are written in the fields of a form, and read back. Pure.

What was not touched is kept exactly as it is, whatever it holds. What cannot be read stays the text that was
typed, for the record type to refuse at its place.
"""

import json
import re
from typing import Any

from moderation.pages.forms.fields import FieldSpec, Kind

ABSENT = object()

_INTEGER = re.compile(r"[+-]?[0-9]{1,30}")
_TRUTH = {"true": True, "false": False}


def value_written(spec: FieldSpec, value: Any) -> str:
    """The text of the field; nothing for null as for what is not there."""
    if value is None or value is ABSENT:
        return ""
    if isinstance(value, str):
        return _unix_lines(value)
    if spec.kind is Kind.LINES and _is_lines(value):
        return "\n".join(value)
    if spec.kind is Kind.PAIRS and isinstance(value, dict) and all(map(_is_plain_key, value)):
        return "\n".join(f"{key} = {_pair_value(spec, each)}" for key, each in value.items())
    return json.dumps(value, ensure_ascii=False, indent=2)


def value_read(spec: FieldSpec, text: str, before: Any) -> Any:
    """The value that the text stands for, ABSENT for none; `before` is what the field was written from."""
    text = _unix_lines(text)
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
        case Kind.PAIRS:
            return _pairs(spec, text)
        case Kind.JSON:
            return _json_or_text(text)
    return text


def _unix_lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _is_lines(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(line, str) and line.strip() and _unix_lines(line).count("\n") == 0 for line in value
    )


def _lines(text: str, before: Any) -> Any:
    if isinstance(before, list) and not _is_lines(before):
        return _json_or_text(text)
    kept = set(before) if isinstance(before, list) else set()
    lines = (line if line in kept else line.strip() for line in text.split("\n"))
    return [line for line in lines if line.strip()]


def _is_plain_key(key: str) -> bool:
    return bool(key) and key == key.strip() and not re.search(r"[=\n\r]", key) and key[0] not in "{["


def _pair_value(spec: FieldSpec, value: Any) -> str:
    is_plain = isinstance(value, str) and value == value.strip() and "\n" not in value and "\r" not in value
    if is_plain and _scalar(spec, value) == value:
        return value
    return json.dumps(value, ensure_ascii=False)


def _scalar(spec: FieldSpec, text: str) -> Any:
    """A value of a map as it is meant: what reads as JSON is that, everything else is text."""
    if spec.holds_text and not text.startswith('"'):
        return text
    return _json_or_text(text)


def _pairs(spec: FieldSpec, text: str) -> Any:
    if text.lstrip().startswith("{"):
        return _json_or_text(text)
    pairs = {}
    for line in text.split("\n"):
        if not line.strip():
            continue
        key, equals, value = (piece.strip() for piece in line.partition("="))
        if not key or not equals or key in pairs:
            return text
        pairs[key] = _scalar(spec, value)
    return pairs


def _json_or_text(text: str) -> Any:
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
        json.dumps(value, ensure_ascii=False, indent=2).encode()
    except (ValueError, RecursionError):
        return text
    return value


def _refuse_constant(constant: str) -> None:
    raise ValueError(constant)
