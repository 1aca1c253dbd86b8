"""What a visitor can choose on a page, each with the address it leads to."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from django.http import Http404

from references.categories import CATEGORIES, CategorySpec
from references.pages.columns import Selection
from references.pages.facets import FACETS, Facet
from references.pages.links import PageLinks
from references.pages.list_query import SEARCH

# Values of a facet that are in sight, and those that can be unfolded.
VALUES_SHOWN = 7
VALUES_FOLDED = 12


@dataclass(frozen=True, slots=True)
class Option:
    """A value that can be chosen, or chosen no longer; `count`, where it is known, would be left."""

    label: str
    url: str
    is_chosen: bool = False
    count: int | None = None


@dataclass(frozen=True, slots=True)
class FacetOptions:
    facet: Facet
    shown: Sequence[Option]
    folded: Sequence[Option]
    left_out: int


@dataclass(frozen=True, slots=True)
class Chip:
    """One condition of the query, with the address of the list without it."""

    label: str
    value: str
    url: str


def spec_or_404(category: str) -> CategorySpec:
    if category not in CATEGORIES:
        raise Http404(f"no category {category}")
    return CATEGORIES[category]


def facet_options(counts: Counter[str], selection: Selection, links: PageLinks, facet: Facet) -> FacetOptions:
    """The values to choose from, with how many rows each would leave."""
    chosen = selection.chosen.get(facet.name, ())
    values = _values_in_order(facet, counts, chosen)
    options = [
        Option(facet.label_of(value), links.toggled(facet.name, value), value in chosen, counts[value])
        for value in values[: VALUES_SHOWN + VALUES_FOLDED]
    ]
    # A fold that hides one or two values is worse than none.
    shown = VALUES_SHOWN if len(options) > VALUES_SHOWN + 2 else len(options)
    return FacetOptions(facet, options[:shown], options[shown:], max(0, len(values) - len(options)))


def _values_in_order(facet: Facet, counts: Counter[str], chosen: Sequence[str]) -> list[str]:
    if facet.order:
        found = [value for value in facet.order if counts[value] or value in chosen]
        return [*found, *(value for value in chosen if value not in facet.order)]
    others = [value for value in counts if value not in chosen]
    return [*chosen, *sorted(others, key=lambda value: (-counts[value], value))]


def selection_chips(selection: Selection, links: PageLinks) -> list[Chip]:
    chips = [
        Chip(FACETS[name].label, FACETS[name].label_of(value), links.toggled(name, value))
        for name, values in selection.chosen.items()
        for value in values
    ]
    if selection.query:
        chips.insert(0, Chip("Search", selection.query, links.replaced(**{SEARCH: None})))
    return chips
