"""What is asked of the servers, and what each answer's speed is held against."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
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

GZIP = {"Accept-Encoding": "gzip"}
PAGE = 50


@dataclass(frozen=True, slots=True)
class Subject:
    """A running server and what rows have to know of its store: `model` is the middle one of `models`."""

    site: Site
    models: int
    model: str

    @classmethod
    def of(cls, site: Site) -> "Subject":
        models = json.loads(site.fetch(search(limit=1)))["total"]
        middle = json.loads(site.fetch(search(limit=1, offset=models // 2)))
        return cls(site, models, middle["results"][0]["name"])

    def record(self) -> Request:
        return Request(f"{IMAGE}/model/{quote(self.model, safe='')}")

    def last_page(self) -> Request:
        return search(limit=PAGE, offset=self.models - PAGE)

    def unchanged(self, path: str) -> Request:
        """A request of someone who holds the answer already."""
        headers = fetch(self.site.port, Request(path)).headers
        return Request(path, {"If-None-Match": headers["etag"]}, expected=304)


def search(path: str = IMAGE, **query: object) -> Request:
    return Request(f"{path}/search?{urlencode(query)}")


@dataclass(frozen=True, slots=True)
class Published:
    """Answers a second of the service that this one replaces, and how many times as many are wanted."""

    rate: float
    budget: Budget


@dataclass(frozen=True, slots=True)
class LoadRow:
    """One request, repeated as fast as it is answered.

    The budgets are for ratios: to nginx with the same bytes, to a 304 of the smallest category, to the
    published service, and for how many times slower the request is on a larger store than on the real
    data. With `all_sizes` the row is taken on every store; `quick` rows are those of a quick run.
    """

    title: str
    request: Callable[[Subject], Request]
    nginx: Budget | None = None
    smallest: Budget | None = None
    published: Published | None = None
    growth: Budget | None = None
    all_sizes: bool = False
    quick: bool = False


def _category(title: str, path: str, *, all_sizes: bool = False) -> list[LoadRow]:
    """Plain, compressed, and not changed since."""
    return [
        LoadRow(
            f"{title}, plain", lambda _: Request(path), at_least(0.5), all_sizes=all_sizes, quick=all_sizes
        ),
        LoadRow(f"{title}, gzip", lambda _: Request(path, GZIP), at_least(0.5), all_sizes=all_sizes),
        LoadRow(
            f"{title}, 304",
            lambda subject: subject.unchanged(path),
            smallest=at_least(1),
            all_sizes=all_sizes,
            quick=all_sizes,
        ),
    ]


def _fixed(request: Request) -> Callable[[Subject], Request]:
    return lambda _: request


_STEADY = {"growth": at_most(3), "all_sizes": True}

LOAD_ROWS: Sequence[LoadRow] = (
    *_category("image category, v2", IMAGE, all_sizes=True),
    *_category("text category, v2", TEXT),
    *_category("text category, v1", LEGACY_TEXT),
    LoadRow("single record", Subject.record, published=Published(3300, at_least(3)), quick=True, **_STEADY),
    LoadRow(
        "search, text models",
        _fixed(search(TEXT, limit=PAGE)),
        published=Published(590, at_least(5)),
        quick=True,
    ),
    LoadRow("search, first page", _fixed(search(limit=PAGE)), quick=True, **_STEADY),
    LoadRow(
        "search, filtered", _fixed(search(limit=PAGE, nsfw="true", baseline="stable_diffusion_1")), **_STEADY
    ),
    LoadRow(
        "search, sorted",
        _fixed(search(limit=PAGE, sort_by="size_on_disk_bytes", sort_desc="true")),
        **_STEADY,
    ),
    LoadRow("search, last page", Subject.last_page, **_STEADY),
    LoadRow(
        "search, all categories", _fixed(Request(f"{API}/v2/search?limit={PAGE}&sort_by=name")), **_STEADY
    ),
    LoadRow("popular", _fixed(Request(f"{IMAGE}/popular")), all_sizes=True),
    LoadRow(
        "statistics",
        _fixed(Request(f"{STATISTICS}/image_generation")),
        published=Published(2000, at_least(20)),
        all_sizes=True,
        quick=True,
    ),
    LoadRow(
        "deletion risk",
        _fixed(Request(f"{STATISTICS}/image_generation/deletion-risk?limit={PAGE}")),
        all_sizes=True,
        quick=True,
    ),
    LoadRow(
        "groups/summary",
        _fixed(Request(f"{TEXT}/groups/summary")),
        published=Published(70, at_least(20)),
        quick=True,
    ),
    LoadRow("families/detect", _fixed(Request(f"{TEXT}/families/detect"))),
)
