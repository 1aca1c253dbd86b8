"""The history of one model: every write of its record against the one before, and how to undo one."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe
from rest_framework.exceptions import APIException

from moderation.actors import Actor
from moderation.desk.access import for_approvers
from moderation.desk.audit_events import event_id_parse
from moderation.models import PendingChange
from moderation.pages.change_view import ChangeView
from moderation.pages.meanwhile import refusal_words
from moderation.pages.record_steps import record_steps
from moderation.reverts import open_reverts
from moderation.services import change_revert
from references.models import ModelRecord
from references.pages.choices import spec_or_404
from references.pages.links import PageLinks
from references.pages.theme import SeeOther

SECTION = "audit"
CURSOR = "cursor"
PAGE_SIZE = 25
OPEN_SHOWN = 20


@require_safe
@for_approvers
def model_history(request: HttpRequest, actor: Actor, category: str, model_name: str) -> HttpResponse:
    spec = spec_or_404(category)
    cursor = event_id_parse(request.GET.get(CURSOR, ""))
    found = record_steps(category, model_name, cursor=cursor, limit=PAGE_SIZE)
    is_live = ModelRecord.objects.in_category(category).filter(name=model_name).exists()
    waiting = PendingChange.objects.open().of_model(category, model_name).without_states().defer("payload")
    changes = [ChangeView(change) for change in waiting.newest_first()[:OPEN_SHOWN]]
    if not (found.steps or changes or is_live):
        raise Http404(f"nothing is known of {model_name!r} in {category}")
    links = PageLinks(request.path, {})
    undone = open_reverts(step.change.change_id for step in found.steps if step.change)
    context = {
        "desk_section": SECTION,
        "section": "desk",
        "spec": spec,
        "name": model_name,
        "is_live": is_live,
        "steps": [
            (step, undone.get(step.change.change_id, ()) if step.change else ()) for step in found.steps
        ],
        "changes": changes,
        "is_first": cursor is None,
        "newest_url": request.path if cursor is not None else "",
        "older_url": links.replaced(**{CURSOR: str(found.next_cursor)}) if found.next_cursor else "",
    }
    return render(request, "desk/history.html", context)


@require_POST
@for_approvers
def revert(request: HttpRequest, actor: Actor, change_id: int) -> HttpResponse:
    if waiting := open_reverts([change_id]).get(change_id):
        messages.warning(
            request,
            f"Nothing was proposed: change {waiting[0].change_id} undoes change {change_id} already.",
        )
        return SeeOther(_history_url(change_id))
    try:
        proposed = change_revert(actor=actor, change_id=change_id)
    except APIException as error:
        words = refusal_words(error, [change_id])
        messages.error(request, f"Nothing was proposed. {words}")
        return SeeOther(_history_url(change_id))
    messages.success(
        request,
        f"Change {proposed.change_id} proposes what was there before change {change_id}. "
        "Nothing live has changed: it waits for review like any other.",
    )
    return SeeOther(reverse("admin:desk_change", args=[proposed.change_id]))


def _history_url(change_id: int) -> str:
    change = PendingChange.recorded.with_id(change_id).first()
    if change is None:
        raise Http404(f"no change {change_id}")
    return reverse("admin:desk_model_history", args=[change.category, change.model_name])
