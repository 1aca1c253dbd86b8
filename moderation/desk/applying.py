"""Applying approved changes: first a dry run to look at, then what was chosen of it."""

from collections.abc import Collection, Mapping, Sequence
from http import HTTPStatus
from typing import Any
from uuid import uuid4

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.http import require_http_methods
from rest_framework.exceptions import APIException

from moderation.actors import Actor
from moderation.desk.access import for_approvers
from moderation.desk.applying_preview import MOST_AT_ONCE, Preview, preview, selection_apply
from moderation.desk.overwriting import applied_losses
from moderation.models import PendingChange
from moderation.pages.change_view import ChangeView
from moderation.pages.meanwhile import moved_words, refusal_words
from moderation.querysets import MAX_ID
from moderation.services import ApplyResult, open_batch_id
from moderation.states import Operation, Status

SECTION = "batches"
CHANGE_IDS, SHOWN, OVERWRITE, CONFIRM, JOB = "change_ids", "shown", "overwrite", "confirm", "job_id"
CONFIRMATION = "overwrite"
LONGEST_JOB = 120


@require_http_methods(["GET", "HEAD", "POST"])
@for_approvers
def apply_page(request: HttpRequest, actor: Actor, batch_id: int | None = None) -> HttpResponse:
    """The dry run of the changes in `change_ids`, of a batch, or of all that wait; applies what its form sends."""
    if request.method == "POST":
        return _apply(request, actor)
    return _shown(request, preview(ids_parse(request.GET, CHANGE_IDS) or None, batch_id=batch_id))


def ids_parse(sent: QueryDict, name: str) -> list[int]:
    """Whole numbers of a parameter, given several times or with commas between them; what is none counts as
    not sent.
    """
    words = " ".join(sent.getlist(name)).replace(",", " ").split()
    numbers = (int(word) for word in words if word.isascii() and word.isdigit() and len(word) < 20)
    return list(dict.fromkeys(number for number in numbers if 0 < number <= MAX_ID))


def _apply(request: HttpRequest, actor: Actor) -> HttpResponse:
    sent = request.POST
    ids, overwrites = ids_parse(sent, CHANGE_IDS), _overwrites(sent)
    job_id = sent.get(JOB, "").strip()[:LONGEST_JOB]
    if not ids and not overwrites:
        return _refused(request, "Choose at least one change.", HTTPStatus.BAD_REQUEST)
    if overwrites and sent.get(CONFIRM, "").strip().lower() != CONFIRMATION:
        return _refused(
            request,
            f"Nothing was applied. To overwrite what others changed, type {CONFIRMATION} below.",
            HTTPStatus.BAD_REQUEST,
        )
    asked = sorted({*ids, *overwrites})
    try:
        result = selection_apply(actor=actor, change_ids=ids, overwrites=overwrites, job_id=job_id)
    except APIException as error:
        words = refusal_words(error, asked, needed=Status.APPROVED)
        return _refused(request, f"Nothing was applied. {words}", error.status_code)
    if not result.applied:
        words = moved_words(asked, needed=Status.APPROVED) or result.failed_error
        return _refused(request, f"Nothing was applied. {words}", result.status)
    return _applied(request, result, asked, overwrites)


def _overwrites(sent: QueryDict) -> dict[int, str]:
    """The fingerprints of the live records to overwrite, by change."""
    pairs = (text.partition(":") for text in sent.getlist(OVERWRITE))
    return {int(number): seen for number, _, seen in pairs if number.isascii() and number.isdigit()}


def _refused(request: HttpRequest, problem: str, status: int) -> HttpResponse:
    """The dry run once more, as things are now, with what was ticked."""
    found = preview(ids_parse(request.POST, SHOWN) or None)
    return _shown(request, found, problem=problem, status=status)


def _shown(
    request: HttpRequest, found: Preview, *, problem: str = "", status: int = HTTPStatus.OK
) -> HttpResponse:
    context = {
        "desk_section": SECTION,
        "section": "desk",
        "found": found,
        "most_at_once": MOST_AT_ONCE,
        "problem": problem,
        "confirmation": CONFIRMATION,
        "can_overwrite": any(planned.can_overwrite for planned in found.conflicts),
        "job_id": request.POST.get(JOB, "")[:LONGEST_JOB] or f"desk-{uuid4().hex}",
        **_ticks(request.POST, found),
    }
    return render(request, "desk/apply_preview.html", context, status=status)


def _ticks(sent: QueryDict, found: Preview) -> Mapping[str, Any]:
    """What is ticked: at first all that can be applied as it is."""
    if not sent:
        return {"ticked": [planned.change_id for planned in found.ready], "overwritten": []}
    return {"ticked": ids_parse(sent, CHANGE_IDS), "overwritten": list(_overwrites(sent))}


def _applied(
    request: HttpRequest, result: ApplyResult, asked: Sequence[int], overwrites: Collection[int]
) -> HttpResponse:
    done = {change.change_id for change in result.applied}
    rest = [number for number in asked if number not in done and number != result.failed_change_id]
    failed = PendingChange.objects.with_id(result.failed_change_id or 0).first()
    context = {
        "desk_section": SECTION,
        "section": "desk",
        "result": result,
        "applied": len(result.applied),
        "written": [ChangeView(each) for each in result.applied if each.operation != Operation.DELETE],
        "removed": [ChangeView(each) for each in result.applied if each.operation == Operation.DELETE],
        "overwritten": [
            (ChangeView(change), applied_losses(change))
            for change in result.applied
            if change.change_id in overwrites
        ],
        "failed": ChangeView(failed) if failed else None,
        "not_tried": rest,
        "open_batch": open_batch_id(),
        "waiting": PendingChange.objects.approved().count(),
    }
    return render(request, "desk/apply_result.html", context, status=result.status)
