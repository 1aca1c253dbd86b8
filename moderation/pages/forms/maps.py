"""How the rows of a map are typed: which kind of field a name's value has, what it holds, and what was typed.

A value whose text was not touched is kept exactly as it is, whatever it holds.
"""

import json
import math
import re
from collections.abc import Iterator, Mapping
from itertools import count
from typing import Any

from moderation.pages.forms.fields import FieldSpec, Kind
from moderation.pages.forms.rows import ABSENT, MapRow, map_rows, map_value, rows_value
from moderation.pages.forms.values import json_or_text, unix_lines
from references.vocabulary import SETTING_KINDS, SettingKind

NAME, VALUE = "name", "value"

_KINDS = {SettingKind.NUMBER: Kind.NUMBER, SettingKind.BOOLEAN: Kind.BOOLEAN, SettingKind.LIST: Kind.LINES}
KINDS_BY_NAME = {name: _KINDS[kind] for name, kind in SETTING_KINDS.items()}
VALUE_KINDS = (*_KINDS.values(), Kind.SCALAR)

_WHOLE = re.compile(r"[+-]?[0-9]{1,30}")
# As people write it: JSON wants a digit on both sides of the point.
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")


def value_kind(spec: FieldSpec, name: str) -> Kind:
    """How the value of this name in the map is asked for."""
    return Kind.TEXT if spec.holds_text else KINDS_BY_NAME.get(name, Kind.SCALAR)


def map_read(
    spec: FieldSpec, held: Any, typed: Mapping[str, str], path: str, *, is_longer: bool, removed: str
) -> Any:
    """The map after what was typed, ABSENT for none; a list where the rows make no map.

    Rows that hold nothing are left out, unless the map is to be longer by one. `removed` is the path of a row.
    """
    before = map_rows(held) or []
    rows = []
    for index in count():
        place = f"{path}.{index}"
        if not {f"{place}.{NAME}", f"{place}.{VALUE}"} & typed.keys():
            break
        row = before[index] if index < len(before) else MapRow()
        if place != removed:
            name, text = typed.get(f"{place}.{NAME}", ""), typed.get(f"{place}.{VALUE}", "")
            rows.append(_row_read(spec, row, name, text))
    if is_longer:
        return rows_value([*rows, MapRow()])
    rows = [row for row in rows if not row.is_empty]
    if rows:
        return map_value(rows)
    return ABSENT if before else held


def _row_read(spec: FieldSpec, before: MapRow, name: str, text: str) -> MapRow:
    name = name if name == before.name else name.strip()
    kind, text = value_kind(spec, name), unix_lines(text)
    is_kept = kind is value_kind(spec, before.name) and text == map_text(kind, before.value)
    return MapRow(name, before.value if is_kept else _text_read(kind, text))


def map_text(kind: Kind, value: Any) -> str:
    """A value as its field holds it: what reads back as the same value, where there is such a text."""
    if value is ABSENT:
        return ""
    written = json.dumps(value, ensure_ascii=False)
    for text in _spellings(kind, value):
        if text == unix_lines(text) and json.dumps(_text_read(kind, text), default=str) == json.dumps(value):
            return text
    return written


def _spellings(kind: Kind, value: Any) -> Iterator[str]:
    if isinstance(value, str) and "\n" not in value:
        yield value
    if kind is Kind.LINES and isinstance(value, list) and all(map(_is_line, value)):
        yield "\n".join(line if isinstance(line, str) else json.dumps(line) for line in value)
        yield "\n".join(json.dumps(line, ensure_ascii=False) for line in value)


def _is_line(value: Any) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool)


def _text_read(kind: Kind, text: str) -> Any:
    """The value that the text stands for: what reads as JSON is that, everything else is text."""
    text = text.strip()
    if not text:
        return ABSENT
    if kind is Kind.LINES:
        return _list_read(text)
    if kind is Kind.TEXT and not text.startswith('"'):
        return text
    value = json_or_text(text)
    if kind is Kind.NUMBER and value == text and _NUMBER.fullmatch(text) and math.isfinite(float(text)):
        return int(text) if _WHOLE.fullmatch(text) else float(text)
    return value


def _list_read(text: str) -> list[Any]:
    """A list of one on each line: of numbers if all of them are, else of text."""
    whole = json_or_text(text)
    if isinstance(whole, list):
        return whole
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    values = [json_or_text(line) for line in lines]
    if all(_is_line(value) and not isinstance(value, str) for value in values):
        return values
    return [value if isinstance(value, str) else line for value, line in zip(values, lines, strict=True)]
