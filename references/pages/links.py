"""Addresses of a page with part of its state changed, and the pages of a long list."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from django.utils.http import urlencode

PAGE = "page"
Query = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class PageLinks:
    """`query` holds what the page shows, without defaults. Any other change leads back to page one."""

    path: str
    query: Query

    def replaced(self, **values: str | None) -> str:
        """With these parameters set, or removed where the value is None."""
        changed = {name: (value,) if value else () for name, value in values.items()}
        return self._address({**self.query, PAGE: (), **changed})

    def toggled(self, name: str, value: str) -> str:
        """With one value of a parameter of many values added, or removed where it is there."""
        held = self.query.get(name, ())
        changed = tuple(other for other in held if other != value) if value in held else (*held, value)
        return self._address({**self.query, PAGE: (), name: changed})

    def page(self, number: int) -> str:
        return self.replaced(page=str(number) if number > 1 else None)

    def cleared(self, kept: tuple[str, ...] = ()) -> str:
        return self._address({name: values for name, values in self.query.items() if name in kept})

    def hidden(self, *shown: str) -> list[tuple[str, str]]:
        """What a form that has fields for `shown` must carry along."""
        return [(name, value) for name, value in self._pairs(self.query) if name not in (*shown, PAGE)]

    def _address(self, query: Query) -> str:
        encoded = urlencode(list(self._pairs(query)))
        return f"{self.path}?{encoded}" if encoded else self.path

    @staticmethod
    def _pairs(query: Query) -> Iterator[tuple[str, str]]:
        return ((name, value) for name, values in query.items() for value in values)


@dataclass(frozen=True, slots=True)
class Pager:
    """Where a page stands in its list. `first` and `last` count its rows from one."""

    links: PageLinks
    page: int
    page_size: int
    total: int

    @classmethod
    def at(cls, links: PageLinks, page: int, *, page_size: int, total: int) -> "Pager":
        """The page asked for, or the last one where there are not so many."""
        pages = max(1, -(-total // page_size))
        return cls(links, min(page, pages), page_size, total)

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // self.page_size))

    @property
    def offset(self) -> int:
        return (self.page - 1) * self.page_size

    @property
    def first(self) -> int:
        return self.offset + 1 if self.total else 0

    @property
    def last(self) -> int:
        return min(self.offset + self.page_size, self.total)

    @property
    def previous(self) -> str | None:
        return self.links.page(self.page - 1) if self.page > 1 else None

    @property
    def next(self) -> str | None:
        return self.links.page(self.page + 1) if self.page < self.pages else None

    @property
    def steps(self) -> list[tuple[int | None, str]]:
        """The first page, the last, those around this one; None stands for what is left out between them."""
        near = {1, self.pages, *range(self.page - 1, self.page + 2)}
        steps: list[tuple[int | None, str]] = []
        for number in sorted(number for number in near if 1 <= number <= self.pages):
            if steps and number - (steps[-1][0] or 0) > 1:
                steps.append((None, ""))
            steps.append((number, self.links.page(number)))
        return steps
