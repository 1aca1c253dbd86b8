"""Who is signed in. The session holds a user's id and name; what they may do, the allowlists say each time."""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from urllib.parse import urlsplit, urlunsplit

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode

from moderation.live import canonical_domain
from references.horde import HordeUser
from references.pages.theme import SeeOther
from references.vocabulary import CanonicalFormat, ReplicateMode

NEXT = "next"
# The field that brings a half-written record back with every step of a form.
DRAFT = "draft"
# A key that its owner gave up opens the pages no longer than this.
SIGNED_IN_SECONDS = 12 * 3600
KEPT_WORDS = (
    "What you typed is not lost: go back to find it in the form. Where scripts run, this browser also keeps it "
    "for a week and offers it when you open the form again."
)

_SESSION_KEY = "horde_user"

RequestorView = Callable[..., HttpResponseBase]


def signed_in(request: HttpRequest) -> HordeUser | None:
    # A request that fails early, in another middleware, still gets a page but has no session.
    session = getattr(request, "session", {})
    held = session.get(_SESSION_KEY)
    return HordeUser(**held) if held else None


def session_begin(request: HttpRequest, user: HordeUser) -> None:
    """Signs a user in, in a new session: nothing of the one before is kept, whoever had it."""
    request.session.flush()
    request.session[_SESSION_KEY] = {"user_id": user.user_id, "username": user.username}
    request.session.set_expiry(SIGNED_IN_SECONDS)


def session_end(request: HttpRequest) -> None:
    request.session.flush()


def safe_next(address: str, *, default: str) -> str:
    """The address if it leads to a page of this site, else the default."""
    return address if url_has_allowed_host_and_scheme(address, allowed_hosts=None) else default


def sign_in_url(back: str) -> str:
    """The sign-in page, which leads back to the address afterwards."""
    return f"{reverse('moderation:sign_in')}?{urlencode({NEXT: back})}"


def page_of(request: HttpRequest, *, default: str) -> str:
    """The address of the page that somebody asks for, or whose form they send."""
    if request.method in ("GET", "HEAD"):
        return request.get_full_path()
    sender = request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(sender, allowed_hosts={request.get_host()}):
        return default
    return urlunsplit(("", "", *urlsplit(sender)[2:4], "")) or default


def signed_out_tell(request: HttpRequest) -> None:
    """Leaves a message for whoever sent a form without being signed in: sessions end while people write."""
    if request.method == "POST":
        kept = f" {KEPT_WORDS}" if DRAFT in request.POST else ""
        messages.warning(request, f"Nothing was sent: you are no longer signed in.{kept}")


def queue_is_open() -> bool:
    """Whether this deployment has a queue to show and to write to."""
    return settings.QUEUE_ENABLED and settings.REPLICATE_MODE is not ReplicateMode.REPLICA


def forms_are_open() -> bool:
    """Whether proposals can be written on pages: these are version 2 records, which not every queue takes."""
    return queue_is_open() and canonical_domain() is CanonicalFormat.V2


def for_requestors(view: RequestorView) -> Callable[..., HttpResponseBase]:
    """Gives the view the signed-in requestor as its second argument; everyone else is told what is missing."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        if not queue_is_open():
            return _no_queue(request)
        user = signed_in(request)
        if user is None:
            signed_out_tell(request)
            return SeeOther(sign_in_url(page_of(request, default=reverse("moderation:my_changes"))))
        if not user.is_requestor:
            messages.warning(request, _no_role_words(request, user))
            # That page says who is signed in, and how to get a role.
            return SeeOther(reverse("moderation:sign_in"))
        return view(request, user, *args, **kwargs)

    return guarded


def for_proposers(view: RequestorView) -> Callable[..., HttpResponseBase]:
    """As `for_requestors`, for pages that propose: where the API refuses version 2 records, so do they."""
    guarded = for_requestors(view)

    @wraps(view)
    def proposing(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        if queue_is_open() and not forms_are_open():
            return render(request, "moderation/no_forms.html", status=HTTPStatus.SERVICE_UNAVAILABLE)
        return guarded(request, *args, **kwargs)

    return proposing


def _no_role_words(request: HttpRequest, user: HordeUser) -> str:
    words = f"{user.username} is no requestor at this moment."
    if DRAFT in request.POST:
        return f"Nothing was sent: {words} {KEPT_WORDS}"
    if request.method == "POST":
        return f"Nothing was done: {words}"
    return f"{words} What was proposed before stays in the queue, and is yours to see with the role."


def _no_queue(request: HttpRequest) -> HttpResponse:
    return render(request, "moderation/no_queue.html", status=HTTPStatus.SERVICE_UNAVAILABLE)
