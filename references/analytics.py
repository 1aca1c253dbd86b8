"""Figures of a category as it is now: its records, joined with what the AI-Horde last said of them.

What was computed is kept while what it was computed from stands: the revisions of the records and of the text
structure, the copies of the AI-Horde's answers, the settings. There is one value a view, so little memory. A
transaction keeps what it computed to itself until it commits: after a rollback its revisions come again, for others.
"""

import math
import threading
import time
from collections.abc import Callable, Hashable, Iterable, Mapping
from functools import cache, cached_property, lru_cache, partial
from typing import Any, NamedTuple, TypeGuard, TypeVar

from django.conf import settings

from references.categories import CATEGORIES, TEXT_CATEGORY
from references.deletion_risk import RiskRules
from references.documents import Document, Snapshot, category_revision
from references.horde import UsageData, usage_data, usage_stands
from references.popularity import ModelStats, models_stats, ranked
from references.remembered import remember, remembered_in_transaction
from references.risk_report import RiskPage, RiskReport, report_grouped, risk_report
from references.rows import StoredRecords
from references.services import json_text
from references.statistics import category_statistics, grouped_records
from references.text_structure import structure_revision, text_structure
from references.usage_matching import HordeFigures

Value = TypeVar("Value")

# Of each report: the whole, its presets, and what somebody pages through.
PAGES_KEPT = 16


class _Kept(NamedTuple):
    version: Hashable
    expires: float
    value: Any


_kept: dict[tuple[Hashable, ...], _Kept] = {}
# One view is computed from another, so a thread that holds the lock may ask again.
_lock = threading.RLock()


def _key(view: tuple[Hashable, ...]) -> tuple[Hashable, ...]:
    """What a transaction remembers the view by, apart from what other modules do."""
    return "figures", view


def _last(view: tuple[Hashable, ...]) -> _Kept | None:
    return remembered_in_transaction(_key(view)) or _kept.get(view)


def _latest(
    view: tuple[Hashable, ...],
    version: Hashable,
    compute: Callable[[], Value],
    *,
    seconds: float = math.inf,
) -> Value:
    """The value of a view; computed anew after its version changed or it grew older than `seconds`."""
    with _lock:
        kept = _last(view)
        if kept is None or kept.version != version or time.monotonic() >= kept.expires:
            kept = _Kept(version, time.monotonic() + seconds, compute())
            remember(_key(view), kept, partial(_kept.__setitem__, view))
        return kept.value


class CategoryFigures:
    """The statistics of a category, with their bytes."""

    def __init__(self, figures: dict[str, Any], revision: int) -> None:
        self.figures = figures
        self.revision = revision

    @cached_property
    def document(self) -> Document:
        return _document(self.figures, self.revision)

    def paged(self, *, limit: int | None, offset: int) -> Document:
        """The same figures: there is no list to page through, so the page asked for is only echoed."""
        if limit is None and offset == 0:
            return self.document
        return _document({**self.figures, "offset": offset, "limit": limit}, self.revision)


def statistics(held: Snapshot, *, is_grouped: bool = False) -> CategoryFigures:
    """The statistics of the category; with `is_grouped`, those of the groups of text models."""
    if is_grouped and held.category == TEXT_CATEGORY:
        # The public documentation promises that grouping goes past the cache.
        aliases = text_structure().canonical_names
        return _statistics(held, grouped_records(StoredRecords(held.rows), aliases=aliases))
    return _latest(
        ("statistics", held.category),
        held.revision,
        lambda: _statistics(held, StoredRecords(held.rows)),
        seconds=settings.STATISTICS_CACHE_TTL,
    )


def statistics_hold(figures: CategoryFigures, category: str) -> bool:
    """Whether these are the statistics that the category would be given now."""
    kept = _last(("statistics", category))
    return _is_kept(kept, figures) and kept.version == category_revision(category)


def statistics_stand(figures: CategoryFigures, category: str) -> bool:
    """The same, where nothing was committed since they were found to hold."""
    return _is_kept(_last(("statistics", category)), figures)


def _is_kept(kept: _Kept | None, value: Any) -> TypeGuard[_Kept]:
    return kept is not None and kept.value is value and time.monotonic() < kept.expires


def _statistics(held: Snapshot, records: Iterable[Mapping[str, Any]]) -> CategoryFigures:
    figures = category_statistics(held.category, records, computed_at=int(time.time()))
    return CategoryFigures(figures, held.revision)


class CategoryRisk:
    """The deletion risk of a category's models, with the bytes of the whole and of each entry."""

    def __init__(self, report: RiskReport, revision: int) -> None:
        self.report = report
        self.revision = revision
        self.paged = lru_cache(PAGES_KEPT)(self._paged)

    def _paged(self, *, preset: str | None = None, limit: int | None = None, offset: int = 0) -> Document:
        return self._page(self.report.page(preset=preset, limit=limit, offset=offset))

    @cached_property
    def _slices(self) -> dict[str, str]:
        return {entry.name: json_text(entry.as_dict()) for entry in self.report.entries}

    def _page(self, page: RiskPage) -> Document:
        envelope = json_text(page.envelope())[:-1]
        models = ",".join(self._slices[entry.name] for entry in page.entries)
        body = f'{envelope},"models":[{models}],"summary":{json_text(page.summary)}}}'
        return Document(body.encode(), revision=self.revision, is_negotiated=True)


