"""Which differences of a change say something, and which only fill in what is empty or what the service sets."""

from collections.abc import Iterable

from moderation.diffs import CREATED_AT, UPDATED_AT, UPDATED_BY, ChangeType, FieldDiff, field_diffs
from moderation.live import Live, live_form, proposed_live, proposed_state
from moderation.models import PendingChange
from moderation.problems import PendingChangePayloadError

# The service sets these itself, whatever a proposal says.
STAMPS = (CREATED_AT, UPDATED_AT, UPDATED_BY)
_EMPTY = (None, "", [])


def diff_now(change: PendingChange, live: Live | None) -> list[FieldDiff]:
    """What an open change would do to the live record."""
    return field_diffs(live_form(change.domain, change.category, live), proposed_record(change, live))


def proposed_record(change: PendingChange, live: Live | None) -> dict | None:
    """The record that the change asks for; the bare payload where it is no valid record."""
    try:
        return proposed_state(change, proposed_live(change, live, at=change.requested_at))
    except PendingChangePayloadError:
        return change.payload_as_dict()


def telling(diffs: Iterable[FieldDiff]) -> list[FieldDiff]:
    return [diff for diff in diffs if not is_idle(diff)]


def is_idle(diff: FieldDiff) -> bool:
    is_one_sided = diff.change_type is not ChangeType.MODIFIED
    return diff.path in STAMPS or (is_one_sided and diff.old in _EMPTY and diff.new in _EMPTY)
