"""What is asked of the servers, and what each answer's speed is held against."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import quote, urlencode

from tests.benchmarks.load import Request, fetch
from tests.benchmarks.servers import Site
from tests.benchmarks.table import Budget, at_least, at_most

API = "/api/model_references"
IMAGE = f"{API}/v2/image_generation"
TEXT = f"{API}/v2/text_generation"
LEGACY_TEXT = f"{API}/v1/text_generation"
STATISTICS = f"{API}/statistics"
# The smallest category of the real data, and so the least work an answer can be.
SMALLEST = f"{API}/v2/gfpgan"
CATEGORIES = f"{API}/v2/model_categories"

# What two measurements of the same thing may differ by.
AS_FAST = at_least(0.9)

GZIP = {"Accept-Encoding": "gzip"}
PAGE = 50


@dataclass(frozen=True, slots=True)
class Subject:
    """A running server and what rows have to know of its store: `model` is the middle one of `models`.

    `first_searches` tells how many seconds the first search of each kind took, in the order they were asked.
    """

    site: Site
    models: int
    model: str
    first_searches: Mapping[str, float]

    @classmethod
    def of(cls, site: Site) -> "Subject":
        first = {title: fetch(site.port, asked) for title, asked in FIRST_SEARCHES.items()}
        models = json.loads(first["search"].body)["total"]
        middle = json.loads(site.fetch(search(limit=1, offset=models // 2)))
        seconds = {title: reply.seconds for title, reply in first.items()}
        return cls(site, models, middle["results"][0]["name"], seconds)

    def record(self) -> Request:
        return Request(f"{IMAGE}/model/{quote(self.model, safe='')}")

    def last_page(self) -> Request:
        return search(limit=PAGE, offset=max(0, self.models - PAGE))

    def unchanged(self, path: str) -> Request:
        """A request of someone who holds the answer already."""
        headers = fetch(self.site.port, Request(path)).headers
        return Request(path, {"If-None-Match": headers["etag"]}, expected=304)


def search(path: str = IMAGE, **query: object) -> Request:
    return Request(f"{path}/search?{urlencode(query)}")


# Each reads something of every record that the ones before it did not.
FIRST_SEARCHES = {
    "search": search(limit=1),
    "sorted search": search(limit=1, sort_by="size_on_disk_bytes"),
    "filtered search": search(limit=1, nsfw="true"),
}


class Against(StrEnum):
    """What the speed of a row is held against.

    The published service is the one that this one replaces. The server alone is the one that this one runs on.
    """

    NGINX = "÷ nginx, same bytes"
    ALONE = "÷ the server alone, same bytes"
    SMALLEST = "÷ 304 of the smallest category"
    PUBLISHED = "÷ published service, by way of nginx"
    REAL = "× slower than real data"


@dataclass(frozen=True, slots=True)
class LoadRow:
    """One request, repeated as fast as it is answered.

    `ratios` tells what it is held against, each perhaps with a budget; `published_rate` is how many a second
    the published service answers. With `all_sizes` the row is taken on every store, else on the first alone.
    `quick` rows are those of a quick run.
    """

    title: str
    request: Callable[[Subject], Request]
    ratios: Mapping[Against, Budget | None] = field(default_factory=dict)
    published_rate: float | None = None
    all_sizes: bool = False
    quick: bool = False


def _category(title: str, path: str, *, all_sizes: bool = False) -> list[LoadRow]:
    """Plain, compressed, and not changed since."""
    return [
        LoadRow(
            f"{title}, plain",
            lambda _: Request(path),
            {Against.NGINX: at_least(0.5), Against.ALONE: None},
            all_sizes=all_sizes,
            quick=all_sizes,
        ),
        LoadRow(f"{title}, gzip", lambda _: Request(path, GZIP), {Against.NGINX: None}, all_sizes=all_sizes),
        LoadRow(
            f"{title}, 304",
            lambda subject: subject.unchanged(path),
            {Against.SMALLEST: AS_FAST},
            all_sizes=all_sizes,
            quick=all_sizes,
        ),
    ]


def _fixed(request: Request) -> Callable[[Subject], Request]:
    return lambda _: request


_STEADY = {Against.REAL: at_most(3)}
_GROWING = {Against.REAL: None}

LOAD_ROWS: Sequence[LoadRow] = (
    *_category("image category, v2", IMAGE, all_sizes=True),
    *_category("text category, v2", TEXT),
    *_category("text category, v1", LEGACY_TEXT),
    LoadRow(
        "single record",
        Subject.record,
        {Against.PUBLISHED: at_least(3)} | _STEADY,
        published_rate=3300,
        all_sizes=True,
        quick=True,
    ),
    LoadRow(
        "search, text models",
        _fixed(search(TEXT, limit=PAGE)),
        {Against.PUBLISHED: at_least(5)},
        published_rate=590,
        quick=True,
    ),
    LoadRow("search, first page", _fixed(search(limit=PAGE)), _STEADY, all_sizes=True, quick=True),
    LoadRow(
        "search, filtered",
        _fixed(search(limit=PAGE, nsfw="true", baseline="stable_diffusion_1")),
        _STEADY,
        all_sizes=True,
    ),
    LoadRow(
        "search, sorted",
        _fixed(search(limit=PAGE, sort_by="size_on_disk_bytes", sort_desc="true")),
        _STEADY,
        all_sizes=True,
    ),
    LoadRow("search, last page", Subject.last_page, _STEADY, all_sizes=True),
    LoadRow(
        "search, all categories",
        _fixed(search(f"{API}/v2", limit=PAGE, sort_by="name")),
        _STEADY,
        all_sizes=True,
    ),
    LoadRow("popular", _fixed(Request(f"{IMAGE}/popular")), _GROWING, all_sizes=True),
    LoadRow(
        "statistics",
        _fixed(Request(f"{STATISTICS}/image_generation")),
        {Against.PUBLISHED: at_least(20), Against.ALONE: None} | _GROWING,
        published_rate=2000,
        all_sizes=True,
        quick=True,
    ),
    LoadRow(
        "deletion risk",
        _fixed(Request(f"{STATISTICS}/image_generation/deletion-risk?limit={PAGE}")),
        _GROWING,
        all_sizes=True,
        quick=True,
    ),
    LoadRow(
        "groups/summary",
        _fixed(Request(f"{TEXT}/groups/summary")),
        {Against.PUBLISHED: at_least(20)},
        published_rate=70,
        quick=True,
    ),
    LoadRow("families/detect", _fixed(Request(f"{TEXT}/families/detect"))),
)
