"""What applying a change to a live record would come to."""

from dataclasses import dataclass

from moderation.conflicts import Staleness, staleness
from moderation.diffs import is_same
from moderation.live import Live, live_form, payload_check, proposed_live, proposed_state
from moderation.models import PendingChange
from moderation.states import Operation


@dataclass(frozen=True, slots=True)
class Verdict:
    """`target` is what would be stored, None for a delete. A fulfilled change finds it stored already."""

    target: Live | None
    is_fulfilled: bool
    staleness: Staleness | None


def apply_verdict(change: PendingChange, live: Live | None, *, at: int) -> Verdict:
    """The verdict on a change that is to be applied at once: its payload must be valid by today's rules."""
    if change.operation != Operation.DELETE:
        payload_check(change)
    return verdict(change, live, at=at)


def verdict(change: PendingChange, live: Live | None, *, at: int) -> Verdict:
    """Raises PendingChangePayloadError where the payload is no record."""
    target = proposed_live(change, live, at=at)
    current = live_form(change.domain, change.category, live)
    proposed = proposed_state(change, target)
    if change.operation != Operation.DELETE and is_same(current, proposed):
        return Verdict(target, is_fulfilled=True, staleness=None)
    stale = staleness(
        Operation(change.operation),
        base=change.base_as_dict(),
        base_digest=change.base_digest,
        live=current,
        proposed=proposed,
    )
    return Verdict(target, is_fulfilled=False, staleness=stale)
