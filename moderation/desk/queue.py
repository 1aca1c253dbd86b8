"""The queue: what waits for a decision, and deciding about many changes at once."""

from dataclasses import dataclass
from http import HTTPStatus

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods
from rest_framework.exceptions import APIException

from moderation.actors import Actor
from moderation.desk.access import for_approvers
from moderation.desk.filters import BATCH, REVIEW, SHOW, SINCE, UNTIL, QueueQuery, queue_query_parse
from moderation.desk.forms import APPROVE, REJECT, DecisionForm, title_proposed
from moderation.desk.marks import OpenChange, open_changes
from moderation.desk.rivals import rivals_warning
from moderation.desk.rows import (
    Tally,
    filter_chips,
    order_options,
    preset_options,
    queue_rows,
    with_row_facts,
)
from moderation.models import Batch
from moderation.pages.meanwhile import refusal_words
from moderation.services import BatchDecision, batch_decide, open_batch_id
from moderation.states import Status
from references.pages.labels import counted
from references.pages.links import PageLinks, Pager
from references.pages.list_query import SEARCH, SORT
from references.pages.theme import SeeOther

SECTION = "queue"
# A page of long names is below 100 kB with its style sheet.
PAGE_SIZE = 30
ACT, CHOSEN, CHOOSE = "act", "change", "choose"


@dataclass(frozen=True, slots=True)
class OpenBatch:
    """The batch that approvals go to, and how many changes wait in it to be applied."""

    batch: Batch
    waiting: int


@for_approvers
@require_http_methods(["GET", "HEAD", "POST"])
def queue(request: HttpRequest, actor: Actor) -> HttpResponse:
    asked = queue_query_parse(request.GET)
    if request.method != "POST":
        return _shown(request, actor, asked)
    act, ids = request.POST.get(ACT, ""), chosen_ids(request)
    form = DecisionForm(request.POST, act=act)
    if act not in (APPROVE, REJECT) or not ids:
        form.add_error(None, "Choose the changes to decide about first.")
    if form.is_valid():
        try:
            decision = decision_take(actor, form, ids)
        except APIException as error:
            form.add_error(None, f"Nothing was decided. {refusal_words(error, ids, needed=Status.PENDING)}")
        else:
            decision_tell(request, decision)
            return SeeOther(asked.links(request.path).page(asked.page))
    return _shown(request, actor, asked, form=form)


def decision_take(actor: Actor, form: DecisionForm, ids: list[int]) -> BatchDecision:
    """Carries out a valid form; raises what `batch_decide` raises."""
    title = form.cleaned_data["title"]
    if form.act == APPROVE:
        return batch_decide(actor=actor, title=title, approved_ids=ids)
    return batch_decide(actor=actor, title=title, rejected_ids=ids, reject_reason=form.words())


def decision_tell(request: HttpRequest, decision: BatchDecision) -> None:
    """Leaves a message on what was decided, and a warning where what was approved has rivals."""
    messages.success(request, decision_words(decision))
    if warning := rivals_warning(decision.approved):
        messages.warning(request, warning)


def decision_words(decision: BatchDecision) -> str:
    if decision.approved:
        what = _changes_in_words([change.change_id for change in decision.approved])
        return f"{what} approved, in batch {decision.batch_id}: {decision.batch_title}."
    return f"{_changes_in_words([change.change_id for change in decision.rejected])} rejected."


def _changes_in_words(ids: list[int]) -> str:
    return f"Change {ids[0]} is" if len(ids) == 1 else f"{counted(len(ids), 'change')} are"


def chosen_ids(request: HttpRequest) -> list[int]:
    given = request.POST.getlist(CHOSEN)
    return [int(text) for text in given if text.isascii() and text.isdigit() and len(text) < 20]


def open_batch(marked: dict[int, OpenChange]) -> OpenBatch | None:
    waiting = sum(each.status == Status.APPROVED for each in marked.values())
    if not waiting:
        return None
    batch = Batch.objects.filter(pk=open_batch_id()).first()
    return batch and OpenBatch(batch, waiting)


def _shown(
    request: HttpRequest, actor: Actor, asked: QueueQuery, *, form: DecisionForm | None = None
) -> HttpResponse:
    marked = open_changes()
    links = asked.links(request.path)
    shown = asked.shown(marked, actor)
    tally = Tally.of(shown)
    pager = Pager.at(links, asked.page, page_size=PAGE_SIZE, total=tally.total(asked))
    found = asked.in_order(asked.narrowed(shown)).defer("live_before", "live_after")
    changes = list(with_row_facts(found)[pager.offset : pager.offset + PAGE_SIZE])
    is_all = request.GET.get(CHOOSE) == "page"
    chosen = {change.change_id for change in changes} if is_all else set(chosen_ids(request))
    batch = open_batch(marked)
    chips = filter_chips(asked, tally, links)
    rows = queue_rows(changes, marked, actor, chosen)
    context = {
        "desk_section": SECTION,
        "section": "desk",
        "presets": preset_options(asked, request.path, marked, actor),
        "preset": asked.preset,
        "links": links,
        "facets": tally.options(asked, links),
        "chips": chips,
        "clear_url": links.cleared(kept=(SHOW, SORT)),
        "search": asked.text,
        "orders": order_options(asked, links),
        "hidden_fields": links.hidden(SEARCH),
        "asked": asked,
        "narrow_hidden": links.hidden(BATCH, SINCE, UNTIL),
        "query": asked.encoded(),
        "rows": rows,
        "can_decide": any(row.is_decidable for row in rows),
        "choose_url": PageLinks(request.path, {**asked.state(), CHOOSE: ("page",)}).page(asked.page),
        "pager": pager,
        "open_batch": batch,
        "form": form or DecisionForm(initial={"title": title_proposed(batch.batch if batch else None)}),
        "is_inbox": asked.show == REVIEW and not chips,
    }
    status = HTTPStatus.OK if form is None else HTTPStatus.UNPROCESSABLE_ENTITY
    return render(request, "desk/queue.html", context, status=status)
