"""Proposing a new model, or changes to one: the form, its JSON, and the preview before anything is sent.

One address serves all steps of a proposal. What was typed travels with each form, so that every step works
without script and nothing is kept for a proposal that is never sent.
"""

from dataclasses import dataclass, field, replace
from enum import StrEnum
from http import HTTPStatus

from django.contrib import messages
from django.core.exceptions import SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods
from rest_framework.exceptions import APIException

from moderation.live import live_read
from moderation.pages.addresses import addresses_new, note_answered, note_length
from moderation.pages.change_view import state_rows
from moderation.pages.forms.documents import (
    ADD,
    REMOVE,
    Document,
    DocumentError,
    document_parse,
    document_read,
    document_written,
    merged,
)
from moderation.pages.forms.faults import Fault
from moderation.pages.forms.fields import category_fields
from moderation.pages.forms.showing import form_view
from moderation.pages.forms.views import RECORD_FIELD
from moderation.pages.forms.warned import WarningView
from moderation.pages.prefilling import document_again, document_copied, earlier_change, storable_or_404
from moderation.pages.proposing import RecordMoved, Target, proposal_preview, proposal_send
from moderation.pages.refusals import draft_warnings, faults_of
from moderation.pages.session import DRAFT, for_proposers
from moderation.pages.under_way import proposals_under_way
from moderation.states import Status
from references.documents import snapshot
from references.horde import HordeUser
from references.pages.choices import spec_or_404
from references.pages.security import page
from references.pages.theme import SeeOther
from references.serializers.fields import UNSTORABLE_CHARACTER

SECTION = "catalogue"
ACT, VIEW, OPENED, JSON, NOTE, CHECKED = "act", "view", "opened", "json", "note", "checked"


class Step(StrEnum):
    """What a proposer sees: the fields, the record as JSON, or what it would change."""

    FORM = "form"
    JSON = "json"
    PREVIEW = "preview"


class Act(StrEnum):
    """What a button asks for, apart from adding and removing rows."""

    FORM = "form"
    JSON = "json"
    PREVIEW = "preview"
    MERGE = "merge"
    SEND = "send"


@dataclass(frozen=True, slots=True)
class Draft:
    """What somebody is writing, and where they are with it.

    `opened` is the live record that it was written from. `text` is what was typed as JSON and is none.
    """

    document: Document
    opened: Document | None = None
    step: Step = Step.FORM
    text: str = ""
    note: str = ""
    is_checked: bool = False
    faults: list[Fault] = field(default_factory=list)
    warnings: list[WarningView] = field(default_factory=list)
    moved: Document | None = None


@never_cache
@page
@require_http_methods(["GET", "HEAD", "POST"])
@for_proposers
def propose_new(request: HttpRequest, user: HordeUser, category: str) -> HttpResponse:
    spec_or_404(category)
    target = Target(category)
    if request.method == "POST":
        return _step(request, user, target, _draft_read(target, request.POST))
    document = document_again(request, user, target, None) or document_copied(request, target) or {}
    return _shown(request, user, target, Draft(document))


@never_cache
@page
@require_http_methods(["GET", "HEAD", "POST"])
@for_proposers
def propose_edit(request: HttpRequest, user: HordeUser, category: str, name: str) -> HttpResponse:
    spec_or_404(category)
    target = Target(category, storable_or_404(name))
    if request.method == "POST":
        return _step(request, user, target, _draft_read(target, request.POST))
    live = live_read(category, name)
    if live is None:
        raise Http404(f"no model {name!r} in {category}")
    document = document_again(request, user, target, live.record) or live.record
    return _shown(request, user, target, Draft(document, live.record))


def _draft_read(target: Target, typed: QueryDict) -> Draft:
    """What a form sent. Only a form that nobody made on these pages has hidden fields that are no JSON."""
    try:
        document = document_parse(typed.get(DRAFT, "{}"))
        opened = document_parse(typed[OPENED]) if typed.get(OPENED) else None
    except DocumentError as error:
        raise SuspiciousOperation(f"the draft is no record: {error}") from None
    step = Step(typed[VIEW]) if typed.get(VIEW) in list(Step) else Step.FORM
    draft = Draft(document, opened, step, note=typed.get(NOTE, "").strip(), is_checked=CHECKED in typed)
    if step is Step.FORM:
        fields = {
            key.removeprefix(RECORD_FIELD): text
            for key, text in typed.items()
            if key.startswith(RECORD_FIELD)
        }
        act = typed.get(ACT, "")
        return replace(draft, document=document_read(category_fields(target.category), document, fields, act))
    if step is Step.JSON:
        text = typed.get(JSON, "").replace("\r\n", "\n")
        try:
            return replace(draft, document=document_parse(text))
        except DocumentError as error:
            place = f"Line {error.line}, column {error.column}: {error}."
            return replace(draft, text=text, faults=[Fault("", place)])
    return draft


