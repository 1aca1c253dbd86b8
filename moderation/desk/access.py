"""Who may act at the desk: approvers by key, for as long as they are listed, and superusers by password."""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache

from moderation.actors import Actor, LoggedActor
from moderation.admin_access import approver_of
from moderation.pages.session import page_of, queue_is_open, signed_in, signed_out_tell
from references.pages.security import page

# What the log calls people who come in by password. Ids of the AI-Horde are numbers, so the two never meet.
SUPERUSER_PREFIX = "admin:"

ApproverView = Callable[..., HttpResponseBase]


def actor_of(request: HttpRequest) -> Actor | None:
    """Who acts at the desk at this moment, if anybody may.

    A superuser without a key has the id `admin:<name>` and the name they sign in with.
    """
    if (approver := approver_of(request)) is not None:
        return approver
    user = request.user
    if user.is_active and user.is_superuser:
        return LoggedActor(f"{SUPERUSER_PREFIX}{user.get_username()}", user.get_username())
    return None


def for_approvers(view: ApproverView) -> ApproverView:
    """Makes a view a page of the desk, which gets the Actor as its second argument.

    Everyone else is sent to the login of the admin. Nothing is kept by caches, and the policy is that of all
    pages. Where there is no queue to act on, the page says so.
    """

    @wraps(view)
    def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        if not queue_is_open():
            return render(request, "moderation/no_queue.html", status=HTTPStatus.SERVICE_UNAVAILABLE)
        actor = actor_of(request)
        if actor is None:
            if not request.user.is_authenticated and signed_in(request) is None:
                signed_out_tell(request)
            back = page_of(request, default=reverse("admin:desk_queue"))
            return redirect_to_login(back, reverse("admin:login"))
        request.actor = actor
        return view(request, actor, *args, **kwargs)

    return never_cache(page(guarded))
