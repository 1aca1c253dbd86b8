"""The page of one model: its files, pictures, use and risk, and its record as machines read it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import quote

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from references.categories import TEXT_CATEGORY
from references.documents import Snapshot, snapshot
from references.downloads import size_on_disk
from references.pages import values
from references.pages.choices import spec_or_404
from references.pages.columns import Columns, columns
from references.pages.json_markup import json_highlighted
from references.pages.list_rows import ModelRow, rows_of
from references.pages.panels import panels_of, record_links
from references.pages.pictures import pictures
from references.pages.plots import DaySeries, day_series
from references.pages.risk_words import flags_in_words
from references.pages.security import page
from references.pages.usage import model_usage_if_known
from references.rows import Row
from references.text import related_models
from references.usage_history import usage_history

HISTORY_DAYS = 90
MOST_SIBLINGS = 60


@dataclass(frozen=True, slots=True)
class Form:
    """The record in one version of the API: as markup, and where to fetch it."""

    label: str
    anchor: str
    markup: SafeString
    from_where: str
    url: str


@dataclass(frozen=True, slots=True)
class History:
    """Usage day by day; the series are missing where there is too little to draw."""

    days: Sequence[dict[str, Any]]
    requests: DaySeries | None
    workers: DaySeries | None


@require_safe
@page
def record_page(request: HttpRequest, category: str, name: str) -> HttpResponse:
    spec = spec_or_404(category)
    held = snapshot(category)
    row = held.by_name.get(name)
    if row is None:
        raise Http404(f"no model {name!r} in {category}")
    record = row.presented
    return render(
        request,
        "catalogue/record.html",
        {
            "spec": spec,
            "section": "catalogue",
            "row": row,
            "record": record,
            "facts": _facts(record),
            "files": values.model_files(record),
            "pictures": pictures(record),
            "trigger": values.texts(record, "trigger"),
            "tags": values.texts(record, "tags"),
            "requirements": values.pairs(record, "requirements"),
            "settings": values.pairs(record, "settings"),
            "siblings": _siblings(row, columns(category)) if category == TEXT_CATEGORY else [],
            "backend_names": related_models(name) if category == TEXT_CATEGORY else [],
            "forms": _forms(row),
            **_usage(held, row),
            "history": _history(category, name) if spec.usage else None,
            "panels": panels_of(request, row),
            "actions": record_links(request, row),
        },
    )


def _facts(record: dict) -> dict[str, Any]:
    return {
        "description": values.text(record, "description"),
        "baseline": values.text(record, "baseline"),
        "style": values.text(record, "style") or values.text(record, "controlnet_style"),
        "version": values.text(record, "version"),
        "is_nsfw": values.is_true(record, "nsfw"),
        "is_inpainting": values.is_true(record, "inpainting"),
        "parameters": values.parameters(record),
        "size": size_on_disk(record),
        "group": values.text(record, "text_model_group"),
        "instruct_format": values.text(record, "instruct_format"),
        "display_name": values.text(record, "display_name"),
        "optimization": values.text(record, "optimization"),
        "pretrained_name": values.text(record, "pretrained_name"),
        "min_bridge_version": record.get("min_bridge_version"),
        "series": values.member_text(record, "finetune_series", "name"),
        "series_author": values.member_text(record, "finetune_series", "author"),
        "homepage": values.text(record, "homepage") or values.text(record, "url"),
        "exception": values.text(record, "name_schema_exception"),
        "created_at": values.metadata_time(record, "created_at"),
        "updated_at": values.metadata_time(record, "updated_at"),
    }


def _siblings(row: Row, known: Columns) -> list[ModelRow]:
    """The other models of the group, the smallest first."""
    group = dict(zip(known.names, known.groups, strict=True))[row.name]
    positions = [
        position
        for position, (name, other) in enumerate(zip(known.names, known.groups, strict=True))
        if other == group and name != row.name
    ]
    return sorted(rows_of(known, positions, None), key=lambda model: (model.parameters or 0, model.name))[
        :MOST_SIBLINGS
    ]


def _forms(row: Row) -> list[Form]:
    path = f"/api/model_references/v2/{row.category}/model/{quote(row.name)}"
    forms = [Form("Version 2", "v2", json_highlighted(row.record), "At", path)]
    if row.legacy_entries:
        path = f"/api/model_references/v1/{row.category}"
        forms.append(Form("Version 1", "v1", json_highlighted(dict(row.legacy_entries)), "In", path))
    return forms


def _usage(held: Snapshot, row: Row) -> dict[str, Any]:
    """Use and risk; of the risk by its own requests there are words where they say something else."""
    usage = model_usage_if_known(held, row)
    if usage is None:
        return {}
    risk, own = usage.risk, usage.own
    is_other = (own.flags, own.is_critical) != (risk.flags, risk.is_critical)
    return {
        "usage": usage,
        "risk_flags": flags_in_words(risk.flags),
        "is_other_alone": is_other,
        "own_flags": flags_in_words(own.flags) if is_other else [],
    }


def _history(category: str, name: str) -> History:
    days = usage_history(category, name, days=HISTORY_DAYS)

    def series(figure: str) -> DaySeries | None:
        return day_series([(date.fromisoformat(day["day"]), day[figure]) for day in days])

    return History(days[::-1], series("usage_day"), series("workers"))
