"""Search over one category or over all of them: filters, ordering and paging, worked out on positions.

An index is built once per revision of a category and answers every query until the next one, so what a query
needs is computed when first asked for and kept: columns for good, masks and orderings in bounded memos.
"""

import heapq
import json
from array import array
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from itertools import chain, compress, islice, repeat
from sys import intern
from typing import Any, NamedTuple

from references.categories import TEXT_CATEGORY
from references.text import BACKENDS, is_quantized, split_backend

DEFAULT_LIMIT = 50
# No provider of further records exists yet, so both mean the reference itself.
DEFAULT_SOURCE = "horde"
SOURCES = (DEFAULT_SOURCE, "any")
PATH_SEPARATOR = "__"

# At 100,000 records a mask takes about 100 kB and an ordering 400 kB.
_MASKS_KEPT = 64
_ORDERINGS_KEPT = 32

Hit = tuple[str, int]
SortKey = tuple[int, Any]
# A filter by its name in a query, and what is asked of it.
Condition = tuple[str, Hashable]
MakeColumn = Callable[[Hashable, Callable[[Mapping[str, Any]], Any]], list[Any]]


class SearchError(ValueError):
    """A query that cannot be answered; the message tells the client what to change."""


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """One search request, parsed: None, an empty tuple and False (of a switch) mean "not asked for".

    An empty `baseline` matches nothing; an empty `name_contains` matches everything.
    """

    nsfw: bool | None = None
    baseline: str | None = None
    inpainting: bool | None = None
    tags_any: tuple[str, ...] = ()
    tags_all: tuple[str, ...] = ()
    tags_none: tuple[str, ...] = ()
    name_contains: str | None = None
    backend: str | None = None
    exclude_backend_variations: bool = False
    quantized: bool | None = None
    sort_by: str | None = None
    sort_desc: bool = False
    limit: int = DEFAULT_LIMIT
    offset: int = 0
    source: str = DEFAULT_SOURCE


@dataclass(frozen=True, slots=True)
class SearchPage:
    """One page of matches, each as (category, position of the record in its category)."""

    hits: list[Hit]
    total: int
    offset: int
    limit: int

    @property
    def has_more(self) -> bool:
        return self.offset + self.limit < self.total


class _Ordering(NamedTuple):
    """Positions of a category sorted by one field: those that have a value, then those that have none."""

    valued: Sequence[int]
    valueless: Sequence[int]


class _Facts(NamedTuple):
    """What the filters ask of one record."""

    name: str
    nsfw: Any
    baseline: Any
    inpainting: bool
    tags: tuple[str, ...]


def _facts(record: Mapping[str, Any]) -> _Facts:
    nsfw, baseline = record.get("nsfw"), record.get("baseline")
    return _Facts(
        name=_text(record.get("name")),
        nsfw=nsfw if isinstance(nsfw, bool) else None,
        baseline=intern(baseline) if isinstance(baseline, str) else None,
        inpainting=bool(record.get("inpainting")),
        tags=tuple(map(intern, _texts(record.get("tags")))),
    )


class _Columns:
    """The records of a category turned into columns, each made only when a query needs it."""

    def __init__(self, column: MakeColumn) -> None:
        self._column = column

    @cached_property
    def facts(self) -> list[_Facts]:
        return self._column(_Facts, _facts)

    @cached_property
    def names(self) -> list[str]:
        return [facts.name for facts in self.facts]

    @cached_property
    def lowered_names(self) -> list[str]:
        return [name.lower() for name in self.names]

    @cached_property
    def backends(self) -> list[str | None]:
        return [split_backend(name)[0] for name in self.names]

    @cached_property
    def quantized(self) -> list[bool]:
        return [is_quantized(name) for name in self.names]

    def mask(self, name: str, value: Hashable) -> int:
        """A number with one byte per record, 1 where the record passes the filter; masks combine with `&`."""
        return int.from_bytes(bytes(_FILTERS[name].test(self, value)), "little")

    def ordering(self, path: tuple[str, ...], descending: bool) -> _Ordering:
        keys = self._column(path, lambda record: _sort_key(_value_at(record, path)))
        valued = [position for position, key in enumerate(keys) if key is not None]
        valueless = [position for position, key in enumerate(keys) if key is None]
        # Sorting in reverse keeps equal elements as they stand, so ties stay in stored order both ways.
        valued.sort(key=keys.__getitem__, reverse=descending)
        return _Ordering(array("I", valued), array("I", valueless))


