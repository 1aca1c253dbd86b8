"""What reverts bring back, as the log has it: more than a proposal can say of a record."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from moderation.diffs import CREATED_AT, CREATED_BY, UPDATED_AT, UPDATED_BY, is_same, without
from moderation.live import Live, creation_kept, live_form, reverted_ids
from moderation.models import AuditEvent, PendingChange
from moderation.states import Operation
from references.services import json_text


@dataclass(frozen=True, slots=True)
class Past:
    """A record as it was before the changes that a revert undoes, with its place, and as they left it."""

    before: Live
    after: Live | None

    def brought_back(self, change: PendingChange, live: Live | None, *, at: int) -> Live | None:
        """The record as it was, with all that was stored beside it, in place of what the revert says of it.

        None where the revert says something else, or somebody wrote the record since: what is live then is
        not to be lost, and takes over what the revert says like any other change.
        """
        if live is not None and not self._is_left(live):
            return None
        before = live_form(change.domain, change.category, self.before)
        if not is_same(_content(change.payload_as_dict() or {}), _content(before)):
            return None
        if change.operation == Operation.CREATE and live is None:
            return self.before
        stamps = {"updated_at": at, **({} if live is None else creation_kept(live))}
        metadata = {**(self.before.record.get("metadata") or {}), **stamps}
        record = {**self.before.record, "metadata": metadata}
        return Live(record, self.before.legacy, self.before.position)

    def _is_left(self, live: Live) -> bool:
        """Whether the live record is the one that the reverted changes left."""
        return (
            self.after is not None
            and is_same(live.record, self.after.record, ignoring=(UPDATED_AT, UPDATED_BY))
            and json_text(live.legacy) == json_text(self.after.legacy)
        )


def pasts_read(changes: Iterable[PendingChange]) -> dict[int, Past]:
    """What those of the changes that are reverts bring back, by change id: two queries where there are any.

    A revert has none if it deletes, and if what it undoes was applied while no log was kept.
    """
    undone = {
        change.change_id: ids
        for change in changes
        if change.operation != Operation.DELETE and (ids := reverted_ids(change))
    }
    if not undone:
        return {}
    writes = _writes({change_id for ids in undone.values() for change_id in ids})
    found = {change_id: _past(ids, writes) for change_id, ids in undone.items()}
    return {change_id: past for change_id, past in found.items() if past is not None}


def open_reverts(change_ids: Iterable[int]) -> dict[int, list[PendingChange]]:
    """The open changes that undo these, oldest first, by the id of what they undo: one query."""
    wanted = set(change_ids)
    found: dict[int, list[PendingChange]] = {}
    if wanted:
        for revert in PendingChange.objects.open().undoing().without_states().defer("payload").oldest_first():
            for change_id in wanted.intersection(reverted_ids(revert)):
                found.setdefault(change_id, []).append(revert)
    return found


def _past(ids: Iterable[int], writes: Mapping[int, AuditEvent]) -> Past | None:
    events = sorted((writes[number] for number in ids if number in writes), key=lambda event: event.event_id)
    if not events:
        return None
    first, last = events[0].payload_as_dict(), events[-1].payload_as_dict()
    if "before" not in first:
        return None
    before = Live(first["before"], first.get("legacy_before"), first["position"])
    return Past(before, Live(last["after"], last.get("legacy_after")) if "after" in last else None)


def _writes(ids: Iterable[int]) -> dict[int, AuditEvent]:
    """The write of each of these changes, by change id: it is the event right before that of the apply."""
    applied = PendingChange.recorded.with_ids(ids).applied().exclude(applied_event_id=None)
    applies = {
        event_id - 1: (change_id, (category, name, job_id))
        for event_id, change_id, category, name, job_id in applied.values_list(
            "applied_event_id", "change_id", "category", "model_name", "applied_job_id"
        )
    }
    return {
        applies[event.event_id][0]: event
        for event in AuditEvent.objects.filter(pk__in=applies)
        if applies[event.event_id][1] == (event.category, event.model_name, event.request_id)
    }


def _content(record: dict) -> dict:
    """The record without what is stamped on it or kept of the live one, and without a missing `metadata`."""
    stamped = {**record, "metadata": record.get("metadata") or {}}
    return without(stamped, CREATED_AT, CREATED_BY, UPDATED_AT)
