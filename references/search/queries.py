"""What a search asks for, and the page that it gets."""

from dataclasses import dataclass

DEFAULT_LIMIT = 50
# No provider of further records exists yet, so both mean the reference itself.
DEFAULT_SOURCE = "horde"
SOURCES = (DEFAULT_SOURCE, "any")

Hit = tuple[str, int]


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
