"""The list of a category's models: as a table, as cards, or text models by group."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from references.categories import TEXT_CATEGORY
from references.pages.choices import Option, facet_options, selection_chips, spec_or_404
from references.pages.columns import Columns, columns
from references.pages.links import PageLinks, Pager
from references.pages.list_query import (
    CARDS,
    GROUPS,
    SEARCH,
    SORT,
    SORTS,
    TABLE,
    VIEW,
    ListQuery,
    list_query_parse,
)
from references.pages.list_rows import (
    ModelGroup,
    ModelRow,
    grouped,
    groups_sorted,
    matching,
    rows_of,
    sort_fields,
)
from references.pages.panels import badges_of, category_links
from references.pages.search import fields_missed
from references.pages.security import page
from references.pages.usage import stats_if_known
from references.popularity import ModelStats

# A page stays under 100 kB with its style sheet, however long the names, and with boxes to tick.
PAGE_SIZE = 40
CARD_PAGE_SIZE = 36
GROUP_PAGE_SIZE = 16
VIEW_LABELS = {GROUPS: "Groups", TABLE: "Table", CARDS: "Cards"}


@dataclass(frozen=True, slots=True)
class _Listing:
    """Everything that decides what a list shows."""

    request: HttpRequest
    known: Columns
    stats: Sequence[ModelStats] | None
    query: ListQuery
    links: PageLinks
    positions: Sequence[int]


@require_safe
@page
def category_list(request: HttpRequest, category: str) -> HttpResponse:
    spec = spec_or_404(category)
    known = columns(category)
    usage = stats_if_known(known.snapshot)
    stats = usage.models if usage else None
    views = (GROUPS, TABLE, CARDS) if category == TEXT_CATEGORY else (TABLE, CARDS)
    fields = sort_fields(known, stats)
    query = list_query_parse(request.GET, known, sort_fields=fields, views=views)
    links = query.links(request.path, default_view=views[0])
    listing = _Listing(request, known, stats, query, links, matching(known, query, stats))
    context = {
        "spec": spec,
        "section": "catalogue",
        "known": known,
        "is_empty": not len(known),
        "query": query,
        "search": query.selection.query,
        **fields_missed(query.selection.query),
        "sort": query.sort,
        "links": links,
        "match_count": len(listing.positions),
        "sort_fields": fields,
        "sorts": {name: label for name, label in SORTS.items() if name.removeprefix("-") in fields},
        "hidden_fields": links.hidden(SEARCH, SORT),
        "modes": [_view_option(links, view, query.view, default=views[0]) for view in views],
        "facets": [
            facet_options(known.counts(query.selection, facet), query.selection, links, facet)
            for facet in known.facets
        ],
        "chips": selection_chips(query.selection, links),
        "clear_url": links.cleared(kept=(SORT, VIEW)),
        "usage_at": usage.fetched_at if usage else None,
        "actions": category_links(request, category),
    }
    context |= _groups_page(listing) if query.view == GROUPS else _rows_page(listing)
    return render(request, "catalogue/listing.html", context)


def _view_option(links: PageLinks, view: str, current: str, *, default: str) -> Option:
    return Option(
        VIEW_LABELS[view], links.replaced(**{VIEW: None if view == default else view}), view == current
    )


def _rows_page(listing: _Listing) -> dict[str, object]:
    size = CARD_PAGE_SIZE if listing.query.view == CARDS else PAGE_SIZE
    pager = Pager.at(listing.links, listing.query.page, page_size=size, total=len(listing.positions))
    return {"pager": pager, "rows": _rows(listing, listing.positions[pager.offset : pager.last])}


def _groups_page(listing: _Listing) -> dict[str, object]:
    known, stats, query = listing.known, listing.stats, listing.query
    by_group = grouped(known, listing.positions)
    names = groups_sorted(known, by_group, query, stats)
    pager = Pager.at(listing.links, query.page, page_size=GROUP_PAGE_SIZE, total=len(names))
    shown = names[pager.offset : pager.last]
    rows = _rows(listing, [position for name in shown for position in by_group[name]])
    rows_left = iter(rows)
    groups = [
        ModelGroup(name, known.group_sizes[name], [next(rows_left) for _ in by_group[name]]) for name in shown
    ]
    return {"pager": pager, "groups": groups}


def _rows(listing: _Listing, positions: Sequence[int]) -> list[ModelRow]:
    rows = rows_of(listing.known, positions, listing.stats)
    badges = badges_of(listing.request, listing.known.index.category, [row.name for row in rows])
    return [replace(row, badges=badges[row.name]) if row.name in badges else row for row in rows]
