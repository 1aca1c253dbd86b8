"""Own changes: what became of them, answering questions, taking them back, proposing them once more."""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import TypeVar

from django.contrib import messages
from django.db.models import Count, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from rest_framework.exceptions import APIException

from moderation.models import ChangeComment, PendingChange
from moderation.pages.change_view import STATUS_LABELS, ChangeView, diff_rows
from moderation.pages.meanwhile import refusal_words
from moderation.pages.prefilling import CHANGE
from moderation.pages.refusals import problem_words
from moderation.pages.resubmitting import change_resubmit
from moderation.pages.session import for_requestors, forms_are_open
from moderation.querysets import PendingChangeQuerySet
from moderation.review import change_diff
from moderation.services import change_withdraw
from moderation.services.remarks import LONGEST_COMMENT, own_comment_add
from moderation.states import Operation, Status
from references.horde import HordeUser
from references.models import ModelRecord
from references.pages.choices import Option
from references.pages.errors import posts_only
from references.pages.links import PageLinks, Pager
from references.pages.list_query import page_number
from references.pages.security import page
from references.pages.theme import SeeOther
from references.problems import RequestInvalid

SECTION = "my_changes"
STATUS = "status"
PAGE_SIZE = 25
COMMENT = "text"

Result = TypeVar("Result")


def for_owners(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponseBase]:
    """Gives the view the user and the change of theirs that the address names; says so where there is none."""

    @wraps(view)
    @for_requestors
    def owned(request: HttpRequest, user: HordeUser, change_id: int) -> HttpResponse:
        change = _own(user).with_id(change_id).first()
        return _not_there(request, user, change_id) if change is None else view(request, user, change)

    return owned


def _not_there(request: HttpRequest, user: HordeUser, change_id: int) -> HttpResponse:
    purged = PendingChange.recorded.matching(requested_by=[user.user_id]).with_id(change_id).first()
    context = {"section": SECTION, "change_id": change_id, "purged": purged}
    return render(request, "moderation/no_change.html", context, status=HTTPStatus.NOT_FOUND)


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
    found = _with_comments(found)
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
@for_owners
def my_change(request: HttpRequest, user: HordeUser, change: PendingChange) -> HttpResponse:
    return _shown(request, change)


@never_cache
@posts_only
@page
@for_owners
def comment(request: HttpRequest, user: HordeUser, change: PendingChange) -> HttpResponse:
    text = request.POST.get(COMMENT, "")
    if not _done(
        request, change, "Not sent.", own_comment_add, actor=user, change_id=change.change_id, text=text
    ):
        # With what was typed, which may be long.
        return _shown(request, change, text, HTTPStatus.UNPROCESSABLE_ENTITY)
    messages.success(request, "Your comment is there for the approvers to read.")
    return _to_change(change.change_id)


def _shown(
    request: HttpRequest, change: PendingChange, typed: str = "", status: HTTPStatus = HTTPStatus.OK
) -> HttpResponse:
    diff = change_diff(change)
    live = ModelRecord.objects.in_category(change.category).filter(name=change.model_name)
    context = {
        "section": SECTION,
        "view": ChangeView(change),
        "is_live": live.exists(),
        "stale": diff.staleness.sentence(change.model_name) if diff.staleness else "",
        "rows": diff_rows(diff),
        "edit_url": _edit_url(change),
        "comments": list(change.comments),
        "comment_text": typed,
        "comment_length": LONGEST_COMMENT,
    }
    return render(request, "moderation/my_change.html", context, status=status)


@never_cache
@posts_only
@page
@for_owners
def withdraw(request: HttpRequest, user: HordeUser, change: PendingChange) -> HttpResponse:
    if _done(request, change, "Not withdrawn.", change_withdraw, actor=user, change_id=change.change_id):
        messages.success(request, f"Change {change.change_id} is withdrawn.")
    return _to_change(change.change_id)


@never_cache
@posts_only
@page
@for_owners
def resubmit(request: HttpRequest, user: HordeUser, change: PendingChange) -> HttpResponse:
    proposed = _done(request, change, "Not proposed again.", change_resubmit, actor=user, change=change)
    if proposed is None:
        return _to_change(change.change_id)
    messages.success(request, f"Change {change.change_id} is proposed again, as change {proposed.change_id}.")
    return _to_change(proposed.change_id)


def _done(
    request: HttpRequest,
    about: PendingChange,
    refused: str,
    service: Callable[..., Result],
    **arguments: object,
) -> Result | None:
    """What the service returns; where it raises what it tells its caller, None, and the page says so."""
    try:
        return service(**arguments)
    except APIException as error:
        messages.error(request, f"{refused} {_words(error, about)}")
        return None


def _own(user: HordeUser) -> PendingChangeQuerySet:
    return PendingChange.objects.matching(requested_by=[user.user_id])


def _with_comments(changes: PendingChangeQuerySet) -> PendingChangeQuerySet:
    """With the number of their comments, and who wrote the last one."""
    on_change = ChangeComment.objects.filter(change_id=OuterRef("change_id")).order_by()
    counted = on_change.values("change_id").annotate(number=Count("pk")).values("number")
    last = on_change.order_by("-pk")[:1]
    return changes.annotate(
        comment_count=Coalesce(Subquery(counted), 0),
        last_author_id=Subquery(last.values("author_id")),
        last_author=Subquery(last.values("author_username")),
    )


def _to_change(change_id: int) -> HttpResponse:
    return SeeOther(reverse("moderation:my_change", args=[change_id]))


def _edit_url(change: PendingChange) -> str:
    """Where the change can be edited and proposed again; empty where it cannot, or where there are no forms."""
    if not ChangeView(change).can_be_edited or not forms_are_open():
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


def _words(error: APIException, change: PendingChange) -> str:
    """What went wrong, for people; a record that breaks its schema may do so in many places."""
    if not isinstance(error, RequestInvalid):
        return refusal_words(error, [change.change_id])
    places = (".".join(str(step) for step in problem["loc"][1:]) for problem in error.detail)
    return " ".join(
        f"{place}: {problem_words(problem)}." if place else f"{problem_words(problem)}."
        for place, problem in zip(places, error.detail, strict=True)
    )
