"""The showcase pictures of a record: which ones a page may load, and which it can only link to."""

from dataclasses import dataclass

from django.conf import settings

from references.downloads import Record
from references.pages.values import texts, url_host, web_url

MOST_PICTURES = 24


@dataclass(frozen=True, slots=True)
class Picture:
    url: str
    host: str
    is_shown: bool


def pictures(record: Record) -> list[Picture]:
    """Pictures with addresses a browser may be sent to; only those of listed hosts are shown in the page."""
    addresses = [url for url in map(web_url, texts(record, "showcases")) if url]
    return [Picture(url, url_host(url), is_shown=_is_shown(url)) for url in addresses[:MOST_PICTURES]]


def first_picture(record: Record) -> str:
    """The address of the first picture that may be shown."""
    return next((picture.url for picture in pictures(record) if picture.is_shown), "")


def _is_shown(url: str) -> bool:
    return url.startswith("https://") and url_host(url) in settings.SHOWCASE_HOSTS
