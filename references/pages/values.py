"""What a page needs of a record, whatever an imported one may hold in its place. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from references.downloads import Record, download_entries, download_urls, positive_number, url_split
from references.vocabulary import UNKNOWN_HASH


def text(record: Record, field: str) -> str:
    value = record.get(field)
    return value.strip() if isinstance(value, str) else ""


def texts(record: Record, field: str) -> list[str]:
    value = record.get(field)
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def is_true(record: Record, field: str) -> bool:
    return record.get(field) is True


def parameters(record: Record) -> float | None:
    return positive_number(record.get("parameters"))


def metadata_time(record: Record, field: str) -> float | None:
    """A time of the record's metadata, in UNIX seconds."""
    return positive_number(_member(record, "metadata", field))


def member_text(record: Record, field: str, member: str) -> str:
    value = _member(record, field, member)
    return value.strip() if isinstance(value, str) else ""


def _member(record: Record, field: str, member: str) -> Any:
    value = record.get(field)
    return value.get(member) if isinstance(value, Mapping) else None


def hosts(record: Record) -> list[str]:
    """The distinct hosts of a record's files, in order."""
    addresses = map(url_split, download_urls(record))
    return list(dict.fromkeys(address.netloc for address in addresses if address and address.netloc))


def lacks_hash(record: Record) -> bool:
    return any(file.lacks_hash for file in model_files(record))


def pairs(record: Record, field: str) -> list[tuple[str, Any]]:
    """The members of an object field, such as a model's requirements."""
    value = record.get(field)
    return list(value.items()) if isinstance(value, Mapping) else []


@dataclass(frozen=True, slots=True)
class ModelFile:
    name: str
    url: str
    sha256: str
    purpose: str
    size: float | None
    is_slow: bool

    @property
    def lacks_hash(self) -> bool:
        return self.sha256 in ("", UNKNOWN_HASH)

    @property
    def host(self) -> str:
        return url_host(self.url)


def model_files(record: Record) -> list[ModelFile]:
    return [
        ModelFile(
            name=text(entry, "file_name"),
            url=text(entry, "file_url"),
            sha256=text(entry, "sha256sum"),
            purpose=text(entry, "file_purpose"),
            size=positive_number(entry.get("size_bytes")),
            is_slow=is_true(entry, "known_slow_download"),
        )
        for entry in download_entries(record)
    ]


def url_host(url: str) -> str:
    try:
        return urlsplit(url).netloc
    except ValueError:
        return ""


def web_url(url: object) -> str:
    """The address if a browser may be sent there, else nothing: only `http` and `https`, and with a host."""
    if not isinstance(url, str) or not url.isprintable() or "\\" in url or " " in url:
        return ""
    try:
        address = urlsplit(url)
        is_web = address.scheme in ("http", "https") and bool(address.hostname)
    except ValueError:
        return ""
    return url if is_web else ""
