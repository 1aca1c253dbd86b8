"""Purging: removing changes from the queue for good. First a dry run, then with the words typed."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods
from rest_framework.exceptions import APIException

from moderation.actors import Actor
from moderation.conflicts import digest
from moderation.desk.access import for_approvers
from moderation.models import PendingChange
from moderation.pages.change_view import STATUS_LABELS, ChangeView
from moderation.querysets import MAX_ID
from moderation.services import queue_purge
from references.categories import CATEGORIES
from references.pages.theme import SeeOther

SECTION = "batches"
CONFIRM, SEEN = "confirm", "seen"
CHANGES_SHOWN = 50
RANGES_SHOWN = 60
LONGEST_RANGE = 100_000


class PurgeForm(forms.Form):
    """What is to go: changes that every given filter lets through."""

    statuses = forms.MultipleChoiceField(
        label="Status",
        required=False,
        choices=[(status.value, label) for status, label in STATUS_LABELS.items()],
        widget=forms.CheckboxSelectMultiple,
    )
    categories = forms.MultipleChoiceField(
        label="Category",
        required=False,
        choices=[(spec.name, spec.label) for spec in CATEGORIES.values()],
        widget=forms.CheckboxSelectMultiple,
    )
    model_name = forms.CharField(
        label="Model", required=False, max_length=200, help_text="A part of the name, in any case."
    )
    requested_by = forms.CharField(
        label="Proposed by", required=False, max_length=255, help_text="User ids, with commas between them."
    )
    batch_id = forms.IntegerField(label="Batch", required=False, min_value=1, max_value=MAX_ID)
    change_ids = forms.CharField(
        label="Changes", required=False, max_length=2000, help_text="Numbers and ranges, such as 4, 7-12."
    )
    purge_all = forms.BooleanField(label="Everything that no filter excludes", required=False)

    def clean_requested_by(self) -> list[str]:
        return [part for part in map(str.strip, self.cleaned_data["requested_by"].split(",")) if part]

    def clean_change_ids(self) -> list[int]:
        return ids_read(self.cleaned_data["change_ids"])

    def clean(self) -> dict[str, Any]:
        if not self.errors and not any(self.cleaned_data.values()):
            raise forms.ValidationError("Give a filter, or say that everything is to go.")
        return self.cleaned_data


@require_http_methods(["GET", "HEAD", "POST"])
@for_approvers
def purge_page(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The filters; with any of them, what would go; with the words typed, it goes."""
    sent = request.POST if request.method == "POST" else request.GET
    form = PurgeForm(sent or None)
    if not form.is_bound or not form.is_valid():
        status = HTTPStatus.BAD_REQUEST if form.is_bound else HTTPStatus.OK
        return _shown(request, form, status=status)
    ids = queue_purge(actor=actor, dry_run=True, **form.cleaned_data).removed_change_ids
    if request.method != "POST":
        return _shown(request, form, ids=ids)
    if problem := _problem(sent, ids):
        return _shown(request, form, ids=ids, problem=problem, status=HTTPStatus.CONFLICT)
    try:
        # These and no others, whatever was proposed since the dry run.
        removed = queue_purge(actor=actor, **{**form.cleaned_data, "change_ids": ids}).removed_change_ids
    except APIException as error:
        return _shown(
            request, form, ids=ids, problem=f"Nothing was purged. {error.detail}", status=error.status_code
        )
    many = "" if len(removed) == 1 else "s"
    messages.success(request, f"Purged {len(removed)} change{many}: {ids_written(removed)}.")
    return SeeOther(reverse("admin:desk_purge"))


def confirmation(ids: Sequence[int]) -> str:
    """The words to type."""
    return f"purge {len(ids)}"


def ids_written(ids: Sequence[int]) -> str:
    """Ascending numbers, those in a row as a range: `4, 7–12`."""
    ranges: list[list[int]] = []
    for number in ids:
        if ranges and number == ranges[-1][1] + 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    shown = [str(first) if first == last else f"{first}–{last}" for first, last in ranges[:RANGES_SHOWN]]
    return ", ".join([*shown, "…"] if len(ranges) > RANGES_SHOWN else shown)


def ids_read(text: str) -> list[int]:
    """Numbers and ranges; raises ValidationError for anything else."""
    ids: dict[int, None] = {}
    for part in filter(None, map(str.strip, text.replace("–", "-").split(","))):
        first, dash, last = (piece.strip() for piece in part.partition("-"))
        ends = (first, last if dash else first)
        if not all(end.isascii() and end.isdigit() and 0 < len(end) < 19 for end in ends):
            raise forms.ValidationError(f"“{part}” is no number and no range.")
        low, high = map(int, ends)
        if high - low >= LONGEST_RANGE:
            raise forms.ValidationError(f"“{part}” is too long a range.")
        ids.update(dict.fromkeys(range(low, high + 1)))
    if text.strip() and not ids:
        raise forms.ValidationError("There is no number in it.")
    return list(ids)


def _problem(sent: QueryDict, ids: Sequence[int]) -> str:
    if not ids:
        return "Nothing was purged: there is no such change."
    if sent.get(SEEN) != _fingerprint(ids):
        return "Nothing was purged: the queue has moved since the dry run. Look at it again."
    if sent.get(CONFIRM, "").strip().lower() != confirmation(ids):
        return f"Nothing was purged: type {confirmation(ids)} to confirm."
    return ""


def _shown(
    request: HttpRequest,
    form: PurgeForm,
    *,
    ids: Sequence[int] | None = None,
    problem: str = "",
    status: int = HTTPStatus.OK,
) -> HttpResponse:
    context: dict[str, Any] = {
        "desk_section": SECTION,
        "section": "desk",
        "form": form,
        "ids": ids,
        "problem": problem,
    }
    if ids:
        found = PendingChange.objects.with_ids(ids[:CHANGES_SHOWN]).without_states().defer("payload")
        context |= {
            "ids_text": ids_written(ids),
            "changes": [ChangeView(change) for change in found.oldest_first()],
            "left_out": max(0, len(ids) - CHANGES_SHOWN),
            "waiting": PendingChange.objects.open().with_ids(ids).count(),
            "confirmation": confirmation(ids),
            "seen": _fingerprint(ids),
            "carried": [(name, value) for name in form.fields for value in form.data.getlist(name)],
        }
    return render(request, "desk/purge.html", context, status=status)


def _fingerprint(ids: Sequence[int]) -> str:
    return digest({"ids": list(ids)}) or ""
