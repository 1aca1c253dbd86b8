"""The first page: what there is, how fresh it is, and how machines read it."""

import inspect
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from references.categories import CATEGORIES, CategorySpec
from references.models import Category
from references.pages.labels import sentence
from references.pages.plots import unit_chart
from references.pages.security import page
from references.serializers import record_type

UNIT_ROWS = 14


@dataclass(frozen=True, slots=True)
class CategoryLine:
    """A category in the list of all; times are UNIX seconds, 0 for one that was never filled."""

    spec: CategorySpec
    about: str
    purpose: str
    model_count: int
    last_updated: int
    last_operation: str
    last_model: str

    @classmethod
    def of(cls, spec: CategorySpec, row: Category | None) -> "CategoryLine":
        # The sentence that describes the record type in the API's documentation describes its models here.
        about = inspect.getdoc(record_type(spec.name)) or ""
        is_filled = row is not None and row.revision > 0
        return cls(
            spec=spec,
            about=about,
            purpose=sentence(spec.purpose),
            model_count=row.model_count if row else 0,
            last_updated=row.last_updated if is_filled else 0,
            last_operation=(row.last_operation_type or "") if is_filled else "",
            last_model=(row.last_operation_model or "") if is_filled else "",
        )


@require_safe
@page
def home(request: HttpRequest) -> HttpResponse:
    stored = {row.name: row for row in Category.objects.with_model_count()}
    lines = [CategoryLine.of(spec, stored.get(name)) for name, spec in CATEGORIES.items()]
    by_size = sorted(lines, key=lambda line: line.model_count, reverse=True)
    charted = [line for line in by_size if line.model_count]
    chart = unit_chart([line.model_count for line in charted], rows=UNIT_ROWS)
    return render(
        request,
        "catalogue/home.html",
        {
            "section": "catalogue",
            "lines": by_size,
            "charted": list(zip(charted, chart.blocks, strict=True)),
            "chart": chart,
            "model_count": sum(line.model_count for line in lines),
            "last_updated": max((line.last_updated for line in lines), default=0),
            "api_url": request.build_absolute_uri("/api/model_references"),
        },
    )