def deletion_risk(held: Snapshot, *, is_grouped: bool = False, with_variations: bool = False) -> CategoryRisk:
    """The risk of each model of an image or text category; raises HordeError without usage data.

    Only text models form groups and run on several backends, and groups have no backends.
    """
    is_grouped, with_variations = _risk_kind(held.category, is_grouped, with_variations)
    data = usage_data(CATEGORIES[held.category].usage)
    rules = risk_rules(held.category)
    if not is_grouped:
        return _risk(held, data, rules, with_variations=with_variations)
    structure = text_structure()

    def compute() -> CategoryRisk:
        whole = _risk(held, data, rules, with_variations=False)
        grouped = report_grouped(whole.report, rules, aliases=structure.canonical_names)
        return CategoryRisk(grouped, held.revision)

    return _latest(
        _risk_view(held.category, is_grouped=True),
        (held.revision, data.fetched_at, rules, structure.revision),
        compute,
        seconds=settings.DELETION_RISK_CACHE_TTL,
    )


def risk_holds(risk: CategoryRisk, category: str, *, is_grouped: bool, with_variations: bool) -> bool:
    """Whether this is the deletion risk that would be told now to who asks the same."""
    is_grouped, with_variations = _risk_kind(category, is_grouped, with_variations)
    kept = _last(_risk_view(category, is_grouped=is_grouped, with_variations=with_variations))
    if not _is_kept(kept, risk):
        return False
    revision, fetched_at, rules, *structure = kept.version
    return (
        revision == category_revision(category)
        and rules == risk_rules(category)
        and structure == ([structure_revision()] if is_grouped else [])
        and usage_stands(CATEGORIES[category].usage, fetched_at)
    )


def _risk_kind(category: str, is_grouped: bool, with_variations: bool) -> tuple[bool, bool]:
    is_grouped = is_grouped and category == TEXT_CATEGORY
    return is_grouped, with_variations and category == TEXT_CATEGORY and not is_grouped


def _risk_view(
    category: str, *, is_grouped: bool = False, with_variations: bool = False
) -> tuple[Hashable, ...]:
    return "deletion risk", category, is_grouped, with_variations


def risk_rules(category: str) -> RiskRules:
    preferred_hosts = tuple(settings.PREFERRED_FILE_HOSTS)
    if category != TEXT_CATEGORY:
        return RiskRules(category, settings.LOW_USAGE_THRESHOLD_PERCENTAGE, preferred_hosts)
    return RiskRules(
        category,
        settings.TEXT_GEN_LOW_USAGE_THRESHOLD_PERCENTAGE,
        preferred_hosts,
        ignores_downloads=settings.TEXT_GEN_IGNORE_DOWNLOAD_HOSTS,
        critical_usage=settings.TEXT_GEN_CRITICAL_USAGE_THRESHOLD,
        critical_workers=settings.TEXT_GEN_CRITICAL_WORKER_THRESHOLD,
    )


def _risk(held: Snapshot, data: UsageData, rules: RiskRules, *, with_variations: bool) -> CategoryRisk:
    def compute() -> CategoryRisk:
        names = [row.name for row in held.rows]
        figures = _figures(held.category, data)
        report = risk_report(names, StoredRecords(held.rows), figures, rules, with_variations=with_variations)
        return CategoryRisk(report, held.revision)

    return _latest(
        _risk_view(held.category, with_variations=with_variations),
        (held.revision, data.fetched_at, rules),
        compute,
        seconds=settings.DELETION_RISK_CACHE_TTL,
    )


class CategoryStats:
    """What the AI-Horde says of each record, in stored order, and since when.

    `fetched_at`, in UNIX seconds, is that of the oldest part.
    """

    def __init__(self, models: list[ModelStats], fetched_at: float) -> None:
        self.models = models
        self.fetched_at = fetched_at
        self.ranked = cache(partial(ranked, models))


def category_stats(
    held: Snapshot, *, with_workers: bool = False, with_variations: bool = False
) -> CategoryStats:
    """The figures of each model of an image or text category; raises HordeError without usage data."""
    data = usage_data(CATEGORIES[held.category].usage, include_workers=with_workers)
    with_variations = with_variations and held.category == TEXT_CATEGORY

    def compute() -> CategoryStats:
        models = models_stats(
            (row.name for row in held.rows),
            _figures(held.category, data),
            with_workers=with_workers,
            with_variations=with_variations,
        )
        return CategoryStats(models, min(data.fetched_at))

    return _latest(
        ("stats", held.category, with_workers, with_variations), (held.revision, data.fetched_at), compute
    )


def stats_hold(stats: CategoryStats, category: str, *, with_workers: bool) -> bool:
    """Whether these are the figures that the category would be given now, without variations."""
    kept = _last(("stats", category, with_workers, False))
    if not _is_kept(kept, stats):
        return False
    revision, fetched_at = kept.version
    return revision == category_revision(category) and usage_stands(CATEGORIES[category].usage, fetched_at)


def _figures(category: str, data: UsageData) -> HordeFigures:
    return _latest(
        ("figures", category, data.workers is not None),
        data.fetched_at,
        lambda: HordeFigures(data.status, data.usage, data.workers),
    )


def _document(value: Any, revision: int) -> Document:
    return Document(json_text(value).encode(), revision=revision)
