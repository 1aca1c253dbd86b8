"""Batches: the open one in front, older ones behind it, and each with its changes and what they came to."""

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from operator import attrgetter, itemgetter
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe
from rest_framework.exceptions import APIException

from moderation import audit
from moderation.actors import Actor
from moderation.desk.access import for_approvers
from moderation.desk.audit_events import event_id_parse
from moderation.desk.batch_views import BatchLine, NetView, batch_lines, members
from moderation.desk.exports import csv_download, json_download, time_text
from moderation.models import PendingChange
from moderation.pages.meanwhile import refusal_words
from moderation.presenting import audited_change_as_dict, batch_summary_as_dict
from moderation.querysets import PendingChangeQuerySet
from moderation.reverts import open_reverts
from moderation.services import batch_revert, change_reopen, open_batch_id
from moderation.services.remarks import LONGEST_REASON
from references.pages.choices import Option
from references.pages.links import PageLinks, Pager
from references.pages.list_query import page_number
from references.pages.theme import SeeOther

SECTION = "batches"
CURSOR, VIEW, NET = "cursor", "view", "net"
BATCH_PAGE_SIZE = 20
OPEN_SHOWN = 50
MEMBER_PAGE_SIZE = 30
NET_PAGE_SIZE = 25
EXPORT_PAGE = 200
CSV_COLUMNS = (
    "change_id",
    "status",
    "operation",
    "category",
    "model_name",
    "requested_by",
    "requested_username",
    "requested_at",
    "approved_username",
    "approved_at",
    "rejected_username",
    "rejected_at",
    "reject_reason",
    "applied_username",
    "applied_at",
    "applied_job_id",
)


@require_safe
@for_approvers
def batch_list(request: HttpRequest, actor: Actor) -> HttpResponse:
    cursor = event_id_parse(request.GET.get(CURSOR, ""))
    found = audit.batches_page(None, cursor=cursor, limit=BATCH_PAGE_SIZE)
    open_id = open_batch_id() if cursor is None else None
    links = PageLinks(request.path, {})
    lines = batch_lines(found.summaries)
    context = {
        "desk_section": SECTION,
        "section": "desk",
        "open": _open_batch(open_id, lines) if open_id else None,
        "is_first": cursor is None,
        "batches": [line for line in lines if line.batch.number != open_id],
        "older_url": links.replaced(**{CURSOR: str(found.next_cursor)}) if found.next_cursor else "",
    }
    return render(request, "desk/batches.html", context)


def _open_batch(number: int, lines: Iterable[BatchLine]) -> dict[str, Any]:
    waiting = PendingChange.objects.approved().in_batch(number)
    shown = members(audit.AuditedChange(change, ()) for change in waiting.oldest_first()[:OPEN_SHOWN])
    line = next((line for line in lines if line.batch.number == number), None) or _line_or_404(number)
    return {"line": line, "members": shown, "left_out": line.waiting_count - len(shown)}


@require_safe
@for_approvers
def batch_page(request: HttpRequest, actor: Actor, batch_id: int) -> HttpResponse:
    line = _line_or_404(batch_id)
    is_net = request.GET.get(VIEW) == NET
    context = {
        "desk_section": SECTION,
        "section": "desk",
        "line": line,
        "batch": line.batch,
        "reverts": waiting_reverts(batch_id),
        "is_net": is_net,
        "tabs": [
            Option("Changes", request.path, not is_net, line.summary.total_count),
            Option("Net effect", f"{request.path}?{VIEW}={NET}", is_net),
        ],
        **(_net_effect(request, batch_id) if is_net else _changes(request, line)),
    }
    return render(request, "desk/batch.html", context)


def _changes(request: HttpRequest, line: BatchLine) -> dict[str, Any]:
    pager = Pager.at(
        PageLinks(request.path, {}),
        page_number(request.GET),
        page_size=MEMBER_PAGE_SIZE,
        total=line.summary.total_count,
    )
    found = PendingChange.recorded.in_batch(line.batch.number).oldest_first()
    return {"pager": pager, "members": members(audit.changes_audited(found[pager.offset : pager.last]))}


