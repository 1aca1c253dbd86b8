"""What a reviewer would ask about a proposed record, though its schema allows it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import SplitResult, parse_qs

from django.conf import settings

from references.documents import snapshot, snapshots
from references.downloads import download_entries, url_split
from references.vocabulary import UNKNOWN_HASH

CIVITAI_HOST = "civitai.com"

_SHA256 = re.compile(r"[0-9a-fA-F]{64}")
# A digest of a few different digits was typed by a person, not computed.
_FEWEST_DIGITS = 5
_SEPARATORS = re.compile(r"[\s._\-/]+")
_CIVITAI_DOWNLOAD = re.compile(r"/api/download/models/\d+")
_CIVITAI_MODEL = re.compile(r"/models/\d+")
_ADDRESSES = ("homepage", "url")


class WarningLevel(StrEnum):
    """How much a warning matters: workers cannot use the record as it is, or somebody should look at it."""

    SERIOUS = "serious"
    NOTICE = "notice"


@dataclass(frozen=True, slots=True)
class RecordWarning:
    """`path` leads to the member it is about, as in diffs, with the index of a list's element."""

    path: str
    text: str
    level: WarningLevel = WarningLevel.NOTICE


def record_warnings(*, category: str, name: str, record: dict) -> list[RecordWarning]:
    """Everything questionable about the version 2 record that is to be `name`, in the order of its fields."""
    return [
        *_name_warnings(category, name),
        *_address_warnings(record),
        *_file_warnings(category, name, record),
    ]


def normalised_name(name: str) -> str:
    """What names that are easily mistaken for each other share."""
    return _SEPARATORS.sub("", name).casefold()


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
    parts = url_split(address)
    if parts is None or not parts.netloc:
        return "is no complete web address"
    return None if parts.scheme == "https" else "does not use HTTPS"


def _name_warnings(category: str, name: str) -> Iterator[RecordWarning]:
    wanted = normalised_name(name)
    for other in snapshot(category).by_name:
        if other != name and normalised_name(other) == wanted:
            yield RecordWarning("name", f"A model with nearly the same name is there already: {other}.")


def _address_warnings(record: Mapping[str, Any]) -> Iterator[RecordWarning]:
    for key in _ADDRESSES:
        address = record.get(key)
        if isinstance(address, str) and address and (fault := address_fault(address)):
            yield RecordWarning(key, f"The address {fault}.")


def _file_warnings(category: str, name: str, record: Mapping[str, Any]) -> Iterator[RecordWarning]:
    seen: dict[str, int] = {}
    for index, entry in enumerate(download_entries(record)):
        path = f"config.download.{index}"
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
        yield from _duplicate_warnings(f"{path}.sha256sum", digest, category, name)


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


def _duplicate_warnings(path: str, digest: str, category: str, name: str) -> Iterator[RecordWarning]:
    for held in snapshots():
        others = {file.model_name for file in held.files_by_hash.get(digest.lower(), ())}
        for other in sorted(others):
            if (held.category, other) != (category, name):
                text = f"{other} in {held.category} has a file with the same hash."
                yield RecordWarning(path, text, WarningLevel.SERIOUS)


def _is_hash(digest: str) -> bool:
    return _SHA256.fullmatch(digest) is not None and hash_fault(digest) is None


def _host(parts: SplitResult | None) -> str | None:
    return parts.hostname if parts else None


def _is_at(host: str, domain: str) -> bool:
    return host == domain or host.endswith(f".{domain}")
