"""Batches and their members, as pages show them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import Count

from moderation.audit import AuditedChange, BatchSummary, NetChange
from moderation.desk.audit_words import EventView, user_names
from moderation.diffs import NetOperation
from moderation.models import Batch, PendingChange
from moderation.pages.change_view import ChangeView, DiffRows, diff_rows, state_rows
from moderation.review import ChangeDiff, changes_diff
from moderation.states import Status
from references.categories import CATEGORIES, CategorySpec

NET_LABELS = {
    NetOperation.ADDED: "Added",
    NetOperation.MODIFIED: "Changed",
    NetOperation.DELETED: "Removed",
    NetOperation.UNCHANGED: "Unchanged",
}
NET_TONES = {
    NetOperation.ADDED: "good",
    NetOperation.MODIFIED: "accent",
    NetOperation.DELETED: "critical",
    NetOperation.UNCHANGED: "",
}


@dataclass(frozen=True, slots=True)
class BatchLine:
    """A batch in a list; `approver` is who approved first, by name where that is known.

    `waiting_count` are its approved changes that are still to be applied: only the open batch has any.
    """

    summary: BatchSummary
    approver: str
    waiting_count: int

    @property
    def batch(self) -> Batch:
        return self.summary.batch

    @property
    def is_open(self) -> bool:
        return self.waiting_count > 0


@dataclass(frozen=True, slots=True)
class Member:
    """A change of a batch, with what it would do or did, and what was done to it."""

    view: ChangeView
    diff: ChangeDiff
    events: Sequence[EventView] = ()

    @property
    def change(self) -> PendingChange:
        return self.view.change

    @property
    def rows(self) -> DiffRows:
        return diff_rows(self.diff)

    @property
    def stale(self) -> str:
        """Why it would not apply as things are."""
        stale = self.diff.staleness
        return stale.sentence(self.change.model_name) if stale else ""

    @property
    def is_purged(self) -> bool:
        return self.change.purged_at is not None

    @property
    def can_be_reopened(self) -> bool:
        return self.change.status == Status.APPROVED and not self.is_purged


@dataclass(frozen=True, slots=True)
class NetView:
    """What a batch did to one model."""

    net: NetChange

    @property
    def spec(self) -> CategorySpec:
        return CATEGORIES[self.net.category]

    @property
    def is_whole(self) -> bool:
        """Whether the record came or went, so that each of its fields is listed."""
        return self.net.before is None or self.net.after is None

    @property
    def label(self) -> str:
        return NET_LABELS[self.net.net_operation]

    @property
    def tone(self) -> str:
        return NET_TONES[self.net.net_operation]

    @property
    def rows(self) -> DiffRows:
        if self.net.net_operation is NetOperation.UNCHANGED:
            return DiffRows([], [])
        return state_rows(self.net.category, self.net.before, self.net.after)


def batch_lines(summaries: Sequence[BatchSummary]) -> list[BatchLine]:
    """Two queries more, for the names of those who approved, and for what waits."""
    members = PendingChange.recorded.filter(batch_id__in=[each.batch.number for each in summaries]).order_by()
    approved = members.exclude(approved_by=None).values_list("approved_by", "approved_username")
    names = dict(approved.distinct())
    approved = PendingChange.objects.approved().order_by().values_list("batch_id")
    waiting = dict(approved.annotate(Count("pk")))
    return [
        BatchLine(
            summary,
            names.get(summary.batch.approved_by) or summary.batch.approved_by,
            waiting.get(summary.batch.number, 0),
        )
        for summary in summaries
    ]


def members(audited: Iterable[AuditedChange]) -> list[Member]:
    """At most one query more for each category, for the live records."""
    audited = list(audited)
    names = user_names(each.change for each in audited)
    diffs = changes_diff(each.change for each in audited)
    return [
        Member(
            ChangeView(each.change),
            diff,
            [EventView(event, each.change, names) for event in each.events],
        )
        for each, diff in zip(audited, diffs, strict=True)
    ]
