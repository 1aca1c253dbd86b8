"""A change of one's own, as its page shows it."""

from collections.abc import Sequence
from dataclasses import dataclass

from moderation.field_rows import FieldRow, field_row
from moderation.models import PendingChange
from moderation.review import ChangeDiff
from moderation.states import WITHDRAWN_REASON, Operation, Status
from moderation.telling import told_diffs
from references.categories import CATEGORIES, CategorySpec

STATUS_LABELS = {
    Status.PENDING: "Pending",
    Status.APPROVED: "Approved",
    Status.APPLIED: "Applied",
    Status.REJECTED: "Rejected",
}
STATUS_TONES = {
    Status.PENDING: "accent",
    Status.APPROVED: "good",
    Status.APPLIED: "",
    Status.REJECTED: "critical",
}
OPERATION_LABELS = {Operation.CREATE: "New", Operation.UPDATE: "Edit", Operation.DELETE: "Removal"}
WITHDRAWN = "Withdrawn"
REPLACEABLE = (Status.PENDING, Status.REJECTED)


@dataclass(frozen=True, slots=True)
class ChangeView:
    """A change with the words for it, and what its owner can do."""

    change: PendingChange

    @property
    def spec(self) -> CategorySpec:
        return CATEGORIES[self.change.category]

    @property
    def operation_label(self) -> str:
        return OPERATION_LABELS[Operation(self.change.operation)]

    @property
    def status_label(self) -> str:
        return WITHDRAWN if self.is_withdrawn else STATUS_LABELS[Status(self.change.status)]

    @property
    def tone(self) -> str:
        return "outline" if self.is_withdrawn else STATUS_TONES[Status(self.change.status)]

    @property
    def is_withdrawn(self) -> bool:
        """Whether its owner took it back. Who rejects, be it a change of their own, decides in a titled batch."""
        change = self.change
        is_by_owner = change.rejected_by == change.requested_by
        return change.status == Status.REJECTED and is_by_owner and change.batch_title is None

    @property
    def reject_reason(self) -> str:
        """Why it was rejected; nothing where it was taken back without a word."""
        reason = self.change.reject_reason or ""
        return "" if self.is_withdrawn and reason == WITHDRAWN_REASON else reason

    @property
    def can_be_withdrawn(self) -> bool:
        return self.change.status == Status.PENDING

    @property
    def can_be_edited(self) -> bool:
        """Whether another proposal may take its place: it is undecided, or turned down."""
        return self.change.status in REPLACEABLE and self.change.operation != Operation.DELETE

    @property
    def can_be_resubmitted(self) -> bool:
        return self.change.status == Status.REJECTED


@dataclass(frozen=True, slots=True)
class DiffRows:
    """The fields that differ, and apart from them those that say nothing."""

    telling: Sequence[FieldRow]
    idle: Sequence[FieldRow]

    @property
    def is_critical(self) -> bool:
        return any(row.is_critical for row in self.telling)


def diff_rows(diff: ChangeDiff) -> DiffRows:
    return state_rows(diff.change.category, diff.current_state, diff.proposed_state)


def state_rows(category: str, before: dict | None, after: dict | None) -> DiffRows:
    """What differs between two states of a record, either of which may be none."""
    told = told_diffs(category, before, after)
    return DiffRows(
        [field_row(category, field) for field in told.telling],
        [field_row(category, field) for field in told.idle],
    )
