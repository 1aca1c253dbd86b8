"""What a reviewer would ask about a proposed record, though its schema allows it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import SplitResult, parse_qs

from django.conf import settings

from moderation.known_models import KnownModels, known_models
from references.categories import TEXT_CATEGORY
from references.downloads import download_entries, url_split
from references.vocabulary import SETTING_KINDS, UNKNOWN_HASH, SettingKind

CIVITAI_HOST = "civitai.com"

_SHA256 = re.compile(r"[0-9a-fA-F]{64}")
# A digest of a few different digits was typed by a person, not computed.
_FEWEST_DIGITS = 5
_CIVITAI_DOWNLOAD = re.compile(r"/api/download/models/\d+")
_CIVITAI_MODEL = re.compile(r"/models/\d+")
_ADDRESSES = ("homepage", "url")
_LINKED_SCHEMES = ("http", "https")


class WarningLevel(StrEnum):
    """How much a warning matters: workers cannot use the record as it is, or somebody should look at it."""

    SERIOUS = "serious"
    NOTICE = "notice"


@dataclass(frozen=True, slots=True)
class RecordWarning:
    """`path` leads to the member it is about, as in diffs, with the index of a list's element.

    `model` is the other model in question, by category and name.
    """

    path: str
    text: str
    level: WarningLevel = WarningLevel.NOTICE
    model: tuple[str, str] | None = None


def record_warnings(
    *, category: str, name: str, record: dict, known: KnownModels | None = None
) -> list[RecordWarning]:
    """Everything questionable about the version 2 record that is to be `name`, in the order of its fields.

    `known` are the models to compare it with, for callers with many records; without it they are looked up.
    """
    known = known_models() if known is None else known
    return [
        *_name_warnings(category, name, known),
        *_address_warnings(record),
        *_option_warnings(record),
        *_file_warnings(category, name, record, known),
    ]


def hash_fault(digest: str) -> str | None:
    """What is wrong with a SHA-256; None for one that may be real, and for the word for an unknown one."""
    if digest.strip().upper() == UNKNOWN_HASH:
        return None
    if not _SHA256.fullmatch(digest):
        return "is no SHA-256, which has 64 hexadecimal digits"
    if len(set(digest.lower())) < _FEWEST_DIGITS:
        return "is a placeholder, not the hash of a file"
    return None


def address_fault(address: str) -> str | None:
    """What is wrong with the address of a page or a file."""
    if not is_web_address(address):
        return "is no complete web address"
    parts = url_split(address)
    return None if parts and parts.scheme == "https" else "does not use HTTPS"


def is_web_address(address: str) -> bool:
    """Whether a browser may be sent there: anything else is shown as text and leads nowhere."""
    parts = url_split(address)
    return parts is not None and parts.scheme in _LINKED_SCHEMES and bool(parts.netloc)


def _name_warnings(category: str, name: str, known: KnownModels) -> Iterator[RecordWarning]:
    for other in known.named_like(category, name):
        text = f"A model with nearly the same name is there already: {other}."
        yield RecordWarning("name", text, model=(category, other))


def _address_warnings(record: Mapping[str, Any]) -> Iterator[RecordWarning]:
    for path, address in _addresses(record):
        if fault := address_fault(address):
            level = WarningLevel.NOTICE if is_web_address(address) else WarningLevel.SERIOUS
            yield RecordWarning(path, f"The address {fault}.", level)


def _addresses(record: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The addresses of a record by their paths, apart from those of its files."""
    for key in _ADDRESSES:
        if isinstance(address := record.get(key), str) and address:
            yield key, address
    showcases = record.get("showcases")
    for index, address in enumerate(showcases if isinstance(showcases, list) else ()):
        if isinstance(address, str):
            yield f"showcases.{index}", address


def _option_warnings(record: Mapping[str, Any]) -> Iterator[RecordWarning]:
    """Values that the schema allows, of another kind than what workers read under these names."""
    for holder in ("requirements", "settings"):
        options = record.get(holder)
        for key, value in options.items() if isinstance(options, Mapping) else ():
            if fault := _option_fault(key, value):
                yield RecordWarning(f"{holder}.{key}", fault, WarningLevel.SERIOUS)


