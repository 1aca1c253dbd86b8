"""What applying a change to a live record would come to."""

from dataclasses import dataclass

from moderation.conflicts import Staleness, staleness
from moderation.diffs import CREATED_AT, UPDATED_AT, is_same
from moderation.live import Live, live_form, payload_check, proposed_live, proposed_state
from moderation.models import PendingChange
from moderation.reverts import Past
from moderation.states import Operation


@dataclass(frozen=True, slots=True)
class Verdict:
    """`target` is what would be stored, None for a delete. A fulfilled change finds it stored already."""

    target: Live | None
    is_fulfilled: bool
    staleness: Staleness | None


def apply_verdict(change: PendingChange, live: Live | None, *, at: int, past: Past | None = None) -> Verdict:
    """The verdict on a change that is to be applied at once: its payload must be valid by today's rules."""
    if change.operation != Operation.DELETE:
        payload_check(change)
    return verdict(change, live, at=at, past=past)


def verdict(change: PendingChange, live: Live | None, *, at: int, past: Past | None = None) -> Verdict:
    """The verdict as far as the live record decides it. Raises PendingChangePayloadError for what is no record.

    `past` is what the change brings back, if it is a revert.
    """
    target = target_live(change, live, at=at, past=past)
    current = live_form(change.domain, change.category, live)
    proposed = proposed_state(change, target)
    if _is_fulfilled(change, current, proposed):
        return Verdict(target, is_fulfilled=True, staleness=None)
    stale = staleness(
        Operation(change.operation),
        base=change.base_as_dict(),
        base_digest=change.base_digest,
        live=current,
        proposed=proposed,
    )
    return Verdict(target, is_fulfilled=False, staleness=stale)


def target_live(
    change: PendingChange, live: Live | None, *, at: int, past: Past | None = None
) -> Live | None:
    """What applying the change over `live` would store; None for a delete.

    Raises PendingChangePayloadError where the payload is no record.
    """
    back = None if past is None else past.brought_back(change, live, at=at)
    return back or proposed_live(change, live, at=at)


def _is_fulfilled(change: PendingChange, current: dict | None, proposed: dict | None) -> bool:
    """Whether the live record says all that is proposed. The times that the server fills in say nothing."""
    if change.operation == Operation.DELETE or proposed is None:
        return False
    is_told = (proposed.get("metadata") or {}).get("created_at") is not None
    ignored = (UPDATED_AT,) if is_told else (UPDATED_AT, CREATED_AT)
    return is_same(current, proposed, ignoring=ignored)
