"""What people write down beside decisions: comments on changes, and the reasons that approvers use again."""

from moderation.actors import Actor
from moderation.models import ChangeComment, PendingChange, SavedReason
from moderation.problems import PendingChangeNotFoundError
from moderation.services.transactions import clock, in_one_transaction, longest_check
from references.problems import Unprocessable

LONGEST_COMMENT = 4000
LONGEST_REASON = 500


@in_one_transaction
def comment_add(*, actor: Actor, change_id: int, text: str, at: int | None = None) -> ChangeComment:
    """Raises Unprocessable for a comment that is empty or too long."""
    text = text.strip()
    _length_check("comment", text, LONGEST_COMMENT)
    if not PendingChange.objects.with_id(change_id).exists():
        raise PendingChangeNotFoundError(change_id)
    return ChangeComment.objects.create(
        change_id=change_id,
        author_id=actor.user_id,
        author_username=actor.username,
        text=text,
        written_at=clock(at),
    )


@in_one_transaction
def own_comment_add(*, actor: Actor, change_id: int, text: str, at: int | None = None) -> ChangeComment:
    """A comment of the owner. To anyone else there is no such change; see comment_add."""
    own = PendingChange.objects.matching(requested_by=[actor.user_id]).with_id(change_id)
    if not own.exists():
        raise PendingChangeNotFoundError(change_id)
    return comment_add(actor=actor, change_id=change_id, text=text, at=at)


@in_one_transaction
def reason_save(*, text: str) -> SavedReason:
    """Keeps a reason for rejecting; one that is kept already stays as it is."""
    text = text.strip()
    _length_check("reason", text, LONGEST_REASON)
    return SavedReason.objects.get_or_create(text=text)[0]


@in_one_transaction
def reason_forget(*, reason_id: int) -> None:
    SavedReason.objects.filter(pk=reason_id).delete()


def _length_check(what: str, text: str, longest: int) -> None:
    if not text:
        raise Unprocessable(f"The {what} is empty.")
    longest_check(what, text, longest=longest)