def _option_fault(key: str, value: Any) -> str:
    """Names that no worker knows may hold anything."""
    is_truth = isinstance(value, bool)
    match SETTING_KINDS.get(key):
        case SettingKind.NUMBER if is_truth or not isinstance(value, int | float):
            return "This is no number."
        case SettingKind.BOOLEAN if not is_truth:
            return "This is neither true nor false."
        case SettingKind.LIST if not isinstance(value, list):
            return "This is no list."
    return ""


def _file_warnings(
    category: str, name: str, record: Mapping[str, Any], known: KnownModels
) -> Iterator[RecordWarning]:
    seen: dict[str, int] = {}
    names: dict[str, int] = {}
    # Text models are fetched by their names.
    if category != TEXT_CATEGORY and not download_entries(record):
        text = "The record has no file, so workers have nothing to load."
        yield RecordWarning("config.download", text, WarningLevel.SERIOUS)
    for index, entry in enumerate(download_entries(record)):
        path = f"config.download.{index}"
        file_name = entry.get("file_name")
        file_name = file_name.strip() if isinstance(file_name, str) else ""
        if file_name and (first := names.setdefault(file_name.casefold(), index)) != index:
            text = f"File {first + 1} of this record has the same name, so one would replace the other."
            yield RecordWarning(f"{path}.file_name", text, WarningLevel.SERIOUS)
        url = entry.get("file_url")
        yield from _url_warnings(f"{path}.file_url", url if isinstance(url, str) else "")
        digest = entry.get("sha256sum")
        digest = digest.strip() if isinstance(digest, str) else ""
        yield from _hash_warnings(f"{path}.sha256sum", digest)
        if not _is_hash(digest):
            continue
        if (first := seen.setdefault(digest.lower(), index)) != index:
            text = f"File {first + 1} of this record has the same hash."
            yield RecordWarning(f"{path}.sha256sum", text, WarningLevel.SERIOUS)
        for held_in, other in known.with_file(digest, besides=(category, name)):
            text = f"{other} in {held_in} has a file with the same hash."
            yield RecordWarning(f"{path}.sha256sum", text, WarningLevel.SERIOUS, (held_in, other))


def _url_warnings(path: str, url: str) -> Iterator[RecordWarning]:
    if not url:
        yield RecordWarning(path, "The file has no address.", WarningLevel.SERIOUS)
        return
    if fault := address_fault(url):
        yield RecordWarning(path, f"The address {fault}.", WarningLevel.SERIOUS)
    parts = url_split(url)
    host = _host(parts)
    if host is None or parts is None:
        return
    if _is_at(host, CIVITAI_HOST):
        yield from _civitai_warnings(path, parts)
    preferred = settings.PREFERRED_FILE_HOSTS
    if preferred and not any(_is_at(host, other) for other in preferred):
        yield RecordWarning(path, f"{host} is not a preferred host; preferred: {', '.join(preferred)}.")


def _civitai_warnings(path: str, parts: SplitResult) -> Iterator[RecordWarning]:
    if _CIVITAI_DOWNLOAD.match(parts.path):
        return
    if _CIVITAI_MODEL.match(parts.path) and "modelVersionId" not in parse_qs(parts.query):
        text = "This is the page of a Civitai model and names no version, so what it leads to changes."
    else:
        text = (
            "This is a page of Civitai, not a file; downloads are at /api/download/models/ and the version."
        )
    yield RecordWarning(path, text, WarningLevel.SERIOUS)


def _hash_warnings(path: str, digest: str) -> Iterator[RecordWarning]:
    if not digest or digest.upper() == UNKNOWN_HASH:
        text = "The hash is missing, so workers cannot check the file."
        yield RecordWarning(path, text, WarningLevel.SERIOUS)
    elif fault := hash_fault(digest):
        yield RecordWarning(path, f"The hash {fault}.", WarningLevel.SERIOUS)


def _is_hash(digest: str) -> bool:
    return _SHA256.fullmatch(digest) is not None and hash_fault(digest) is None


def _host(parts: SplitResult | None) -> str | None:
    return parts.hostname if parts else None


def _is_at(host: str, domain: str) -> bool:
    return host == domain or host.endswith(f".{domain}")
