"""What moderation adds to the pages of the catalogue: a record's history, and what is proposed for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from moderation.models import PendingChange
from moderation.pages.change_view import ChangeView, DiffRows, diff_rows
from moderation.pages.record_steps import record_steps
from moderation.pages.session import queue_is_open, signed_in
from moderation.querysets import PendingChangeQuerySet
from moderation.review import changes_diff
from references.auth import read_role
from references.horde import HordeUser
from references.pages.panels import Badge, Panel
from references.rows import Row

STEPS_SHOWN = 5
CHANGES_SHOWN = 10


@dataclass(frozen=True, slots=True)
class OpenChange:
    """A change that may still change the record; `url` is empty where the visitor has no page of it."""

    view: ChangeView
    rows: DiffRows
    url: str


def record_history(request: HttpRequest, row: Row) -> Panel | None:
    """The last writes of the record. What it said was public; who wrote it is for those who may read the queue."""
    if not settings.AUDIT_ENABLED:
        return None
    page = record_steps(row.category, row.name, limit=STEPS_SHOWN)
    if not page.steps:
        return None
    user = _queue_visitor(request)
    whole = reverse("admin:desk_model_history", args=[row.category, row.name])
    context = {
        "steps": page.steps,
        "has_more": page.next_cursor is not None,
        "shows_people": user is not None and user.has_role(read_role()),
        "whole_url": whole if user is not None and user.is_approver else "",
    }
    return Panel("History", "moderation/record_history.html", context)


def record_pending(request: HttpRequest, row: Row) -> Panel | None:
    """The open changes of the record that the visitor may see."""
    user = _queue_visitor(request)
    if user is None:
        return None
    found = _visible_changes(user).of_model(row.category, row.name).newest_first()
    changes = list(found[: CHANGES_SHOWN + 1])
    if not changes:
        return None
    shown = [
        OpenChange(ChangeView(diff.change), diff_rows(diff), change_url(user, diff.change))
        for diff in changes_diff(changes[:CHANGES_SHOWN])
    ]
    context = {"changes": shown, "has_more": len(changes) > CHANGES_SHOWN}
    return Panel("Proposed changes", "moderation/record_pending.html", context)


def pending_badges(
    request: HttpRequest, category: str, names: Sequence[str]
) -> Mapping[str, Sequence[Badge]]:
    """A badge for every name with open changes that the visitor may see: one query for all names of a page."""
    user = _queue_visitor(request)
    if user is None or not names:
        return {}
    changes = (
        _visible_changes(user)
        .filter(category=category, model_name__in=names)
        .only("category", "model_name", "requested_by")
        .oldest_first()
    )
    by_name: dict[str, list[PendingChange]] = {}
    for change in changes:
        by_name.setdefault(change.model_name, []).append(change)
    return {name: [_badge(user, found)] for name, found in by_name.items()}


def _badge(user: HordeUser, changes: Sequence[PendingChange]) -> Badge:
    """Leads to the only change, or to the record, whose page lists them."""
    label = "pending change" if len(changes) == 1 else f"{len(changes)} pending changes"
    record = reverse("catalogue:record", args=[changes[0].category, changes[0].model_name])
    url = change_url(user, changes[0]) if len(changes) == 1 else ""
    return Badge(label, "accent", url or record)


def _queue_visitor(request: HttpRequest) -> HordeUser | None:
    """Who is signed in, where there is a queue to see anything of."""
    return signed_in(request) if queue_is_open() else None


def _visible_changes(user: HordeUser) -> PendingChangeQuerySet:
    """The open changes: all of them for those who may read the queue, for others their own."""
    found = PendingChange.objects.open()
    return found if user.has_role(read_role()) else found.matching(requested_by=[user.user_id])


def change_url(user: HordeUser, change: PendingChange) -> str:
    """The page of the change for this user; empty where they have none."""
    if user.is_approver:
        return reverse("admin:desk_change", args=[change.change_id])
    if user.is_requestor and change.requested_by == user.user_id:
        return reverse("moderation:my_change", args=[change.change_id])
    return ""
