"""Search over all categories at once, the best known question: what is this file, or this name?"""

from dataclasses import dataclass
from itertools import compress, islice

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from references.categories import CATEGORIES, CategorySpec
from references.pages.columns import Columns, Selection, columns
from references.pages.list_query import SEARCH, search_text
from references.pages.list_rows import ModelRow, rows_of
from references.pages.security import page

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
            "matches": matches,
            "total": sum(category.total for category in matches),
        },
    )


def _matches(spec: CategorySpec, known: Columns, query: str) -> CategoryMatches:
    mask = known.mask(Selection(query))
    flags = known.flags(mask)
    positions = compress(known.by_name, map(flags.__getitem__, known.by_name))
    listing = reverse("catalogue:category", args=[spec.name])
    return CategoryMatches(
        spec,
        mask.bit_count(),
        rows_of(known, list(islice(positions, SHOWN_PER_CATEGORY)), None),
        f"{listing}?{urlencode({SEARCH: query})}",
    )
