"""The filters of a search, by their names in a query."""

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from references.categories import TEXT_CATEGORY
from references.search.columns import Columns
from references.search.queries import SearchQuery

# A filter by its name in a query, and what is asked of it.
Condition = tuple[str, Hashable]


@dataclass(frozen=True, slots=True)
class _Filter:
    """What a filter asks of a record.

    `field` is the schema field it reads (None: it is about text model names), `test` its verdict per record,
    `passes_elsewhere` the verdict on every record of a category the filter cannot be applied to.
    """

    test: Callable[[Columns, Any], Iterable[bool]]
    field: str | None = None
    passes_elsewhere: bool = False

    def applies_to(self, category: str, fields: Mapping[str, Any]) -> bool:
        """Whether a category with this schema has the filter."""
        return category == TEXT_CATEGORY if self.field is None else self.field in fields


def _has_nsfw(columns: Columns, wanted: bool) -> Iterable[bool]:
    return [facts.nsfw is wanted for facts in columns.facts]


def _has_baseline(columns: Columns, wanted: str) -> Iterable[bool]:
    return [wanted != "" and facts.baseline == wanted for facts in columns.facts]


def _has_inpainting(columns: Columns, wanted: bool) -> Iterable[bool]:
    return [facts.inpainting is wanted for facts in columns.facts]


def _has_any_tag(columns: Columns, wanted: tuple[str, ...]) -> Iterable[bool]:
    tags_wanted = frozenset(wanted)
    return [not tags_wanted.isdisjoint(facts.tags) for facts in columns.facts]


def _has_all_tags(columns: Columns, wanted: tuple[str, ...]) -> Iterable[bool]:
    tags_wanted = frozenset(wanted)
    return [tags_wanted.issubset(facts.tags) for facts in columns.facts]


def _has_no_tag(columns: Columns, unwanted: tuple[str, ...]) -> Iterable[bool]:
    tags_unwanted = frozenset(unwanted)
    return [tags_unwanted.isdisjoint(facts.tags) for facts in columns.facts]


def _has_in_name(columns: Columns, wanted: str) -> Iterable[bool]:
    lowered = wanted.lower()
    return [lowered in name for name in columns.lowered_names]


def _has_backend(columns: Columns, wanted: str) -> Iterable[bool]:
    return [backend == wanted for backend in columns.backends]


def _has_no_backend(columns: Columns, _asked: bool) -> Iterable[bool]:
    return [backend is None for backend in columns.backends]


def _has_quantized_name(columns: Columns, wanted: bool) -> Iterable[bool]:
    return [quantized is wanted for quantized in columns.quantized]


# Keyed by the name the filter has in a query.
FILTERS: dict[str, _Filter] = {
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
_INACTIVE = {name: SearchQuery.__dataclass_fields__[name].default for name in FILTERS}
WITHOUT_TEXT_FILTERS = {name: _INACTIVE[name] for name, known in FILTERS.items() if known.field is None}


def conditions_asked(query: SearchQuery) -> list[Condition]:
    values = ((name, getattr(query, name)) for name in FILTERS)
    return [(name, value) for name, value in values if value != _INACTIVE[name]]


def filter_mask(columns: Columns, name: str, value: Hashable) -> int:
    """A number with one byte per record, 1 where the record passes the filter; masks combine with `&`."""
    return int.from_bytes(bytes(FILTERS[name].test(columns, value)), "little")
