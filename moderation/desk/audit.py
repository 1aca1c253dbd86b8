"""The log: what is pending, the batches, and every event."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from moderation import audit
from moderation.actors import Actor
from moderation.desk.access import for_approvers
from moderation.desk.audit_events import (
    ACT,
    BEFORE,
    CATEGORY,
    MODEL,
    USER,
    EventQuery,
    event_id_parse,
    event_query_parse,
    events_all,
    events_page,
)
from moderation.desk.audit_words import ACTS, STRUCTURE_LABEL, WRITES, EventView, event_views
from moderation.desk.batch_views import batch_lines
from moderation.desk.exports import csv_download, json_download, time_text
from moderation.models import AuditEvent, PendingChange
from moderation.pages.change_view import ChangeView
from references.categories import CATEGORIES
from references.pages.choices import Chip, Option
from references.pages.links import PageLinks, Pager
from references.pages.list_query import page_number

SECTION = "audit"
VIEW, EVENTS, PENDING, BATCHES = "view", "events", "pending", "batches"
VIEWS = {EVENTS: "All events", PENDING: "Pending now", BATCHES: "Batches"}
CURSOR = "cursor"
PENDING_PAGE_SIZE = 30
BATCH_PAGE_SIZE = 20
EXPORT_NAME = "audit-events"
CSV_COLUMNS = (
    "event_id",
    "time",
    "timestamp",
    "act",
    "category",
    "model_name",
    "change_id",
    "batch_id",
    "user_id",
    "username",
    "request_id",
    "detail",
)


@require_safe
@for_approvers
def audit_page(request: HttpRequest, actor: Actor) -> HttpResponse:
    asked = request.GET.get(VIEW, "")
    view = asked if asked in VIEWS else EVENTS
    fill = {EVENTS: _events, PENDING: _pending, BATCHES: _batches}[view]
    context = {
        "desk_section": SECTION,
        "section": "desk",
        "view": view,
        "tabs": [
            Option(label, request.path if name == EVENTS else f"{request.path}?{VIEW}={name}", name == view)
            for name, label in VIEWS.items()
        ],
        "has_log": settings.AUDIT_ENABLED,
        **fill(request),
    }
    return render(request, "desk/audit.html", context)


@require_safe
@for_approvers
def audit_export(request: HttpRequest, actor: Actor, kind: str) -> HttpResponseBase:
    """Every event that fits the conditions, the newest first."""
    query = event_query_parse(request.GET)
    if kind == "csv":
        return csv_download(EXPORT_NAME, CSV_COLUMNS, map(event_row, _event_views_all(query)))
    conditions = {name: values[0] for name, values in query.state.items()}
    return json_download(
        EXPORT_NAME, {"conditions": conditions}, "events", map(event_as_dict, _event_views_all(query))
    )


def event_as_dict(view: EventView) -> dict[str, Any]:
    event = view.event
    return {
        "event_id": event.event_id,
        "timestamp": event.timestamp,
        "domain": event.domain,
        "category": event.category,
        "model_name": event.model_name,
        "operation": event.operation,
        "logical_user_id": event.logical_user_id,
        "request_id": event.request_id,
        "payload": view.payload,
        "previous_hash": event.previous_hash,
        "hash": event.hash,
    }


def event_row(view: EventView) -> tuple[Any, ...]:
    event = view.event
    return (
        event.event_id,
        time_text(event.timestamp),
        event.timestamp,
        view.act,
        view.category,
        view.model_name,
        view.change_id,
        view.batch_id,
        view.user_id,
        view.username,
        event.request_id,
        view.detail,
    )


def _event_views_all(query: EventQuery) -> Iterator[EventView]:
    for events in events_all(query):
        yield from event_views(events)


def _events(request: HttpRequest) -> Mapping[str, Any]:
    query = event_query_parse(request.GET)
    found = events_page(query)
    links = PageLinks(request.path, query.state)
    exported = PageLinks(reverse("admin:desk_audit_export", args=["json"]), query.state)
    return {
        "query": query,
        "events": event_views(found.events),
        "found": found,
        "older_url": links.replaced(**{BEFORE: str(found.older)}) if found.older else "",
        "newest_url": links.replaced() if query.before is not None else "",
        "chips": _chips(query, links),
        "clear_url": request.path,
        "acts": {**{act.value: label for act, label in ACTS.items()}, **WRITES},
        "categories": {
            **{spec.name: spec.label for spec in CATEGORIES.values()},
            AuditEvent.STRUCTURE: STRUCTURE_LABEL,
        },
        "json_url": exported.replaced(),
        "csv_url": PageLinks(reverse("admin:desk_audit_export", args=["csv"]), query.state).replaced(),
    }


def _chips(query: EventQuery, links: PageLinks) -> list[Chip]:
    labels = {ACT: "Act", CATEGORY: "Category", MODEL: "Model", USER: "User"}
    words = {
        query.act: ACTS.get(query.act) or WRITES.get(query.act),
        query.category: CATEGORIES[query.category].label if query.category in CATEGORIES else STRUCTURE_LABEL,
    }
    return [
        Chip(
            labels[name],
            (words[value] if name in (ACT, CATEGORY) else value) or value,
            links.replaced(**{name: None}),
        )
        for name, (value,) in query.state.items()
    ]


def _pending(request: HttpRequest) -> Mapping[str, Any]:
    pending = PendingChange.objects.pending()
    links = PageLinks(request.path, {VIEW: (PENDING,)})
    pager = Pager.at(
        links, page_number(request.GET), page_size=PENDING_PAGE_SIZE, total=pending.order_by().count()
    )
    found = pending.without_states().defer("payload").newest_first()[pager.offset : pager.last]
    return {"pager": pager, "changes": [ChangeView(change) for change in found]}


def _batches(request: HttpRequest) -> Mapping[str, Any]:
    found = audit.batches_page(
        None, cursor=event_id_parse(request.GET.get(CURSOR, "")), limit=BATCH_PAGE_SIZE
    )
    links = PageLinks(request.path, {VIEW: (BATCHES,)})
    return {
        "batches": batch_lines(found.summaries),
        "older_url": links.replaced(**{CURSOR: str(found.next_cursor)}) if found.next_cursor else "",
    }
