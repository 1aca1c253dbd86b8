"""Search over one category or over all of them: filters, ordering and paging, worked out on positions."""

import heapq
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain, islice, repeat

from references.categories import TEXT_CATEGORY
from references.search.filters import FILTERS, WITHOUT_TEXT_FILTERS, conditions_asked
from references.search.index import SearchIndex
from references.search.queries import SOURCES, Hit, SearchError, SearchPage, SearchQuery
from references.text import BACKENDS

# Records of a category, by their positions.
_Part = tuple[SearchIndex, Sequence[int]]


def search_category(index: SearchIndex, query: SearchQuery) -> SearchPage:
    """Search one category; a filter on a field it lacks is an error, one on text names is ignored."""
    if index.category != TEXT_CATEGORY:
        query = replace(query, **WITHOUT_TEXT_FILTERS)
    for name, _ in conditions_asked(query):
        if not FILTERS[name].applies_to(index.category, index.fields):
            raise SearchError(f"Filter '{name}' is not available for category '{index.category}'.")
    return _search([index], query)


def search_all(indexes: Sequence[SearchIndex], query: SearchQuery) -> SearchPage:
    """Search categories as one list, in the order given; a record without the filtered field is no match."""
    return _search(indexes, query)


def _search(indexes: Sequence[SearchIndex], query: SearchQuery) -> SearchPage:
    _check(indexes, query)
    conditions = tuple(conditions_asked(query))
    matches = [index.matches(conditions, query.sort_by, query.sort_desc) for index in indexes]
    valued = [(index, found.valued) for index, found in zip(indexes, matches, strict=True) if found.valued]
    valueless = [(index, found.valueless) for index, found in zip(indexes, matches, strict=True)]
    total = sum(len(positions) for _, positions in chain(valued, valueless))
    if len(valued) < 2:
        hits = _page([*valued, *valueless], query.offset, query.limit)
    else:
        hits = list(islice(_merged(valued, query), query.offset, query.offset + query.limit))
        passed = sum(len(positions) for _, positions in valued)
        hits += _page(valueless, max(0, query.offset - passed), query.limit - len(hits))
    return SearchPage(hits, total, query.offset, query.limit)


def _page(parts: Iterable[_Part], offset: int, limit: int) -> list[Hit]:
    """A page of the parts as one list, which costs the same wherever it begins."""
    hits: list[Hit] = []
    for index, positions in parts:
        page = positions[offset : offset + limit - len(hits)]
        hits += [(index.category, position) for position in page]
        offset = max(0, offset - len(positions))
    return hits


def _merged(parts: Sequence[_Part], query: SearchQuery) -> Iterator[Hit]:
    """Sorted parts as one sorted list, lazily: a page costs what lies before and in it."""
    by_category = {index.category: index for index, _ in parts}
    return heapq.merge(
        *(zip(repeat(index.category), positions) for index, positions in parts),
        key=lambda hit: by_category[hit[0]].sort_key(query.sort_by, hit[1]),
        reverse=query.sort_desc,
    )


def _check(indexes: Sequence[SearchIndex], query: SearchQuery) -> None:
    if query.source not in SOURCES:
        raise SearchError(f"Unknown source '{query.source}'; expected one of {', '.join(SOURCES)}.")
    if query.backend is not None and query.backend not in BACKENDS:
        raise SearchError(f"Unknown backend '{query.backend}'; expected one of {', '.join(BACKENDS)}.")
    if query.sort_by is None or any(query.sort_by in index.sortable for index in indexes):
        return
    if any(query.sort_by in index.objects for index in indexes):
        raise SearchError(f"Field '{query.sort_by}' holds an object and cannot be sorted by.")
    valid = dict.fromkeys(chain.from_iterable(index.sortable for index in indexes))
    raise SearchError(f"Unknown sort field '{query.sort_by}'; expected one of {', '.join(valid)}.")
