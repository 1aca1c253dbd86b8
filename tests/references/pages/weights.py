"""What a page weighs: its HTML and all style sheets that it loads, in bytes."""

import re
from collections.abc import Iterator
from pathlib import Path

from django.contrib.staticfiles import finders
from django.http import HttpResponse

from tests.references.pages.html import Page


def weight(response: HttpResponse) -> int:
    return len(response.content) + sum(len(Path(path).read_bytes()) for path in style_sheets(response))


def style_sheets(response: HttpResponse) -> Iterator[str]:
    """The files of the style sheets that a page loads, and of those that they import."""
    waiting = [link["href"].removeprefix("/static/") for link in Page(response).all("link", rel="stylesheet")]
    while waiting:
        name = waiting.pop()
        path = finders.find(name)
        yield path
        found = re.findall(r'@import\s+(?:url\()?"?([\w./-]+)', Path(path).read_text())
        waiting += [name.rpartition("/")[0] + "/" + each if "/" in name else each for each in found]
