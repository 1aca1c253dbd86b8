"""The record somebody is writing, as JSON: what a form says of it, and what others changed meanwhile. Pure."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from moderation.pages.forms.fields import FieldSpec, Kind
from moderation.pages.forms.maps import map_read
from moderation.pages.forms.rows import ABSENT
from moderation.pages.forms.values import value_read
from references.legacy.values import refuse_constant

Document = dict[str, Any]

# What a button of a form does to the rows of a list of objects or a map, followed by a path.
ADD, REMOVE = "add:", "remove:"

# No record comes near it, and whatever walks a document stays far from the limit of recursion.
DEEPEST = 60

_UNSTORABLE = "it holds a character that cannot be stored"
_TOO_DEEP = "it is nested too deeply"


class DocumentError(Exception):
    """Text that is no JSON object; `line` counts from one."""

    def __init__(self, reason: str, line: int = 1, column: int = 1) -> None:
        super().__init__(reason)
        self.line = line
        self.column = column


def document_parse(text: str) -> Document:
    """Raises DocumentError, with the place."""
    try:
        document = json.loads(text, parse_constant=refuse_constant)
        json.dumps(document, ensure_ascii=False, allow_nan=False).encode()
    except json.JSONDecodeError as error:
        raise DocumentError(error.msg, error.lineno, error.colno) from None
    except UnicodeEncodeError:
        raise DocumentError(_UNSTORABLE) from None
    except RecursionError:
        raise DocumentError(_TOO_DEEP) from None
    except ValueError as error:
        raise DocumentError(str(error)) from None
    if not isinstance(document, dict):
        raise DocumentError("a record is an object: it begins with { and ends with }")
    if _is_deep(document):
        raise DocumentError(_TOO_DEEP)
    return document


def _is_deep(document: Document) -> bool:
    level: list[Any] = [document]
    for _ in range(DEEPEST):
        holders = [each.values() if isinstance(each, dict) else each for each in level]
        level = [inner for holder in holders for inner in holder if isinstance(inner, dict | list)]
        if not level:
            return False
    return True


def document_written(document: Document) -> str:
    return json.dumps(document, ensure_ascii=False, indent=2)


def document_read(
    specs: Sequence[FieldSpec], before: Document, typed: Mapping[str, str], act: str = "", prefix: str = ""
) -> Document:
    """The document after what was typed, by the paths of its fields; what no field shows stays as it is.

    The act may add a row, at the path of a list of objects or a map, or remove the one at its path.
    """
    document = dict(before)
    for spec in specs:
        held = before.get(spec.name, ABSENT)
        value = _member_read(spec.fitting(None if held is ABSENT else held), held, typed, act, prefix)
        if value is ABSENT:
            document.pop(spec.name, None)
        else:
            document[spec.name] = value
    return document


def _member_read(spec: FieldSpec, held: Any, typed: Mapping[str, str], act: str, prefix: str) -> Any:
    path = f"{prefix}{spec.name}"
    match spec.kind:
        case Kind.PART:
            before = held if isinstance(held, dict) else {}
            after = document_read(spec.members, before, typed, act, f"{path}.")
            return held if after == before else after or ABSENT
        case Kind.PARTS:
            return _parts_read(spec, held, typed, act, path)
        case Kind.MAP:
            is_longer = act == f"{ADD}{path}"
            return map_read(spec, held, typed, path, is_longer=is_longer, removed=act.removeprefix(REMOVE))
    return value_read(spec, typed[path], held) if path in typed else held


def _parts_read(spec: FieldSpec, held: Any, typed: Mapping[str, str], act: str, path: str) -> Any:
    rows = [
        document_read(spec.members, row, typed, act, f"{path}.{index}.")
        for index, row in enumerate(held if isinstance(held, list) else ())
        if act != f"{REMOVE}{path}.{index}"
    ]
    if act == f"{ADD}{path}":
        return [*rows, {}]
    return rows if isinstance(held, list) else held


def merged(base: Document, mine: Document, theirs: Document) -> Document:
    """Their record with what I changed since the base; where both changed something, mine."""
    result = dict(theirs)
    for key in [*mine, *(key for key in base if key not in mine)]:
        one, other = base.get(key, ABSENT), mine.get(key, ABSENT)
        if one == other and isinstance(one, bool) == isinstance(other, bool):
            continue
        their = theirs.get(key, ABSENT)
        if other is ABSENT:
            result.pop(key, None)
        elif isinstance(other, dict) and isinstance(one, dict) and isinstance(their, dict):
            result[key] = merged(one, other, their)
        else:
            result[key] = other
    return result


def unknown_kept(record: Document, typed: Document, live: Any) -> Document:
    """The validated record with those unknown members of the typed one that the live record has, too."""
    live = live if isinstance(live, dict) else {}
    result = dict(record)
    for key, value in typed.items():
        if key in result:
            result[key] = _unknown_kept_in(result[key], value, live.get(key))
        elif key in live and value is not None:
            result[key] = value
    return result


def _unknown_kept_in(value: Any, typed: Any, live: Any) -> Any:
    if isinstance(value, dict) and isinstance(typed, dict):
        return unknown_kept(value, typed, live)
    if isinstance(value, list) and isinstance(typed, list) and len(value) == len(typed):
        rows = [row for row in live if isinstance(row, dict)] if isinstance(live, list) else []
        known = {key: None for row in rows for key in row}
        return [_unknown_kept_in(one, other, known) for one, other in zip(value, typed, strict=True)]
    return value


def members_lost(record: Any, typed: Any, prefix: str = "") -> list[str]:
    """The paths of typed members that the record lacks, nulls apart."""
    lost = []
    if isinstance(record, dict) and isinstance(typed, dict):
        for key, value in typed.items():
            if key not in record:
                lost += [f"{prefix}{key}"] if value is not None else []
            else:
                lost += members_lost(record[key], value, f"{prefix}{key}.")
    elif isinstance(record, list) and isinstance(typed, list) and len(record) == len(typed):
        for index, (one, other) in enumerate(zip(record, typed, strict=True)):
            lost += members_lost(one, other, f"{prefix}{index}.")
    return lost
