"""Typed reads from parsed JSON. What has the wrong type is a RecordError; null and absent are both None.

Numbers and truth values are also taken from text that spells one, as hand-edited files have them.
"""

import json
from typing import Any

from references.legacy.issues import RecordError

JsonObject = dict[str, Any]
Scalar = str | int | float | bool

_LARGEST_WHOLE = 2**63 - 1
# No record comes near; what walks a record, call by call, must come to its end.
_LEVELS = 64
_TRUTH_WORDS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def read_text(source: JsonObject, field: str) -> str | None:
    value = source.get(field)
    if value is None or isinstance(value, str):
        return value
    raise _wrong_type(field, "text")


def read_whole(source: JsonObject, field: str) -> int | None:
    value = source.get(field)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise _wrong_type(field, "a whole number")
    try:
        number = int(value)
    except (ValueError, OverflowError):
        raise _wrong_type(field, "a whole number") from None
    if not isinstance(value, str) and number != value:
        raise _wrong_type(field, "a whole number")
    return require_in_range(number, field)


def require_in_range(number: int, field: str) -> int:
    if not 0 <= number <= _LARGEST_WHOLE:
        raise RecordError("out_of_range", f"{field} is negative or larger than 64 bits hold")
    return number


def read_flag(source: JsonObject, field: str) -> bool | None:
    value = source.get(field)
    if value is None or isinstance(value, bool):
        return value
    spelled = str(value).lower() if isinstance(value, int | str) else ""
    if spelled not in _TRUTH_WORDS:
        raise _wrong_type(field, "true or false")
    return _TRUTH_WORDS[spelled]


def read_words(source: JsonObject, field: str) -> list[str] | None:
    value = source.get(field)
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
        raise _wrong_type(field, "a list of text")
    return list(value)


def read_object(source: JsonObject, field: str) -> JsonObject | None:
    value = source.get(field)
    if value is None or isinstance(value, dict):
        return value
    raise _wrong_type(field, "an object")


def read_objects(source: JsonObject, field: str) -> list[JsonObject]:
    value = source.get(field)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise _wrong_type(field, "a list of objects")
    return value


def read_scalars(source: JsonObject, field: str) -> dict[str, Scalar | list[Scalar]] | None:
    """An object whose values are scalars or lists of scalars."""
    value = read_object(source, field)
    for key, item in (value or {}).items():
        members = item if isinstance(item, list) else [item]
        if not all(isinstance(member, Scalar) for member in members):
            raise RecordError("nested", f"{field}.{key} must be a single value or a list of single values")
    return value


def require_storable(value: Any) -> None:
    """Refuses what JSON in UTF-8 cannot carry, half a surrogate pair or infinity, and bottomless nesting."""
    if _is_deeper(value, _LEVELS):
        raise RecordError("not_storable", f"is nested deeper than {_LEVELS} levels")
    try:
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except ValueError:
        raise RecordError("not_storable", "holds what JSON in UTF-8 cannot carry") from None


def _is_deeper(value: Any, levels: int) -> bool:
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(levels):
        containers = [item.values() if isinstance(item, dict) else item for item in level]
        level = [item for held in containers for item in held if isinstance(item, dict | list)]
    return bool(level)


def refuse_constant(word: str) -> None:
    """For `json.loads`: Python reads NaN and Infinity, which JSON does not have."""
    raise ValueError(f"{word} is not JSON")


def _wrong_type(field: str, expected: str) -> RecordError:
    return RecordError("wrong_type", f"{field} must be {expected}")
