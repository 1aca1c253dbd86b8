"""One change: everything that speaks for and against it, and what to do with it."""

from dataclasses import dataclass
from http import HTTPStatus

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods
from rest_framework.exceptions import APIException

from moderation.actors import Actor
from moderation.desk.access import for_approvers
from moderation.desk.change_page import change_page, waiting_reverts
from moderation.desk.diff_views import VIEW_LABELS, View
from moderation.desk.filters import QueueQuery, queue_query_parse
from moderation.desk.forms import APPROVE, REJECT, CommentForm, DecisionForm, title_proposed
from moderation.desk.marks import open_changes
from moderation.desk.neighbours import Neighbours, neighbours
from moderation.desk.queue import ACT, SECTION, decision_take, decision_tell, open_batch
from moderation.models import PendingChange
from moderation.pages.meanwhile import refusal_words
from moderation.services import change_reopen, change_revert, change_withdraw
from moderation.services.remarks import comment_add
from references.pages.choices import Option
from references.pages.theme import SeeOther

VIEW = "view"
WITHDRAW, REOPEN, REVERT, COMMENT = "withdraw", "reopen", "revert", "comment"


@dataclass(frozen=True, slots=True)
class Visit:
    """An approver at a change, with the list they came from and the view of the diff they chose."""

    request: HttpRequest
    actor: Actor
    change: PendingChange
    asked: QueueQuery
    view: View

    def address(self, change_id: int | None = None, *, view: View | None = None) -> str:
        """The page of a change in the same list; the queue where there is none."""
        if change_id is None:
            return reverse("admin:desk_queue") + self.asked.encoded()
        pairs = [(name, value) for name, values in self.asked.state().items() for value in values]
        chosen = view or self.view
        if chosen is not View.SIDE:
            pairs.append((VIEW, chosen.value))
        path = reverse("admin:desk_change", args=[change_id])
        return f"{path}?{urlencode(pairs)}" if pairs else path


@for_approvers
@require_http_methods(["GET", "HEAD", "POST"])
def change(request: HttpRequest, actor: Actor, change_id: int) -> HttpResponse:
    found = PendingChange.objects.with_id(change_id).first()
    if found is None:
        return _not_there(request, change_id)
    wanted = request.GET.get(VIEW, "")
    view = View(wanted) if wanted in list(View) else View.SIDE
    visit = Visit(request, actor, found, queue_query_parse(request.GET), view)
    if request.method != "POST":
        return _shown(visit)
    act = request.POST.get(ACT, "")
    if act in (APPROVE, REJECT):
        return _decided(visit, act)
    return _commented(visit) if act == COMMENT else _acted(visit, act)


def _not_there(request: HttpRequest, change_id: int) -> HttpResponse:
    purged = PendingChange.recorded.with_id(change_id).first()
    context = {"desk_section": SECTION, "section": "desk", "change_id": change_id, "purged": purged}
    return render(request, "desk/no_change.html", context, status=HTTPStatus.NOT_FOUND)


def _decided(visit: Visit, act: str) -> HttpResponse:
    form = DecisionForm(visit.request.POST, act=act)
    if form.is_valid():
        # The list is looked at before the decision, which may take the change out of it.
        following = _neighbours(visit).next
        try:
            decision = decision_take(visit.actor, form, [visit.change.change_id])
        except APIException as error:
            words = refusal_words(error, [visit.change.change_id])
            form.add_error(None, f"Nothing was decided. {words}")
        else:
            decision_tell(visit.request, decision)
            return SeeOther(visit.address(following))
    return _shown(visit, decision=form, status=HTTPStatus.UNPROCESSABLE_ENTITY)


def _commented(visit: Visit) -> HttpResponse:
    form = CommentForm(visit.request.POST)
    if not form.is_valid():
        return _shown(visit, comment=form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    comment_add(actor=visit.actor, change_id=visit.change.change_id, text=form.cleaned_data["text"])
    messages.success(visit.request, "The comment is added.")
    return SeeOther(visit.address(visit.change.change_id) + "#comments")


def _acted(visit: Visit, act: str) -> HttpResponse:
    change_id, target = visit.change.change_id, visit.change.change_id
    try:
        if act == WITHDRAW:
            target = _neighbours(visit).next
            change_withdraw(actor=visit.actor, change_id=change_id)
            words = f"Change {change_id} is withdrawn."
        elif act == REOPEN:
            change_reopen(actor=visit.actor, change_id=change_id)
            words = f"Change {change_id} is pending again."
        elif act == REVERT and (waiting := waiting_reverts(visit.change)):
            target = waiting[0].change_id
            words = f"Nothing new was proposed: change {target} undoes change {change_id} already."
        elif act == REVERT:
            target = change_revert(actor=visit.actor, change_id=change_id).change_id
            words = f"What change {change_id} did is proposed to be undone, as change {target}."
        else:
            raise Http404(f"no act {act!r}")
    except APIException as error:
        words = refusal_words(error, [change_id])
        messages.error(visit.request, f"Nothing was done. {words}")
        return SeeOther(visit.address(change_id))
    messages.success(visit.request, words)
    return SeeOther(visit.address(target))


def _neighbours(visit: Visit) -> Neighbours:
    return neighbours(visit.asked, visit.actor, open_changes(), visit.change.change_id)


def _shown(
    visit: Visit,
    *,
    decision: DecisionForm | None = None,
    comment: CommentForm | None = None,
    status: HTTPStatus = HTTPStatus.OK,
) -> HttpResponse:
    marked = open_changes()
    change_id = visit.change.change_id
    near = neighbours(visit.asked, visit.actor, marked, change_id)
    batch = open_batch(marked)
    context = {
        "desk_section": SECTION,
        "section": "desk",
        "page": change_page(visit.change, visit.actor),
        "marks": marked.get(change_id),
        "view": visit.view.value,
        "modes": [
            Option(label, visit.address(change_id, view=view), view is visit.view)
            for view, label in VIEW_LABELS.items()
        ],
        "near": near,
        "previous_url": near.previous and visit.address(near.previous),
        "next_url": near.next and visit.address(near.next),
        "queue_url": visit.address(),
        "query": visit.asked.encoded(),
        "preset": visit.asked.preset,
        "open_batch": batch,
        "form": decision or DecisionForm(initial={"title": title_proposed(batch.batch if batch else None)}),
        "comment_form": comment or CommentForm(),
    }
    return render(visit.request, "desk/change.html", context, status=status)
