"""Signing in with a key of the AI-Horde, and out. The key is checked, then forgotten."""

from http import HTTPStatus

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods

from moderation.live import canonical_domain
from moderation.pages.session import (
    NEXT,
    forms_are_open,
    queue_is_open,
    safe_next,
    session_begin,
    session_end,
    signed_in,
)
from references.auth import CHALLENGE
from references.horde import HordeTimeout, HordeUnavailable, InvalidKey, user_find
from references.pages.errors import posts_only
from references.pages.security import page
from references.pages.theme import SeeOther
from references.vocabulary import ReplicateMode

WRONG_KEY = "The AI-Horde does not know this key. Look for missing characters, or a space too many."
NO_ANSWER = "The AI-Horde does not answer, so the key could not be checked. Try again in a minute."
LONGEST_KEY = 200


class SignInForm(forms.Form):
    """The key, and where to go then. A password field is never filled in again by the server."""

    apikey = forms.CharField(
        label="AI-Horde key",
        max_length=LONGEST_KEY,
        widget=forms.PasswordInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text="It is sent to the AI-Horde to ask whose it is, and kept nowhere.",
        error_messages={"required": "Enter your key."},
    )
    next = forms.CharField(required=False, widget=forms.HiddenInput)


@sensitive_post_parameters("apikey")
@never_cache
@page
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    if request.method == "POST":
        return _attempt(request, SignInForm(request.POST))
    return _shown(request, SignInForm(initial={NEXT: safe_next(request.GET.get(NEXT, ""), default="")}))


@never_cache
@posts_only
def sign_out(request: HttpRequest) -> HttpResponse:
    session_end(request)
    return SeeOther(reverse("catalogue:home"))


@sensitive_variables("form")
def _attempt(request: HttpRequest, form: SignInForm) -> HttpResponse:
    if not form.is_valid():
        return _shown(request, form, HTTPStatus.BAD_REQUEST)
    try:
        user = user_find(form.cleaned_data["apikey"])
    except InvalidKey:
        form.add_error("apikey", WRONG_KEY)
        response = _shown(request, form, HTTPStatus.UNAUTHORIZED)
        response.headers["WWW-Authenticate"] = CHALLENGE
        return response
    except (HordeTimeout, HordeUnavailable):
        form.add_error(None, NO_ANSWER)
        return _shown(request, form, HTTPStatus.SERVICE_UNAVAILABLE)
    session_begin(request, user)
    here = reverse("moderation:sign_in")
    # Without a role there is nothing to do elsewhere: this page says how to get one.
    return SeeOther(safe_next(form.cleaned_data[NEXT], default=here) if user.is_requestor else here)


def _shown(request: HttpRequest, form: SignInForm, status: HTTPStatus = HTTPStatus.OK) -> HttpResponse:
    user = signed_in(request)
    # Who is signed in already is here to read.
    form.fields["apikey"].widget.attrs["autofocus"] = user is None
    context = {
        "form": form,
        "signed_in": user,
        "admin_name": request.user.get_username() if request.user.is_superuser else "",
        "has_queue": queue_is_open(),
        "is_replica": settings.REPLICATE_MODE is ReplicateMode.REPLICA,
        "has_forms": forms_are_open(),
        "canonical_format": canonical_domain(),
    }
    return render(request, "moderation/sign_in.html", context, status=status)
