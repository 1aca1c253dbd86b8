"""Proposing that models be removed: one, whose name has to be typed, or several that were ticked in a list."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods
from rest_framework.exceptions import APIException

from moderation.api.payloads import NOTE_LENGTH
from moderation.pages.dependents import Removal, dependents, removals
from moderation.pages.proposing import ROUTES
from moderation.pages.session import for_proposers
from moderation.pages.under_way import proposals_under_way
from moderation.services import Proposal, changes_propose
from moderation.states import Operation
from references.documents import snapshot
from references.horde import HordeUser
from references.pages.choices import spec_or_404
from references.pages.labels import counted
from references.pages.security import page
from references.pages.theme import SeeOther

SECTION = "catalogue"
NAME, CONFIRM, NOTE, ACT, SEND = "name", "confirm", "note", "act", "send"
MOST_AT_ONCE = 200
CHOOSE_AGAIN = "Choose the models again: which ones were ticked, and a note about them, are not kept."


@never_cache
@page
@require_http_methods(["GET", "HEAD", "POST"])
@for_proposers
def propose_delete(request: HttpRequest, user: HordeUser, category: str, name: str) -> HttpResponse:
    spec = spec_or_404(category)
    held = snapshot(category)
    row = held.by_name.get(name)
    if row is None:
        raise Http404(f"no model {name!r} in {category}")
    typed, note = request.POST.get(CONFIRM, ""), request.POST.get(NOTE, "").strip()
    error = ""
    if request.method == "POST":
        error = _fault(note) or (
            "" if typed.strip() == name.strip() else "This is not the name of the model."
        )
        if not error:
            try:
                change = changes_propose(actor=user, proposals=[_removal(category, name, note)])[0]
            except APIException as refusal:
                error = str(refusal.detail)
            else:
                messages.success(
                    request, f"Sent as change {change.change_id}. The model stays until it is applied."
                )
                return SeeOther(reverse("moderation:my_change", args=[change.change_id]))
    facts = {
        "spec": spec,
        "row": row,
        "depends": dependents(held, row),
        "under_way": proposals_under_way(user, category, [name]).get(name),
        "typed": typed,
    }
    return _shown(request, "moderation/propose_delete.html", facts, note=note, error=error)


@never_cache
@page
@require_http_methods(["GET", "HEAD", "POST"])
@for_proposers
def propose_bulk(request: HttpRequest, user: HordeUser, category: str) -> HttpResponse:
    spec = spec_or_404(category)
    if request.method != "POST":
        # Whoever had to sign in on the way comes back without the form, and ticks are too many for an address.
        messages.warning(request, CHOOSE_AGAIN)
        return SeeOther(reverse("catalogue:category", args=[category]))
    held = snapshot(category)
    asked = list(dict.fromkeys(request.POST.getlist(NAME)))
    found = [name for name in asked if name in held.by_name]
    missing = [name for name in asked if name not in held.by_name]
    note = request.POST.get(NOTE, "").strip()
    error = _too_many(found)
    if request.POST.get(ACT) == SEND:
        error = error or _fault(note) or _count_fault(request.POST.get(CONFIRM, ""), found, missing)
        if not error:
            try:
                proposals = [_removal(category, name, note) for name in found]
                changes = changes_propose(actor=user, proposals=proposals)
            except APIException as refusal:
                error = f"Nothing was sent. {refusal.detail}"
            else:
                messages.success(request, f"{counted(len(changes), 'removal')} proposed.")
                return SeeOther(f"{reverse('moderation:my_changes')}?status=pending")
    listed = removals(held, found)
    facts = {"spec": spec, "removals": listed, "totals": _totals(listed), "missing": missing}
    return _shown(request, "moderation/propose_bulk.html", facts, note=note, error=error)


def _shown(
    request: HttpRequest, template: str, facts: Mapping[str, object], *, note: str, error: str
) -> HttpResponse:
    context = {"section": SECTION, "note": note, "error": error, "note_length": NOTE_LENGTH, **facts}
    status = HTTPStatus.UNPROCESSABLE_ENTITY if error else HTTPStatus.OK
    return render(request, template, context, status=status)


def _removal(category: str, name: str, note: str) -> Proposal:
    return Proposal(category, name, Operation.DELETE, None, ROUTES[Operation.DELETE], notes=note or None)


def _fault(note: str) -> str:
    return f"The note is longer than {NOTE_LENGTH} characters." if len(note) > NOTE_LENGTH else ""


def _too_many(names: Sequence[str]) -> str:
    return f"At most {MOST_AT_ONCE} models can be proposed at once." if len(names) > MOST_AT_ONCE else ""


def _count_fault(typed: str, found: Sequence[str], missing: Sequence[str]) -> str:
    if not found:
        return "No model is ticked."
    if missing:
        return "Nothing was sent: some of the models are no longer there. Look at the rest and send again."
    if typed.strip() != str(len(found)):
        return f"Nothing was sent: type how many models are ticked, {len(found)}, to confirm."
    return ""


def _totals(listed: Sequence[Removal]) -> dict[str, int | None]:
    known = [removal.stats for removal in listed if removal.stats is not None]
    return {
        "models": len(listed),
        "waiting": sum(removal.open_changes for removal in listed),
        "workers": sum(stats.worker_count for stats in known) if known else None,
        "month": sum(stats.usage.month for stats in known) if known else None,
        "used": sum(stats.usage.month > 0 for stats in known) if known else None,
        "bytes": sum(removal.size or 0 for removal in listed) or None,
    }
