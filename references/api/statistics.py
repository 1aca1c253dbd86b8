"""Figures about a category: its records counted, the risk of each to be deleted, its use on the AI-Horde."""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse
from rest_framework.exceptions import NotFound

from references.analytics import (
    CategoryRisk,
    CategoryStats,
    category_stats,
    deletion_risk,
    risk_holds,
    statistics,
    statistics_hold,
    statistics_stand,
)
from references.api.documentation import JSON, READ_ERRORS, by_name, operation
from references.api.known import Holds, known_response, while_kept
from references.api.reading import ReadViewSet, category_or_422
from references.api.responses import document_response, json_response
from references.api.risk_csv import CSV, risk_csv
from references.api.schemas_statistics import (
    CategoryDeletionRiskResponse,
    CategoryStatistics,
    ModelStats,
    UsageHistoryResponse,
)
from references.categories import CATEGORIES
from references.documents import Document, Snapshot, snapshot
from references.horde import HordeError
from references.popularity import METRICS
from references.problems import BadRequest, HordeSilent
from references.risk_report import PRESETS
from references.serializers.base import QuerySerializer
from references.serializers.fields import BooleanField, IntegerField, LiteralField, StringField
from references.usage_history import KEPT_DAYS, usage_history

USAGE_ERRORS = (400, *READ_ERRORS)
FORMATS = {"json": JSON, "csv": CSV}
SORTS = {
    "worker_count": METRICS["worker_count"],
    "usage_total": METRICS["usage_total"],
    "usage_month": METRICS["usage_month"],
}
SORT_BY_NAME = "name"


class PageQuery(QuerySerializer):
    group_text_models = BooleanField(default=False, help_text="Text models only: one entry per group.")
    limit = IntegerField(required=False, min_value=1, help_text="Size of a page; everything without it.")
    offset = IntegerField(default=0, min_value=0, help_text="Entries to pass over.")


class DeletionRiskQuery(PageQuery):
    include_backend_variations = BooleanField(
        default=False,
        help_text="Text models only, and not grouped: count each model's own usage, and split it by backend.",
    )
    preset = StringField(required=False, help_text=f"Only some of the models: {', '.join(PRESETS)}.")
    format = LiteralField(FORMATS, required=False, help_text="Goes before what the `Accept` header asks for.")


class ModelStatsQuery(QuerySerializer):
    include_workers = BooleanField(default=False, help_text="List the workers of each model, and count them.")
    include_backend_variations = BooleanField(
        default=False, help_text="Text models only: count each model's own usage, and split it by backend."
    )
    min_worker_count = IntegerField(required=False, min_value=0, help_text="Only models of so many workers.")
    sort_by = LiteralField((*SORTS, SORT_BY_NAME), required=False, help_text="Stored order without it.")
    sort_desc = BooleanField(default=True, help_text="From the greatest to the least.")


class UsageHistoryQuery(QuerySerializer):
    model_name = StringField(help_text="The model; one that was deleted is still remembered.")
    days = IntegerField(default=30, min_value=1, max_value=KEPT_DAYS, help_text="How far to look back.")


