"""What a list of models is asked to show, read from its query string. Nothing in it can be wrong: what means
nothing counts as not asked for.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.http import QueryDict

from references.pages.columns import Columns, Selection
from references.pages.facets import Facet, Values
from references.pages.links import PAGE, PageLinks, Query
from references.pages.terms import LONGEST_QUERY

SEARCH, SORT, VIEW = "q", "sort", "view"
DESCENDING = "-"
MOST_CHOSEN = 20
LARGEST_PAGE = 10**6

TABLE, CARDS, GROUPS = "table", "cards", "groups"

# Names of orders in the query string, with the side on which the greatest interest is.
DEFAULT_SORT = "name"
SORTS: dict[str, str] = {
    "name": "Name",
    "-month": "Most used",
    "-workers": "Most workers",
    "-updated": "Last changed",
    "-size": "Largest",
    "size": "Smallest",
    "-parameters": "Most parameters",
    "parameters": "Fewest parameters",
    "order": "Stored order",
}


@dataclass(frozen=True, slots=True)
class ListQuery:
    selection: Selection = field(default_factory=Selection)
    sort: str = DEFAULT_SORT
    view: str = TABLE
    page: int = 1

    @property
    def sort_field(self) -> str:
        return self.sort.removeprefix(DESCENDING)

    @property
    def is_descending(self) -> bool:
        return self.sort.startswith(DESCENDING)

    def state(self, *, default_view: str) -> Query:
        """The query string's parameters, those left out that change nothing."""
        single = {
            SEARCH: self.selection.query,
            SORT: "" if self.sort == DEFAULT_SORT else self.sort,
            VIEW: "" if self.view == default_view else self.view,
        }
        return {
            **{name: (value,) for name, value in single.items() if value},
            **self.selection.chosen,
            **({PAGE: (str(self.page),)} if self.page > 1 else {}),
        }

    def links(self, path: str, *, default_view: str) -> PageLinks:
        return PageLinks(path, self.state(default_view=default_view))


def list_query_parse(
    asked: QueryDict, known: Columns, *, sort_fields: frozenset[str], views: tuple[str, ...]
) -> ListQuery:
    """`views` are those of the category, the default one first."""
    sort, view = asked.get(SORT, ""), asked.get(VIEW, "")
    return ListQuery(
        selection=Selection(search_text(asked), chosen_values(asked, known.facets)),
        sort=sort if sort.removeprefix(DESCENDING) in sort_fields else DEFAULT_SORT,
        view=view if view in views else views[0],
        page=page_number(asked),
    )


def chosen_values(asked: QueryDict, facets: Iterable[Facet]) -> dict[str, Values]:
    return {
        facet.name: tuple(dict.fromkeys(filter(None, asked.getlist(facet.name))))[:MOST_CHOSEN]
        for facet in facets
        if any(asked.getlist(facet.name))
    }


def search_text(asked: QueryDict) -> str:
    return asked.get(SEARCH, "").strip()[:LONGEST_QUERY]


def page_number(asked: QueryDict) -> int:
    wanted = asked.get(PAGE, "")
    number = int(wanted) if wanted.isascii() and wanted.isdigit() and len(wanted) < 10 else 1
    return min(max(number, 1), LARGEST_PAGE)
