"""What moderation adds to every page: who is signed in, and where they can go."""

from collections.abc import Sequence

from django.http import HttpRequest
from django.urls import reverse

from moderation.pages.session import queue_is_open, sign_in_url, signed_in
from references.pages import panels
from references.pages.panels import Link, Panel


def places_fill() -> None:
    """Idempotent, like every part of setting up an app."""
    if header_user not in panels.header:
        panels.header.append(header_user)
        panels.navigation.append(own_links)


def header_user(request: HttpRequest) -> Panel:
    here = reverse("moderation:sign_in")
    offered = here if request.path == here else sign_in_url(request.get_full_path())
    return Panel("", "moderation/_user.html", {"user": signed_in(request), "sign_in_url": offered})


def own_links(request: HttpRequest) -> Sequence[Link]:
    user = signed_in(request)
    if user is None or not user.is_requestor or not queue_is_open():
        return []
    links = [Link("My changes", reverse("moderation:my_changes"), "my_changes")]
    if user.is_approver:
        links.append(Link("Desk", reverse("admin:index")))
    return links