@dataclass(frozen=True, slots=True)
class _Filter:
    """What a filter asks of a record.

    `field` is the schema field it reads (None: it is about text model names), `test` its verdict per record,
    `passes_elsewhere` the verdict on every record of a category the filter cannot be applied to.
    """

    test: Callable[[_Columns, Any], Iterable[bool]]
    field: str | None = None
    passes_elsewhere: bool = False

    def applies_to(self, index: "SearchIndex") -> bool:
        return index.category == TEXT_CATEGORY if self.field is None else self.field in index.fields


def _has_nsfw(columns: _Columns, wanted: bool) -> Iterable[bool]:
    return [facts.nsfw is wanted for facts in columns.facts]


def _has_baseline(columns: _Columns, wanted: str) -> Iterable[bool]:
    return [wanted != "" and facts.baseline == wanted for facts in columns.facts]


def _has_inpainting(columns: _Columns, wanted: bool) -> Iterable[bool]:
    return [facts.inpainting is wanted for facts in columns.facts]


def _has_any_tag(columns: _Columns, wanted: tuple[str, ...]) -> Iterable[bool]:
    tags_wanted = frozenset(wanted)
    return [not tags_wanted.isdisjoint(facts.tags) for facts in columns.facts]


def _has_all_tags(columns: _Columns, wanted: tuple[str, ...]) -> Iterable[bool]:
    tags_wanted = frozenset(wanted)
    return [tags_wanted.issubset(facts.tags) for facts in columns.facts]


def _has_no_tag(columns: _Columns, unwanted: tuple[str, ...]) -> Iterable[bool]:
    tags_unwanted = frozenset(unwanted)
    return [tags_unwanted.isdisjoint(facts.tags) for facts in columns.facts]


def _has_in_name(columns: _Columns, wanted: str) -> Iterable[bool]:
    lowered = wanted.lower()
    return [lowered in name for name in columns.lowered_names]


def _has_backend(columns: _Columns, wanted: str) -> Iterable[bool]:
    return [backend == wanted for backend in columns.backends]


def _has_no_backend(columns: _Columns, _asked: bool) -> Iterable[bool]:
    return [backend is None for backend in columns.backends]


def _has_quantized_name(columns: _Columns, wanted: bool) -> Iterable[bool]:
    return [quantized is wanted for quantized in columns.quantized]


# Keyed by the name the filter has in a query.
_FILTERS: dict[str, _Filter] = {
    "nsfw": _Filter(_has_nsfw, field="nsfw"),
    "baseline": _Filter(_has_baseline, field="baseline"),
    "inpainting": _Filter(_has_inpainting, field="inpainting"),
    "tags_any": _Filter(_has_any_tag, field="tags"),
    "tags_all": _Filter(_has_all_tags, field="tags"),
    "tags_none": _Filter(_has_no_tag, field="tags", passes_elsewhere=True),
    "name_contains": _Filter(_has_in_name, field="name"),
    "backend": _Filter(_has_backend),
    "exclude_backend_variations": _Filter(_has_no_backend, passes_elsewhere=True),
    "quantized": _Filter(_has_quantized_name),
}
_INACTIVE = {name: SearchQuery.__dataclass_fields__[name].default for name in _FILTERS}
_WITHOUT_TEXT_FILTERS = {name: _INACTIVE[name] for name, known in _FILTERS.items() if known.field is None}