class CategoryAnalytics(ReadViewSet):
    """What can be counted about a category."""

    @operation(
        "read_v2_category_statistics",
        answers=CategoryStatistics,
        errors=READ_ERRORS,
        tags=("statistics",),
        query=PageQuery,
        words="A category in figures",
    )
    def read_statistics(self, request: HttpRequest, model_category_name: str) -> HttpResponse:
        category = category_or_422(model_category_name)
        query = PageQuery.parse(request.GET)
        held = _snapshot_or_404(category)
        figures = statistics(held, is_grouped=query["group_text_models"])
        document = figures.paged(limit=query.get("limit"), offset=query["offset"])
        holds, stands = (while_kept(each, figures, category) for each in (statistics_hold, statistics_stand))
        return known_response(request, document, holds=holds, stands=stands)

    @operation(
        "read_v2_category_deletion_risk",
        answers=CategoryDeletionRiskResponse,
        also={(HTTPStatus.OK.value, CSV): str},
        errors=USAGE_ERRORS,
        tags=("deletion-risk",),
        query=DeletionRiskQuery,
        words="What speaks for and against keeping each model; as JSON, or as CSV for spreadsheets",
    )
    def read_deletion_risk(self, request: HttpRequest, model_category_name: str) -> HttpResponse:
        category = category_or_422(model_category_name)
        query = DeletionRiskQuery.parse(request.GET)
        _check_has_usage(category, "Deletion risk analysis")
        _check_preset(query.get("preset"))
        held = _snapshot_or_404(category)
        kind = {
            "is_grouped": query["group_text_models"],
            "with_variations": query["include_backend_variations"],
        }
        with usage_or_503():
            risk = deletion_risk(held, **kind)
        return _risk_response(request, risk, query, holds=while_kept(risk_holds, risk, category, **kind))

    @operation(
        "read_models_with_stats",
        answers=by_name(ModelStats),
        errors=USAGE_ERRORS,
        tags=("statistics",),
        query=ModelStatsQuery,
        words="What the AI-Horde says of each model of a category, by name",
    )
    def read_with_stats(self, request: HttpRequest, model_category_name: str) -> HttpResponse:
        category = category_or_422(model_category_name)
        query = ModelStatsQuery.parse(request.GET)
        _check_has_usage(category, "Usage data")
        held = _snapshot_or_404(category)
        with usage_or_503():
            stats = category_stats(
                held,
                with_workers=query["include_workers"],
                with_variations=query["include_backend_variations"],
            )
        return json_response(request, _selected_stats(held, stats, query))

    @operation(
        "read_model_usage_history",
        answers=UsageHistoryResponse,
        errors=USAGE_ERRORS,
        tags=("statistics",),
        query=UsageHistoryQuery,
        words="The usage of one model, day by day",
    )
    def read_usage_history(self, request: HttpRequest, model_category_name: str) -> HttpResponse:
        category = category_or_422(model_category_name)
        query = UsageHistoryQuery.parse(request.GET)
        _check_has_usage(category, "Usage data")
        name = query["model_name"]
        days = usage_history(category, name, days=query["days"])
        if not days and name not in snapshot(category).by_name:
            raise NotFound(f"Model '{name}' not found in category '{category}'")
        return json_response(request, {"category": category, "model_name": name, "days": days})


@contextmanager
def usage_or_503() -> Iterator[None]:
    try:
        yield
    except HordeError as error:
        raise HordeSilent(
            "The AI-Horde does not answer, and there is no earlier answer of it to go by."
        ) from error


def _snapshot_or_404(category: str) -> Snapshot:
    held = snapshot(category)
    if not held.rows:
        raise NotFound(f"Category '{category}' not found or has no models")
    return held


def _check_has_usage(category: str, what: str) -> None:
    if CATEGORIES[category].usage is None:
        supported = " and ".join(spec.name for spec in CATEGORIES.values() if spec.usage)
        raise BadRequest(f"{what} is only supported for {supported} categories")


def _check_preset(name: str | None) -> None:
    if name and name not in PRESETS:
        raise BadRequest(f"Invalid preset: Unknown preset: '{name}'. Valid presets: {', '.join(PRESETS)}")


def _risk_response(
    request: HttpRequest, risk: CategoryRisk, query: dict[str, Any], *, holds: Holds
) -> HttpResponse:
    """The page asked for, as JSON unless the client prefers CSV or can take nothing else."""
    page = {
        "preset": query.get("preset") or None,
        "limit": query.get("limit"),
        "offset": query["offset"],
    }
    wanted = query.get("format")
    media_type = FORMATS[wanted] if wanted else request.get_preferred_type(list(FORMATS.values()))
    if media_type == CSV:
        return _csv_response(request, risk, risk_csv(risk.report.page(**page).entries))
    return known_response(request, risk.paged(**page), holds=holds)


def _csv_response(request: HttpRequest, risk: CategoryRisk, table: str) -> HttpResponse:
    response = document_response(
        request, Document(table.encode(), revision=risk.revision, is_negotiated=True)
    )
    if response.status_code == HTTPStatus.OK:
        file_name = f"{risk.report.category}-deletion-risk.csv"
        response.headers["Content-Type"] = f"{CSV}; charset=utf-8"
        response.headers["Content-Disposition"] = f'attachment; filename="{file_name}"'
    return response


def _selected_stats(held: Snapshot, stats: CategoryStats, query: dict[str, Any]) -> dict[str, dict]:
    selected = [
        (row.name, figures)
        for row, figures in zip(held.rows, stats.models, strict=True)
        if figures.worker_count >= query.get("min_worker_count", 0)
    ]
    sort_by = query.get("sort_by")
    if sort_by == SORT_BY_NAME:
        selected.sort(key=lambda model: model[0], reverse=query["sort_desc"])
    elif sort_by:
        selected.sort(key=lambda model: SORTS[sort_by](model[1]), reverse=query["sort_desc"])
    return {name: figures.as_dict() for name, figures in selected}
