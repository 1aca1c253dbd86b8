"""Typed reading of environment variables. A value of no use stops the start and names its variable."""

import json
import math
import os
from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import TypeVar

from django.core.exceptions import ImproperlyConfigured

PREFIX = "HORDE_MODEL_REFERENCE_"
_TRUE = frozenset({"1", "true", "yes", "on", "t", "y"})
_FALSE = frozenset({"0", "false", "no", "off", "f", "n"})

Number = TypeVar("Number", int, float)
Choice = TypeVar("Choice", bound=StrEnum)


def text(*names: str, default: str = "") -> str:
    """The first of the variables that is set; an empty string counts as unset."""
    for name in names:
        if value := os.environ.get(name, "").strip():
            return value
    return default


def boolean(name: str, *, default: bool) -> bool:
    value = text(name).lower()
    if not value:
        return default
    if value in _TRUE:
        return True
    if value in _FALSE:
        return False
    raise ImproperlyConfigured(f"{name} must be true or false.")


def number(
    name: str, *, default: Number, minimum: float | None = None, kind: Callable[[str], Number] = int
) -> Number:
    value = text(name)
    if not value:
        return default
    try:
        parsed = kind(value)
    except ValueError:
        raise ImproperlyConfigured(f"{name} must be a number.") from None
    if not math.isfinite(parsed):
        raise ImproperlyConfigured(f"{name} must be a finite number.")
    if minimum is not None and parsed < minimum:
        raise ImproperlyConfigured(f"{name} must be at least {minimum}.")
    return parsed


def choice(name: str, *, default: Choice) -> Choice:
    """A member of the default's enumeration, in any case."""
    value = text(name)
    if not value:
        return default
    kind = type(default)
    for member in kind:
        if member.value.lower() == value.lower():
            return member
    raise ImproperlyConfigured(f"{name} must be one of {', '.join(kind)}.")


def listing(name: str, *, default: Iterable[str] = ()) -> list[str]:
    """A JSON array of strings, or words separated by commas; entries are trimmed and empty ones dropped."""
    value = text(name)
    if not value:
        return list(default)
    # An IPv6 address begins with a bracket too, but holds no quotes.
    if value.startswith("[") and ('"' in value or "::" not in value):
        try:
            entries = json.loads(value)
        except ValueError:
            raise ImproperlyConfigured(f"{name} must be a JSON array or a comma-separated list.") from None
        if not all(isinstance(entry, str | int) and not isinstance(entry, bool) for entry in entries):
            raise ImproperlyConfigured(f"{name} must hold strings only.")
    else:
        entries = value.split(",")
    return [entry for entry in (str(entry).strip() for entry in entries) if entry]
