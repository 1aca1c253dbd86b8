"""Batches and their members, as pages show them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from operator import or_

from django.db.models import Count, Q

from moderation.audit import AuditedChange, BatchSummary, NetChange
from moderation.desk.audit_words import EventView, user_names
from moderation.desk.rivals import rivals_of
from moderation.diffs import NetOperation
from moderation.models import AuditEvent, Batch, PendingChange
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
    `split_from` is the batch that its first changes were left behind by, where the log tells of one.
    """

    summary: BatchSummary
    approver: str
    waiting_count: int
    split_from: int | None = None

    @property
    def batch(self) -> Batch:
        return self.summary.batch

    @property
    def is_open(self) -> bool:
        return self.waiting_count > 0


@dataclass(frozen=True)
class Member:
    """A change of a batch, with what it would do or did, and what was done to it.

    `rivals` are the other open changes to the model of one that waits.
    """

    view: ChangeView
    diff: ChangeDiff
    events: Sequence[EventView] = ()
    rivals: Sequence[int] = ()

    @property
    def change(self) -> PendingChange:
        return self.view.change

    @cached_property
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


@dataclass(frozen=True)
class NetView:
    """What a batch did to one model."""

    net: NetChange

    @cached_property
    def operation(self) -> NetOperation:
        return self.net.net_operation

    @property
    def spec(self) -> CategorySpec:
        return CATEGORIES[self.net.category]

    @property
    def is_whole(self) -> bool:
        """Whether the record came or went, so that each of its fields is listed."""
        return self.net.before is None or self.net.after is None

    @property
    def label(self) -> str:
        return NET_LABELS[self.operation]

    @property
    def tone(self) -> str:
        return NET_TONES[self.operation]

    @cached_property
    def rows(self) -> DiffRows:
        if self.operation is NetOperation.UNCHANGED:
            return DiffRows([], [])
        return state_rows(self.net.category, self.net.before, self.net.after)


def batch_lines(summaries: Sequence[BatchSummary]) -> list[BatchLine]:
    """Three queries more: for the names of those who approved, for what waits, and for splits."""
    members = PendingChange.recorded.filter(batch_id__in=[each.batch.number for each in summaries]).order_by()
    approved = members.exclude(approved_by=None).values_list("approved_by", "approved_username")
    names = dict(approved.distinct())
    approved = PendingChange.objects.approved().order_by().values_list("batch_id")
    waiting = dict(approved.annotate(Count("pk")))
    origins = split_origins(summary.batch.number for summary in summaries)
    return [
        BatchLine(
            summary,
            names.get(summary.batch.approved_by) or summary.batch.approved_by,
            waiting.get(summary.batch.number, 0),
            origins.get(summary.batch.number),
        )
        for summary in summaries
    ]


def split_origins(numbers: Iterable[int]) -> dict[int, int]:
    """The batches that these were split from, by number, as the log tells it: one query."""
    wanted = set(numbers)
    named = [Q(payload__contains=f'"new_batch_id":{number},') for number in wanted]
    if not named:
        return {}
    splits = AuditEvent.objects.of_model(AuditEvent.QUEUE, AuditEvent.WHOLE_QUEUE).filter(reduce(or_, named))
    facts = [event.payload_as_dict()["after"] for event in splits]
    return {
        each["new_batch_id"]: each["original_batch_id"] for each in facts if each["new_batch_id"] in wanted
    }


def members(audited: Iterable[AuditedChange]) -> list[Member]:
    """At most one query more for each category, for the live records, and one for rivals."""
    audited = list(audited)
    names = user_names(each.change for each in audited)
    diffs = changes_diff(each.change for each in audited)
    rivals = rivals_of(each.change for each in audited if each.change.status == Status.APPROVED)
    return [
        Member(
            ChangeView(each.change),
            diff,
            [EventView(event, each.change, names) for event in each.events],
            [rival.change_id for rival in rivals.get(each.change.change_id, ())],
        )
        for each, diff in zip(audited, diffs, strict=True)
    ]