def _net_effect(request: HttpRequest, batch_id: int) -> dict[str, Any]:
    pager = Pager.at(
        PageLinks(request.path, {VIEW: (NET,)}),
        page_number(request.GET),
        page_size=NET_PAGE_SIZE,
        total=audit.batch_net_count(batch_id),
    )
    shown = audit.batch_net_page(batch_id, offset=pager.offset, limit=NET_PAGE_SIZE)
    return {"pager": pager, "models": [NetView(net) for net in shown]}


@require_POST
@for_approvers
def revert(request: HttpRequest, actor: Actor, batch_id: int) -> HttpResponse:
    if found := waiting_reverts(batch_id):
        numbers = ", ".join(str(change.change_id) for change in found)
        messages.warning(
            request, f"Nothing was proposed: {numbers} of the open changes undo batch {batch_id} already."
        )
        return _to_batch(batch_id)
    try:
        changes = batch_revert(actor=actor, batch_id=batch_id)
    except APIException as error:
        messages.error(request, f"Nothing was proposed. {error.detail}")
    else:
        ids = ", ".join(str(change.change_id) for change in changes[:OPEN_SHOWN])
        messages.success(
            request,
            f"{len(changes)} proposal{'' if len(changes) == 1 else 's'} to undo batch {batch_id} now "
            f"wait{'s' if len(changes) == 1 else ''} in the queue: {ids}. Nothing live has changed.",
        )
    return _to_batch(batch_id)


@require_POST
@for_approvers
def reopen(request: HttpRequest, actor: Actor, batch_id: int, change_id: int) -> HttpResponse:
    reason = request.POST.get("reason", "").strip()[:LONGEST_REASON]
    try:
        change_reopen(actor=actor, change_id=change_id, reason=reason)
    except APIException as error:
        words = refusal_words(error, [change_id])
        messages.error(request, f"Not reopened. {words}")
    else:
        messages.success(request, f"Change {change_id} is pending again.")
    # A batch that was reopened to the last has no members, and so no page.
    return (
        _to_batch(batch_id)
        if audit.batch_summary(None, batch_id)
        else SeeOther(reverse("admin:desk_batches"))
    )


@require_safe
@for_approvers
def batch_export(request: HttpRequest, actor: Actor, batch_id: str, kind: str) -> HttpResponseBase:
    number = int(batch_id)
    line = _line_or_404(number)
    name = f"batch-{number}"
    if kind == "csv":
        return csv_download(name, CSV_COLUMNS, _csv_rows(number))
    changes = (audited_change_as_dict(audited) for audited in _audited_members(number))
    return json_download(name, batch_summary_as_dict(line.summary), "changes", changes)


def waiting_reverts(batch_id: int) -> list[PendingChange]:
    """The open changes that undo changes of this batch."""
    members = PendingChange.recorded.in_batch(batch_id).applied().values_list("change_id", flat=True)
    found = {revert.change_id: revert for some in open_reverts(members).values() for revert in some}
    return [found[number] for number in sorted(found)]


def _audited_members(batch_id: int) -> Iterator[audit.AuditedChange]:
    """The members with their events."""
    found = PendingChange.recorded.in_batch(batch_id).without_states().defer("payload")
    for some in _some_at_a_time(found, attrgetter("change_id")):
        yield from audit.changes_audited(some)


def _csv_rows(batch_id: int) -> Iterator[tuple[object, ...]]:
    """The members as rows."""
    found = PendingChange.recorded.in_batch(batch_id).values_list(*CSV_COLUMNS)
    for row in chain.from_iterable(_some_at_a_time(found, itemgetter(CSV_COLUMNS.index("change_id")))):
        yield tuple(
            time_text(value) if column.endswith("_at") else value
            for column, value in zip(CSV_COLUMNS, row, strict=True)
        )


def _some_at_a_time(found: PendingChangeQuerySet, change_id: Callable[[Any], int]) -> Iterator[list[Any]]:
    """What was found, the oldest first: no cursor stays open while the rest of the answer is sent."""
    last = 0
    while some := list(found.oldest_first().filter(change_id__gt=last)[:EXPORT_PAGE]):
        yield some
        last = change_id(some[-1])


def _line_or_404(number: int) -> BatchLine:
    summary = audit.batch_summary(None, number)
    if summary is None:
        raise Http404(f"no batch {number}")
    return batch_lines([summary])[0]


def _to_batch(number: int) -> HttpResponse:
    return SeeOther(reverse("admin:desk_batch", args=[number]))
