"""Own changes: what became of them, taking them back, proposing them once more."""

from django.contrib import messages
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe
from rest_framework.exceptions import APIException

from moderation.models import PendingChange
from moderation.pages.change_view import STATUS_LABELS, ChangeView, diff_rows
from moderation.pages.prefilling import CHANGE
from moderation.pages.resubmitting import change_resubmit
from moderation.pages.session import for_requestors, forms_are_open
from moderation.querysets import PendingChangeQuerySet
from moderation.review import change_diff
from moderation.services import change_withdraw
from moderation.states import Operation, Status
from references.horde import HordeUser
from references.models import ModelRecord
from references.pages.choices import Option
from references.pages.links import PageLinks, Pager
from references.pages.list_query import page_number
from references.pages.security import page
from references.pages.theme import SeeOther
from references.problems import RequestInvalid

SECTION = "my_changes"
STATUS = "status"
PAGE_SIZE = 25


@never_cache
@page
@require_safe
@for_requestors
def my_changes(request: HttpRequest, user: HordeUser) -> HttpResponse:
    own = _own(user)
    wanted = request.GET.get(STATUS, "")
    status = Status(wanted) if wanted in STATUS_LABELS else None
    counts = dict(own.order_by().values_list("status").annotate(Count("pk")))
    links = PageLinks(request.path, {STATUS: (status.value,)} if status else {})
    total = counts.get(status, 0) if status else sum(counts.values())
    pager = Pager.at(links, page_number(request.GET), page_size=PAGE_SIZE, total=total)
    found = own.matching(statuses=[status] if status else ()).without_states().defer("payload").newest_first()
    context = {
        "section": SECTION,
        "tabs": _tabs(links, counts, status),
        "status": status,
        "views": [ChangeView(change) for change in found[pager.offset : pager.offset + PAGE_SIZE]],
        "pager": pager,
    }
    return render(request, "moderation/my_changes.html", context)


@never_cache
@page
@require_safe
@for_requestors
def my_change(request: HttpRequest, user: HordeUser, change_id: int) -> HttpResponse:
    change = _own_or_404(user, change_id)
    diff = change_diff(change)
    live = ModelRecord.objects.in_category(change.category).filter(name=change.model_name)
    context = {
        "section": SECTION,
        "view": ChangeView(change),
        "is_live": live.exists(),
        "stale": diff.staleness.sentence(change.model_name) if diff.staleness else "",
        "rows": diff_rows(diff),
        "edit_url": _edit_url(change),
    }
    return render(request, "moderation/my_change.html", context)


@never_cache
@require_POST
@page
@for_requestors
def withdraw(request: HttpRequest, user: HordeUser, change_id: int) -> HttpResponse:
    _own_or_404(user, change_id)
    try:
        change_withdraw(actor=user, change_id=change_id)
    except APIException as error:
        messages.error(request, f"Not withdrawn. {_words(error)}")
    else:
        messages.success(request, f"Change {change_id} is withdrawn.")
    return _to_change(change_id)


@never_cache
@require_POST
@page
@for_requestors
def resubmit(request: HttpRequest, user: HordeUser, change_id: int) -> HttpResponse:
    change = _own_or_404(user, change_id)
    try:
        proposed = change_resubmit(actor=user, change=change)
    except APIException as error:
        messages.error(request, f"Not proposed again. {_words(error)}")
        return _to_change(change_id)
    messages.success(request, f"Change {change_id} is proposed again, as change {proposed.change_id}.")
    return _to_change(proposed.change_id)


def _own(user: HordeUser) -> PendingChangeQuerySet:
    return PendingChange.objects.matching(requested_by=[user.user_id])


def _own_or_404(user: HordeUser, change_id: int) -> PendingChange:
    change = _own(user).with_id(change_id).first()
    if change is None:
        raise Http404(f"no change {change_id} of this user")
    return change


def _to_change(change_id: int) -> HttpResponse:
    return SeeOther(reverse("moderation:my_change", args=[change_id]))


def _edit_url(change: PendingChange) -> str:
    """Where the rejected change can be edited and proposed again; empty for a removal, and where there are no forms."""
    if change.operation == Operation.DELETE or not forms_are_open():
        return ""
    if change.operation == Operation.CREATE:
        form = reverse("moderation:propose", args=[change.category])
    else:
        form = reverse("moderation:propose_edit", args=[change.category, change.model_name])
    return f"{form}?{urlencode({CHANGE: change.change_id})}"


def _tabs(links: PageLinks, counts: dict[str, int], chosen: Status | None) -> list[Option]:
    everything = Option("All", links.replaced(status=None), chosen is None, sum(counts.values()))
    return [
        everything,
        *(
            Option(label, links.replaced(status=status.value), status is chosen, counts.get(status, 0))
            for status, label in STATUS_LABELS.items()
        ),
    ]


def _words(error: APIException) -> str:
    """What went wrong, for people; a record that breaks its schema may do so in many places."""
    if not isinstance(error, RequestInvalid):
        return str(error.detail)
    places = (".".join(str(step) for step in problem["loc"][1:]) for problem in error.detail)
    return " ".join(
        f"{place}: {problem['msg']}." if place else f"{problem['msg']}."
        for place, problem in zip(places, error.detail, strict=True)
    )
