"""What others have proposed for the models that somebody is about to propose something for."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from moderation.models import PendingChange
from moderation.pages.change_view import ChangeView
from moderation.pages.record_panels import change_url
from references.auth import read_role
from references.horde import HordeUser

MOST_SHOWN = 5


@dataclass(frozen=True, slots=True)
class OpenProposal:
    """`url` is empty where the visitor has no page of it."""

    view: ChangeView
    is_own: bool
    url: str


@dataclass(frozen=True, slots=True)
class UnderWay:
    """The open proposals for one model: how many there are, and those of them that the visitor may see."""

    count: int
    shown: Sequence[OpenProposal]


def proposals_under_way(
    user: HordeUser, category: str, names: Collection[str], *, apart_from: int | None = None
) -> Mapping[str, UnderWay]:
    """Those for every name that has some, in one query. That there are any is for every requestor to know."""
    found = PendingChange.objects.open().filter(category=category, model_name__in=names)
    found = found.exclude(pk=apart_from).without_states().defer("payload").oldest_first()
    by_name: dict[str, list[PendingChange]] = {}
    for change in found:
        by_name.setdefault(change.model_name, []).append(change)
    return {name: _under_way(user, changes) for name, changes in by_name.items()}


def _under_way(user: HordeUser, changes: Sequence[PendingChange]) -> UnderWay:
    sees_all = user.has_role(read_role())
    visible = [change for change in changes if sees_all or change.requested_by == user.user_id]
    return UnderWay(
        len(changes),
        [
            OpenProposal(ChangeView(change), change.requested_by == user.user_id, change_url(user, change))
            for change in visible[:MOST_SHOWN]
        ],
    )
