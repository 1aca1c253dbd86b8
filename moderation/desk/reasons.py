"""Reasons for rejecting that are kept for the next time."""

from http import HTTPStatus

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from moderation.actors import Actor
from moderation.desk.access import for_approvers
from moderation.desk.forms import SavedReasonForm
from moderation.models import SavedReason
from moderation.services.remarks import reason_forget, reason_save
from references.pages.theme import SeeOther


@for_approvers
@require_http_methods(["GET", "HEAD", "POST"])
def reasons(request: HttpRequest, actor: Actor) -> HttpResponse:
    form = SavedReasonForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        reason_save(text=form.cleaned_data["text"])
        messages.success(request, "The reason is saved.")
        return SeeOther(request.path)
    context = {"desk_section": "queue", "section": "desk", "form": form, "reasons": SavedReason.objects.all()}
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.is_bound else HTTPStatus.OK
    return render(request, "desk/reasons.html", context, status=status)


@for_approvers
@require_POST
def forget(request: HttpRequest, actor: Actor, reason_id: int) -> HttpResponse:
    reason_forget(reason_id=reason_id)
    messages.success(request, "The reason is forgotten.")
    return SeeOther(reverse("admin:desk_reasons"))
