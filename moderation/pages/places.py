"""What moderation adds to every page: who is signed in, and where they can go."""

from collections.abc import Sequence

from django.contrib.auth.base_user import AbstractBaseUser
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode

from moderation.pages.record_panels import pending_badges, record_history, record_pending
from moderation.pages.session import forms_are_open, queue_is_open, sign_in_url, signed_in
from references.pages import panels
from references.pages.panels import Link, Panel
from references.rows import Row


def places_fill() -> None:
    """Idempotent, like every part of setting up an app."""
    if header_user not in panels.header:
        panels.header.append(header_user)
        panels.navigation.append(own_links)
        panels.record_actions.append(record_proposals)
        panels.category_actions.append(category_proposals)
        panels.selection_actions.append(selection_proposals)
        panels.record_panels.extend([record_pending, record_history])
        panels.row_badges.append(pending_badges)


def header_user(request: HttpRequest) -> Panel:
    here = reverse("moderation:sign_in")
    offered = here if request.path == here else sign_in_url(request.get_full_path())
    user = signed_in(request)
    shown = {"user": user, "account": None if user else account_of(request), "sign_in_url": offered}
    return Panel("", "moderation/_user.html", shown)


def account_of(request: HttpRequest) -> AbstractBaseUser | None:
    """Who is signed in by password: the admin lets them in whatever role they have."""
    # A request that fails early, in another middleware, still gets a page but has no user.
    user = getattr(request, "user", None)
    return user if user is not None and user.is_active and user.is_staff else None


def own_links(request: HttpRequest) -> Sequence[Link]:
    user = signed_in(request)
    links = []
    if user is not None and user.is_requestor and queue_is_open():
        links.append(Link("My changes", reverse("moderation:my_changes"), "my_changes"))
    if (links and user.is_approver) or account_of(request):
        links.append(Link("Desk", reverse("admin:index"), "desk"))
    return links


def may_propose(request: HttpRequest) -> bool:
    user = signed_in(request)
    return user is not None and user.is_requestor and forms_are_open()


def record_proposals(request: HttpRequest, row: Row) -> Sequence[Link]:
    if not may_propose(request):
        return []
    model = [row.category, row.name]
    copy = f"{reverse('moderation:propose', args=[row.category])}?{urlencode({'copy': row.name})}"
    return [
        Link("Propose changes", reverse("moderation:propose_edit", args=model)),
        Link("Copy", copy),
        Link("Propose removal", reverse("moderation:propose_delete", args=model)),
    ]


def category_proposals(request: HttpRequest, category: str) -> Sequence[Link]:
    if not may_propose(request):
        return []
    return [Link("Propose a model", reverse("moderation:propose", args=[category]))]


def selection_proposals(request: HttpRequest, category: str) -> Sequence[Link]:
    if not may_propose(request):
        return []
    return [Link("Propose removal", reverse("moderation:propose_bulk", args=[category]))]
