"""Typed reads of the JSON files of a store. What cannot be read is a StoreError that names file and line."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db.models import Model

from references.legacy.values import refuse_constant

_LARGEST = 2**63 - 1
# The last second that a date can name; milliseconds taken for seconds lie beyond it.
_LATEST = 253_402_300_799
_ABSENT = object()


class StoreError(Exception):
    """The store cannot be moved in; nothing of it was."""


@dataclass(frozen=True, slots=True)
class JsonObject:
    """An object out of a file, and the place it has there: `changes.json, change 5`."""

    place: str
    members: dict[str, Any]

    def whole(self, name: str) -> int:
        """A whole number from zero up."""
        value = self._required(name)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _LARGEST:
            raise self.fault(f"{name} is not a whole number")
        return value

    def number(self, name: str) -> int:
        """What changes and batches are told apart by, from one up."""
        if (value := self.whole(name)) == 0:
            raise self.fault(f"{name} is 0, but numbers begin at 1")
        return value

    def number_or_none(self, name: str) -> int | None:
        return None if self.members.get(name) is None else self.number(name)

    def moment(self, name: str) -> int:
        """A time in UNIX seconds."""
        if (value := self.whole(name)) > _LATEST:
            raise self.fault(f"{name} is {value}, which is no time in seconds")
        return value

    def moment_or_none(self, name: str) -> int | None:
        return None if self.members.get(name) is None else self.moment(name)

    def text(self, name: str, *, limit: int | None = None) -> str:
        value = self._required(name)
        if not isinstance(value, str):
            raise self.fault(f"{name} is not text")
        if limit is not None and len(value) > limit:
            raise self.fault(f"{name} is longer than {limit} characters")
        return value

    def text_or_none(self, name: str, *, limit: int | None = None) -> str | None:
        return None if self.members.get(name) is None else self.text(name, limit=limit)

    def word(self, name: str, known: Collection[str]) -> str:
        value = self.text(name)
        if value not in known:
            raise self.fault(f"{name} is {value!r}; known are {', '.join(known)}")
        return value

    def inner(self, name: str) -> "JsonObject":
        value = self._required(name)
        if not isinstance(value, dict):
            raise self.fault(f"{name} is not an object")
        return JsonObject(self.place, value)

    def object_or_none(self, name: str) -> dict | None:
        return None if self.members.get(name) is None else self.inner(name).members

    def texts(self, name: str) -> list[str]:
        return self._list(name, str, "text")

    def texts_or_none(self, name: str) -> list[str] | None:
        return None if self.members.get(name) is None else self.texts(name)

    def wholes(self, name: str) -> list[int]:
        return self._list(name, int, "whole numbers")

    def fault(self, words: str) -> StoreError:
        return StoreError(f"{self.place}: {words}")

    def _list(self, name: str, kind: type, words: str) -> list:
        value = self._required(name)
        if not isinstance(value, list) or not all(type(item) is kind for item in value):
            raise self.fault(f"{name} is not a list of {words}")
        return value

    def _required(self, name: str) -> Any:
        value = self.members.get(name, _ABSENT)
        if value is _ABSENT:
            raise self.fault(f"{name} is missing")
        return value


def limits(model: type[Model]) -> dict[str, int | None]:
    """The most characters that each column of a model takes, None for one that takes any number."""
    return {field.name: field.max_length for field in model._meta.fields}


def file_text(path: Path, place: str) -> str:
    """The text of a file; raises StoreError for what no database takes."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise StoreError(f"{place}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise StoreError(f"{place}, line {line}: not UTF-8") from error
    return text


def json_parsed(text: str, place: str, *, line: int | None = None) -> Any:
    """The JSON of a whole file, or of its line `line`."""
    try:
        value = json.loads(text, parse_constant=refuse_constant)
        json.dumps(value, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        raise StoreError(f"{place}, line {line or error.lineno}: not JSON: {error.msg}") from error
    except (ValueError, RecursionError) as error:
        raise StoreError(f"{_at(place, line)}: not JSON that can be stored: {error}") from error
    if "\\u0000" in text and _holds_null(value):
        raise StoreError(f"{_at(place, line)}: holds a null character, which cannot be stored")
    return value


def object_parsed(text: str, place: str, *, line: int | None = None) -> JsonObject:
    value = json_parsed(text, place, line=line)
    if not isinstance(value, dict):
        raise StoreError(f"{_at(place, line)}: not an object")
    return JsonObject(_at(place, line), value)


def file_object(folder: Path, name: str) -> JsonObject:
    """The object that a file of the store holds."""
    if not (folder / name).is_file():
        raise StoreError(f"{name} is missing")
    return object_parsed(file_text(folder / name, name), name)


def _holds_null(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_holds_null(item) for pair in value.items() for item in pair)
    if isinstance(value, list):
        return any(_holds_null(item) for item in value)
    return isinstance(value, str) and "\0" in value


def _at(place: str, line: int | None) -> str:
    return place if line is None else f"{place}, line {line}"