class SearchIndex:
    """The records of one category, ready to be searched; immutable, shared by threads.

    `records` are in stored order and as clients see them: defaults filled in, nulls left out. `fields` is the
    category's schema as a tree: `{name: None}` for a scalar or a list, `{name: {member: None}}` for an object
    whose members are known, `{name: {}}` for an object with open members. It decides which filters the
    category has and what it can be sorted by, so it names every field of the records as presented (for text
    models both `parameters` and `parameters_count`). `column` gives what a function makes of each record; it may
    know that by the key of the function from before.
    """

    def __init__(
        self,
        category: str,
        records: Sequence[Mapping[str, Any]],
        fields: Mapping[str, Any],
        *,
        column: MakeColumn | None = None,
    ) -> None:
        self.category = category
        self.records = records
        self.fields = fields
        paths = {PATH_SEPARATOR.join(path): (path, members) for path, members in _paths(fields)}
        self.sortable = {name: path for name, (path, members) in paths.items() if members is None}
        self.objects = paths.keys() - self.sortable.keys()
        columns = _Columns(column or (lambda key, compute: list(map(compute, records))))
        self._mask = lru_cache(_MASKS_KEPT)(columns.mask)
        self._ordering = lru_cache(_ORDERINGS_KEPT)(columns.ordering)
        self.matches = lru_cache(_ORDERINGS_KEPT)(self._made_matches)

    def __len__(self) -> int:
        return len(self.records)

    def mask(self, conditions: Iterable[Condition]) -> int | None:
        """The records that meet all conditions, one byte each; None stands for all of them, 0 for none."""
        combined = None
        for name, value in conditions:
            known = _FILTERS[name]
            if known.applies_to(self):
                mask = self._mask(name, value)
                combined = mask if combined is None else combined & mask
            elif not known.passes_elsewhere:
                return 0
        return combined

    def ordering(self, sort_by: str | None, descending: bool) -> _Ordering:
        path = self.sortable.get(sort_by)
        if path is None:
            return _Ordering((), range(len(self)))
        return self._ordering(path, descending)

    def _made_matches(
        self, conditions: tuple[Condition, ...], sort_by: str | None, descending: bool
    ) -> _Ordering:
        mask = self.mask(conditions)
        ordering = self.ordering(sort_by, descending)
        if mask is None:
            return ordering
        flags = mask.to_bytes(len(self), "little")
        return _Ordering(
            *(array("I", compress(positions, map(flags.__getitem__, positions))) for positions in ordering)
        )

    def sort_key(self, sort_by: str, position: int) -> SortKey | None:
        return _sort_key(_value_at(self.records[position], self.sortable[sort_by]))


# Records of a category, by their positions.
_Part = tuple[SearchIndex, Sequence[int]]


def search_category(index: SearchIndex, query: SearchQuery) -> SearchPage:
    """Search one category; a filter on a field it lacks is an error, one on text names is ignored."""
    if index.category != TEXT_CATEGORY:
        query = replace(query, **_WITHOUT_TEXT_FILTERS)
    for name, _ in _conditions(query):
        if not _FILTERS[name].applies_to(index):
            raise SearchError(f"Filter '{name}' is not available for category '{index.category}'.")
    return _search([index], query)


def search_all(indexes: Sequence[SearchIndex], query: SearchQuery) -> SearchPage:
    """Search categories as one list, in the order given; a record without the filtered field is no match."""
    return _search(indexes, query)


def _search(indexes: Sequence[SearchIndex], query: SearchQuery) -> SearchPage:
    _check(indexes, query)
    conditions = tuple(_conditions(query))
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


def _conditions(query: SearchQuery) -> list[Condition]:
    values = ((name, getattr(query, name)) for name in _FILTERS)
    return [(name, value) for name, value in values if value != _INACTIVE[name]]


def _sort_key(value: Any) -> SortKey | None:
    """What a value sorts by, None for no value: its kind first, so that all kinds can share a column."""
    match value:
        case None:
            return None
        case bool():
            return (0, value)
        case int() | float():
            return (1, value)
        case str():
            return (2, value)
        case list() | tuple():
            # A null inside a list goes last, like one in a column.
            return (3, tuple(_sort_key(element) or (5, None) for element in value))
        case _:
            return (4, json.dumps(value, sort_keys=True))


def _paths(
    fields: Mapping[str, Any], parents: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Mapping[str, Any] | None]]:
    for name, members in fields.items():
        path = (*parents, name)
        yield path, members
        if members:
            yield from _paths(members, path)


def _value_at(record: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    value: Any = record
    for segment in path:
        value = value.get(segment) if isinstance(value, Mapping) else None
    return value


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _texts(value: object) -> tuple[str, ...]:
    return tuple(element for element in value if isinstance(element, str)) if isinstance(value, list) else ()
