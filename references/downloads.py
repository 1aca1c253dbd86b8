"""Where a model's files come from and how large they are, whatever an imported record may hold."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import SplitResult, urlsplit

Record = Mapping[str, Any]


def download_entries(record: Record) -> list[Mapping[str, Any]]:
    config = record.get("config")
    entries = config.get("download") if isinstance(config, Mapping) else None
    return [entry for entry in entries if isinstance(entry, Mapping)] if isinstance(entries, list) else []


def download_urls(record: Record) -> list[str]:
    urls = (entry.get("file_url") for entry in download_entries(record))
    return [url for url in urls if isinstance(url, str)]


def url_split(url: str) -> SplitResult | None:
    """The parts of the URL; None for one that cannot be parsed at all."""
    try:
        return urlsplit(url)
    except ValueError:
        return None


def size_on_disk(record: Record) -> int | None:
    """The size in bytes, where the record tells a positive one."""
    return positive_number(record.get("size_on_disk_bytes"))


def positive_number(value: object) -> Any:
    """The value if it is a number above zero, else None; a truth value is no number."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return value if is_number and value > 0 else None
