"""Places on the pages that other apps fill: this one knows none of them.

An app appends its providers in the `ready` method of its configuration. A provider gets the request and what
the place is about, and may return nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest

from references.rows import Row


@dataclass(frozen=True, slots=True)
class Panel:
    """A section of a page: its heading, the template of its content and what that needs."""

    heading: str
    template: str
    context: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Link:
    """Something to go to. `section` is the part of the site it leads to: it is marked on the pages of it."""

    label: str
    url: str
    section: str = ""


@dataclass(frozen=True, slots=True)
class Badge:
    """A word beside a model's name; `tone` is one of the badge classes of the style sheet."""

    label: str
    tone: str = ""
    url: str = ""


# Sections below a record: its history, the changes that are proposed for it.
record_panels: list[Callable[[HttpRequest, Row], Panel | None]] = []
# Buttons beside the name of a record, the first one the most important.
record_actions: list[Callable[[HttpRequest, Row], Sequence[Link]]] = []
# Buttons beside the name of a category.
category_actions: list[Callable[[HttpRequest, str], Sequence[Link]]] = []
# What can be done at once with models that are ticked in a list: a form posts their names to the address, as `name`.
selection_actions: list[Callable[[HttpRequest, str], Sequence[Link]]] = []
# Badges in lists of one category, by model name; called once for all names of a page.
row_badges: list[Callable[[HttpRequest, str, Sequence[str]], Mapping[str, Sequence[Badge]]]] = []
# Entries of the main navigation, after those of the catalogue.
navigation: list[Callable[[HttpRequest], Sequence[Link]]] = []
# Who is signed in, or how to: what stands at the end of the header.
header: list[Callable[[HttpRequest], Panel | None]] = []


def panels_of(request: HttpRequest, row: Row) -> list[Panel]:
    found = (provide(request, row) for provide in record_panels)
    return [panel for panel in found if panel]


def record_links(request: HttpRequest, row: Row) -> list[Link]:
    return [link for provide in record_actions for link in provide(request, row)]


def category_links(request: HttpRequest, category: str) -> list[Link]:
    return [link for provide in category_actions for link in provide(request, category)]


def selection_links(request: HttpRequest, category: str) -> list[Link]:
    return [link for provide in selection_actions for link in provide(request, category)]


def badges_of(request: HttpRequest, category: str, names: Sequence[str]) -> dict[str, list[Badge]]:
    badges: dict[str, list[Badge]] = {}
    for provide in row_badges:
        for name, found in provide(request, category, names).items():
            badges.setdefault(name, []).extend(found)
    return badges


def navigation_links(request: HttpRequest) -> list[Link]:
    return [link for provide in navigation for link in provide(request)]


def header_panels(request: HttpRequest) -> list[Panel]:
    found = (provide(request) for provide in header)
    return [panel for panel in found if panel]
