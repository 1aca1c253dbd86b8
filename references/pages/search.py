"""Search over all categories at once, the best known question: what is this file, or this name?"""

from dataclasses import dataclass
from heapq import nsmallest
from itertools import compress

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from references.categories import CATEGORIES, CategorySpec
from references.pages.columns import (
    NUMBER_FIELDS,
    SEARCH_FIELDS,
    TEXT_FIELDS,
    Columns,
    Selection,
    columns,
)
from references.pages.list_query import SEARCH, search_text
from references.pages.list_rows import ModelRow, rows_of
from references.pages.security import page
from references.pages.terms import unknown_fields

SHOWN_PER_CATEGORY = 8


@dataclass(frozen=True, slots=True)
class CategoryMatches:
    spec: CategorySpec
    total: int
    rows: list[ModelRow]
    url: str

    @property
    def left_out(self) -> int:
        return self.total - len(self.rows)


@require_safe
@page
def search(request: HttpRequest) -> HttpResponse:
    query = search_text(request.GET)
    found = []
    if query:
        found = [_matches(spec, columns(name), query) for name, spec in CATEGORIES.items()]
    matches = [category for category in found if category.total]
    return render(
        request,
        "catalogue/search.html",
        {
            "section": "catalogue",
            "search": query,
            **fields_missed(query),
            "matches": matches,
            "total": sum(category.total for category in matches),
        },
    )


def fields_missed(query: str) -> dict[str, object]:
    """What to say of a query that names fields which do not exist."""
    missed = unknown_fields(query, SEARCH_FIELDS)
    return {"unknown_fields": missed, "search_fields": [*TEXT_FIELDS, *NUMBER_FIELDS] if missed else []}


def _matches(spec: CategorySpec, known: Columns, query: str) -> CategoryMatches:
    mask = known.mask(Selection(query))
    flags = known.flags(mask)
    positions = compress(known.by_name, map(flags.__getitem__, known.by_name))
    names, sought = known.lowered("name"), query.lower()
    # Of equally near ones, the first by name come first.
    shown = nsmallest(SHOWN_PER_CATEGORY, positions, key=lambda position: _distance(names[position], sought))
    listing = reverse("catalogue:category", args=[spec.name])
    return CategoryMatches(
        spec, mask.bit_count(), rows_of(known, shown, None), f"{listing}?{urlencode({SEARCH: query})}"
    )


def _distance(name: str, sought: str) -> int:
    """How far a name is from what was sought: the name itself, with or without its author, is before names that
    begin with it, those before names that hold it, and those before what was found by something else.
    """
    at = name.find(sought)
    if at < 0:
        return 3
    if at and name[at - 1] != "/":
        return 2
    return 0 if at + len(sought) == len(name) else 1
