"""Typed reading of environment variables. A value of no use stops the start and names its variable."""

import json
import os
import re
from collections.abc import Callable, Iterable
from enum import StrEnum
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured
from dotenv import load_dotenv
from dotenv.parser import parse_stream

PREFIX = "HORDE_MODEL_REFERENCE_"
_TRUE = frozenset({"1", "true", "yes", "on", "t", "y"})
_FALSE = frozenset({"0", "false", "no", "off", "f", "n"})
_HOST = re.compile(r"\*|\[[0-9A-Fa-f:.]+\]|\.?[\w-]+(\.[\w-]+)*\.?")
_USER_ID = re.compile(r"[0-9]+")
_ORIGIN = re.compile(
    r"[a-z][a-z0-9+.-]*://(\*\.)?(\[[0-9a-f:.]+\]|[\w-]+(\.[\w-]+)*)(:[0-9]+)?/?", re.IGNORECASE
)
_WORD = re.compile(r"[!-~]*")
_REPOSITORY_PART = re.compile(r"[\w.-]+(/[\w.-]+)*", re.ASCII)

# No setting needs more, and the system takes no longer times to wait.
LARGEST_NUMBER = 2**31 - 1

# Every name that was asked for: what else begins with the prefix is a mistake of somebody's.
asked: set[str] = set()

Number = TypeVar("Number", int, float)
Choice = TypeVar("Choice", bound=StrEnum)


def env_file_load(path: Path) -> None:
    """Takes over what a file of variables says, if there is one. Variables that are set already win over it."""
    if not path.is_file():
        return
    with path.open(encoding="utf-8") as file:
        for binding in parse_stream(file):
            if binding.error:
                raise ImproperlyConfigured(f"{path.name}: line {binding.original.line} cannot be read.")
    load_dotenv(path)


def text(*names: str, default: str = "") -> str:
    """The first of the variables that is set; an empty string counts as unset."""
    asked.update(names)
    for name in names:
        if value := os.environ.get(name, "").strip():
            return value
    return default


def word(name: str) -> str:
    """A token or an id, which becomes a part of a header or an address. The message does not repeat it."""
    value = text(name)
    if not _WORD.fullmatch(value):
        raise ImproperlyConfigured(f"{name} must be of printable ASCII characters alone, without spaces.")
    return value


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
    if not -LARGEST_NUMBER <= parsed <= LARGEST_NUMBER:
        raise ImproperlyConfigured(f"{name} must be a number of at most {LARGEST_NUMBER}.")
    if minimum is not None and parsed < minimum:
        raise ImproperlyConfigured(f"{name} must be at least {minimum}.")
    return parsed


def url(*names: str, default: str = "", schemes: Iterable[str] = ("http", "https")) -> str:
    """An address with a host. The message does not repeat a wrong one: it may hold a password."""
    value = text(*names, default=default)
    if not value:
        return value
    try:
        parts = urlsplit(value)
        # Reading the port is what finds a wrong one.
        is_usable = parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_usable = False
    if not is_usable or any(character.isspace() for character in value):
        raise ImproperlyConfigured(
            f"{_given(names)} must be a URL that begins with "
            f"{' or '.join(f'{scheme}://' for scheme in schemes)}."
        )
    return value


def base_url(*names: str, default: str = "") -> str:
    """An address that paths are put behind, without a slash at its end."""
    value = url(*names, default=default)
    if "?" in value or "#" in value:
        raise ImproperlyConfigured(f"{_given(names)} must be a URL that ends with its path, without a query.")
    return value.rstrip("/")


def _given(names: tuple[str, ...]) -> str:
    """Which of the variables is set."""
    return next((name for name in names if os.environ.get(name, "").strip()), names[0])


def folder(name: str, *, default: Path, inside: str) -> Path:
    """The folder `inside` the one that a variable names, made where it is missing; it can be written."""
    path = Path(text(name, default=str(default))) / inside
    try:
        # What is kept there is for its owner; a folder that is there already stays as open as it is.
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ImproperlyConfigured(
            f"{name} must be a folder that can be written: {path}: {error.strerror}."
        ) from None
    if not os.access(path, os.W_OK | os.X_OK):
        raise ImproperlyConfigured(f"{name} must be a folder that can be written: {path} cannot.")
    return path


def hosts(name: str, *, default: Iterable[str], patterns: bool = False) -> list[str]:
    """Names of hosts, without scheme, port and path; with `patterns`, `*` and `.x.org` too, as Django takes them."""
    entries = listing(name, default=default)
    for entry in entries:
        if not _HOST.fullmatch(entry) or (not patterns and entry.startswith(("*", "."))):
            raise ImproperlyConfigured(
                f"{name} must hold names of hosts alone, without scheme, port or path: {entry!r} is none."
            )
    return entries


def origins(name: str, *, words: Iterable[str] = (), subdomains: bool = False) -> list[str]:
    """Scheme, host and port of pages, as browsers send them, or one of the `words`.

    With `subdomains`, `https://*.x.org` stands for every name below that one.
    """
    entries = listing(name)
    for entry in entries:
        is_origin = _ORIGIN.fullmatch(entry) and (subdomains or "*" not in entry)
        if not is_origin and entry not in words:
            raise ImproperlyConfigured(
                f"{name} must hold origins such as https://models.example.org, without a path: {entry!r} is none."
            )
    return [entry.rstrip("/").lower() for entry in entries]


def repository_part(name: str, *, default: str) -> str:
    """The owner, the name or the branch of a repository; it becomes a part of addresses."""
    value = text(name, default=default)
    if not _REPOSITORY_PART.fullmatch(value) or ".." in value:
        raise ImproperlyConfigured(f"{name} must be of letters, digits and . _ - / alone.")
    return value


def user_ids(name: str) -> frozenset[str]:
    """Ids of AI-Horde users."""
    entries = listing(name)
    for entry in entries:
        if not _USER_ID.fullmatch(entry):
            raise ImproperlyConfigured(
                f"{name} must hold user ids, the number behind the # of a name: {entry!r} is none."
            )
    return frozenset(entries)


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
