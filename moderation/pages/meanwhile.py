"""What people are told who acted on changes that others were quicker with."""

from collections.abc import Collection

from django.db.models import Q
from rest_framework.exceptions import APIException

from moderation.models import PendingChange
from moderation.pages.change_view import ChangeView
from moderation.problems import PendingChangeNotFoundError, PendingChangeStateError
from moderation.states import Status
from references.pages.labels import counted

MOST_TOLD = 5
_WHO = {
    Status.APPROVED: "approved_username",
    Status.APPLIED: "applied_username",
    Status.REJECTED: "rejected_username",
}


def refusal_words(error: APIException, ids: Collection[int], *, needed: Status | None = None) -> str:
    """Why an act on these changes was refused; where the status of one is to blame, who saw to that."""
    is_late = isinstance(error, PendingChangeStateError | PendingChangeNotFoundError)
    return (is_late and moved_words(ids, needed=needed)) or str(error.detail)


def moved_words(ids: Collection[int], *, needed: Status | None = None) -> str:
    """What became of the changes; where a status is needed, of those that are of another, or purged."""
    moved = PendingChange.recorded.with_ids(ids).without_states().defer("payload")
    if needed:
        moved = moved.filter(~Q(status=needed) | Q(purged_at__isnull=False))
    words = [_became(ChangeView(change)) for change in moved.oldest_first()[:MOST_TOLD]]
    if (more := moved.count() - len(words)) > 0:
        words.append(f"{counted(more, 'more change')} of these {'is' if more == 1 else 'are'} not {needed}.")
    return " ".join(words)


def _became(view: ChangeView) -> str:
    change = view.change
    if change.purged_at is not None:
        return f"Change {change.change_id} was purged."
    if change.status == Status.PENDING:
        return f"Change {change.change_id} is pending."
    who = "" if view.is_withdrawn else f" by {getattr(change, _WHO[Status(change.status)])}"
    return f"Change {change.change_id} was {view.status_label.lower()}{who}."
