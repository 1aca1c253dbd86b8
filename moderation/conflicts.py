"""Whether a proposal still fits the live record it was made from. Pure."""

import hashlib
from dataclasses import dataclass
from enum import StrEnum

from moderation.diffs import UPDATED_AT, UPDATED_BY, canonical, field_diffs, is_under, without
from moderation.states import Operation

_STAMPS = (UPDATED_AT, UPDATED_BY)


class Reason(StrEnum):
    """Why a proposal does not fit."""

    CHANGED = "changed"
    GONE = "gone"
    EXISTS = "exists"


_SENTENCES = {
    Reason.CHANGED: "was changed after this change was proposed",
    Reason.GONE: "no longer exists",
    Reason.EXISTS: "was created after this change was proposed",
}


@dataclass(frozen=True, slots=True)
class Staleness:
    """Why a proposal is stale, and the paths that it and somebody else since set to different values."""

    reason: Reason
    fields: tuple[str, ...]

    def sentence(self, model_name: str, *, with_reason: bool = False) -> str:
        """For people; clients get the name of the reason with it."""
        named = f" ({self.reason})" if with_reason else ""
        ending = f" Clashing fields: {', '.join(self.fields)}." if self.fields else ""
        return f"Model '{model_name}' {_SENTENCES[self.reason]}{named}.{ending}"


def digest(record: dict | None) -> str | None:
    """A hash of what a record says, whoever wrote it and when."""
    if record is None:
        return None
    return hashlib.sha256(canonical(without(record, *_STAMPS)).encode()).hexdigest()


def staleness(
    operation: Operation,
    *,
    base: dict | None,
    base_digest: str | None,
    live: dict | None,
    proposed: dict | None,
) -> Staleness | None:
    """What keeps a proposal made on `base` from being applied to `live`; None when nothing does.

    That the live record may already be as proposed is not looked at here.
    """
    if operation is Operation.CREATE:
        return None if live is None else Staleness(Reason.EXISTS, _clashes(None, live, proposed))
    if live is None:
        return Staleness(Reason.GONE, ())
    if digest(live) == base_digest:
        return None
    return Staleness(Reason.CHANGED, _clashes(base, live, proposed))


def _clashes(base: dict | None, live: dict, proposed: dict | None) -> tuple[str, ...]:
    """The paths on which both sides left the base and do not agree."""
    by_others = [diff.path for diff in field_diffs(base, live)]
    apart = [diff.path for diff in field_diffs(live, proposed)]
    return tuple(
        diff.path
        for diff in field_diffs(base, proposed)
        if diff.path not in _STAMPS and _touches(diff.path, by_others) and _touches(diff.path, apart)
    )


def _touches(path: str, others: list[str]) -> bool:
    return any(is_under(path, other) or is_under(other, path) for other in others)