def _step(request: HttpRequest, user: HordeUser, target: Target, draft: Draft) -> HttpResponse:
    act = request.POST.get(ACT, Act.PREVIEW)
    if draft.faults:
        return _shown(request, user, target, draft, HTTPStatus.UNPROCESSABLE_ENTITY)
    if act == Act.FORM or act.startswith((ADD, REMOVE)):
        return _shown(request, user, target, _at_form(draft, draft.document))
    if act == Act.JSON:
        return _shown(request, user, target, replace(draft, step=Step.JSON))
    if act == Act.MERGE:
        return _shown(request, user, target, _merge(target, draft))
    return _send(request, user, target, draft) if act == Act.SEND else _preview(request, user, target, draft)


def _at_form(draft: Draft, document: Document) -> Draft:
    return replace(draft, step=Step.FORM, document=document)


def _merge(target: Target, draft: Draft) -> Draft:
    """The draft on the record as it is now, with both what the proposer and what others changed."""
    live = live_read(target.category, target.name or "")
    if live is None or draft.opened is None:
        return _at_form(draft, draft.document)
    document = merged(draft.opened, draft.document, live.record)
    return replace(draft, step=Step.FORM, document=document, opened=live.record)


def _preview(request: HttpRequest, user: HordeUser, target: Target, draft: Draft) -> HttpResponse:
    try:
        preview = proposal_preview(target=target, document=draft.document, opened=draft.opened)
    except APIException as error:
        return _refused(request, user, target, draft, error)
    context = {
        **_context(request, user, target, replace(draft, step=Step.PREVIEW)),
        "preview": preview,
        "note_length": note_length(preview.addresses),
    }
    return render(request, "moderation/propose_preview.html", context)


def _send(request: HttpRequest, user: HordeUser, target: Target, draft: Draft) -> HttpResponse:
    addresses = addresses_new(draft.document, draft.opened)
    longest = note_length(addresses)
    if len(draft.note) > longest:
        messages.error(request, f"Not sent. The note is longer than {longest} characters.")
        return _preview(request, user, target, draft)
    try:
        change = proposal_send(
            actor=user,
            target=target,
            document=draft.document,
            opened=draft.opened,
            notes=note_answered(draft.note, addresses, is_checked=draft.is_checked),
            earlier=earlier_change(request, user),
        )
    except APIException as error:
        return _refused(request, user, target, draft, error)
    messages.success(
        request, f"Sent as change {change.change_id}. It goes live once it is approved and applied."
    )
    return SeeOther(reverse("moderation:my_change", args=[change.change_id]))


def _refused(
    request: HttpRequest, user: HordeUser, target: Target, draft: Draft, error: APIException
) -> HttpResponse:
    """Back to where it was typed, with everything that is wrong; a preview leads back to the form."""
    step = Step.FORM if draft.step is Step.PREVIEW else draft.step
    moved = (
        live_read(target.category, target.name) if isinstance(error, RecordMoved) and target.name else None
    )
    draft = replace(draft, step=step, moved=moved and moved.record)
    if not moved:
        is_new = target.name is None
        faults = faults_of(error, target.category, draft.document, is_new=is_new)
        draft = replace(draft, faults=faults, warnings=draft_warnings(target.category, draft.document))
    return _shown(request, user, target, draft, error.status_code)


def _shown(
    request: HttpRequest, user: HordeUser, target: Target, draft: Draft, status: int = HTTPStatus.OK
) -> HttpResponse:
    form = form_view(
        target.category,
        draft.document,
        snapshot(target.category),
        faults=draft.faults,
        fixed_name=target.name is not None,
    )
    context = {
        **_context(request, user, target, draft),
        "form": form,
        "json_text": draft.text or document_written(draft.document),
    }
    if draft.moved is not None:
        context["moved_rows"] = state_rows(target.category, draft.opened, draft.moved)
    return render(request, "moderation/propose.html", context, status=status)


def _context(request: HttpRequest, user: HordeUser, target: Target, draft: Draft) -> dict[str, object]:
    earlier = earlier_change(request, user)
    name = target.name or draft.document.get("name")
    names = [name] if isinstance(name, str) and not UNSTORABLE_CHARACTER.search(name) else []
    under_way = proposals_under_way(user, target.category, names, apart_from=earlier and earlier.change_id)
    return {
        "section": SECTION,
        "spec": spec_or_404(target.category),
        "target": target,
        "user": user,
        "draft": draft,
        "draft_text": document_written(draft.document),
        "opened_text": document_written(draft.opened) if draft.opened is not None else "",
        "replaced": earlier if earlier and earlier.status == Status.PENDING else None,
        "under_way": next(iter(under_way.values()), None),
    }
