"""Views over what was done: pending now, the batches, one batch, and what a batch came to in the end.

Purged changes are part of the batches they were decided in. The domain is the form the changes are in; without
one, views take in the changes of every form.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import Count, Exists, Max, Min, OuterRef, Q, QuerySet

from moderation.diffs import FieldDiff, NetOperation, field_diffs, is_critical, net_effect
from moderation.models import AuditEvent, Batch, PendingChange
from moderation.querysets import MAX_ID, AuditEventQuerySet, PendingChangeQuerySet
from moderation.states import Status
from references.vocabulary import CanonicalFormat


@dataclass(frozen=True, slots=True)
class AuditedChange:
    """A change and what was done to it, first things first."""

    change: PendingChange
    events: Sequence[AuditEvent]


@dataclass(frozen=True, slots=True)
class BatchSummary:
    """A batch and the numbers of its members; `approved_count` includes those that were applied."""

    batch: Batch
    applied_at: int | None
    approved_count: int
    rejected_count: int
    applied_count: int

    @property
    def total_count(self) -> int:
        return self.approved_count + self.rejected_count


@dataclass(frozen=True, slots=True)
class BatchPage:
    """Batches from the newest down; `next_cursor` is the last one shown where older ones remain."""

    summaries: Sequence[BatchSummary]
    next_cursor: int | None


@dataclass(frozen=True, slots=True)
class BatchDetail:
    """A batch and its members."""

    summary: BatchSummary
    changes: Sequence[AuditedChange]


@dataclass(frozen=True, slots=True)
class NetChange:
    """A model as it was before the first of some changes was applied to it, and as the last one left it."""

    domain: CanonicalFormat
    category: str
    model_name: str
    change_ids: tuple[int, ...]
    before: dict | None
    after: dict | None

    @property
    def net_operation(self) -> NetOperation:
        return net_effect(self.before, self.after)

    @property
    def field_diffs(self) -> list[FieldDiff]:
        if self.net_operation is NetOperation.UNCHANGED:
            return []
        return field_diffs(self.before, self.after)

    @property
    def is_critical(self) -> bool:
        return is_critical(self.category, self.field_diffs)


def current(domain: str) -> list[AuditedChange]:
    """The pending changes, the latest first."""
    return changes_audited(PendingChange.objects.pending().in_domain(domain).newest_first())


def batches_page(domain: str | None, *, cursor: int | None = None, limit: int = 10) -> BatchPage:
    """Batches with numbers below the cursor."""
    batches = _batches(domain).order_by("-number")
    if cursor is not None and cursor <= MAX_ID:
        batches = batches.filter(number__lt=cursor)
    found = list(batches[: limit + 1])
    shown = found[:limit]
    return BatchPage(_summaries(domain, shown), shown[-1].number if len(found) > limit else None)


def batch_detail(domain: str | None, number: int) -> BatchDetail | None:
    summary = batch_summary(domain, number)
    if summary is None:
        return None
    members = _members(domain).in_batch(number).oldest_first()
    return BatchDetail(summary, changes_audited(members))


def batch_summary(domain: str | None, number: int) -> BatchSummary | None:
    batch = _batch(domain, number)
    return None if batch is None else _summaries(domain, [batch])[0]


def batch_net_changes(domain: str | None, number: int) -> tuple[Batch, list[NetChange]] | None:
    """The batch and what its applied changes came to, model by model in the order of applying."""
    batch = _batch(domain, number)
    if batch is None:
        return None
    return batch, net_changes(_members(domain).in_batch(number))


def batch_net_count(number: int) -> int:
    """The number of models that a batch wrote."""
    models = _applied_in(number).order_by().values("domain", "category", "model_name")
    return models.distinct().count()


def batch_net_page(number: int, *, offset: int, limit: int) -> list[NetChange]:
    """What a batch came to, for some of its models in the order of applying; no other states are read."""
    models = (
        _applied_in(number)
        .order_by()
        .values("domain", "category", "model_name")
        .annotate(first=Min("applied_event_id"), first_id=Min("change_id"))
        .order_by("first", "first_id")[offset : offset + limit]
    )
    shown = Q(pk__in=())
    for model in models:
        shown |= Q(domain=model["domain"], category=model["category"], model_name=model["model_name"])
    return net_changes(_applied_in(number).filter(shown))


def _applied_in(number: int) -> PendingChangeQuerySet:
    return PendingChange.recorded.in_batch(number).applied()


def net_changes(changes: Iterable[PendingChange]) -> list[NetChange]:
    """What those of the changes that were applied came to, from the states captured as they were."""
    by_model: dict[tuple[str, str, str], list[PendingChange]] = defaultdict(list)
    applied = (change for change in changes if change.status == Status.APPLIED)
    for change in sorted(applied, key=lambda change: (change.applied_event_id or 0, change.change_id)):
        by_model[change.domain, change.category, change.model_name].append(change)
    return [
        NetChange(
            CanonicalFormat(domain),
            category,
            model_name,
            change_ids=tuple(change.change_id for change in steps),
            before=steps[0].live_before_as_dict(),
            after=steps[-1].live_after_as_dict(),
        )
        for (domain, category, model_name), steps in by_model.items()
    ]


def model_history(category: str, name: str) -> AuditEventQuerySet:
    """Every write of the live record, first things first."""
    return AuditEvent.objects.of_model(category, name).in_order()


def last_event_id() -> int:
    """Where the log ends; whatever is computed from it stays true while this number stands."""
    return AuditEvent.objects.aggregate(last=Max("event_id"))["last"] or 0


def changes_audited(changes: Iterable[PendingChange]) -> list[AuditedChange]:
    """The changes with their events, in their order: one query more, however many there are."""
    changes = list(changes)
    events = defaultdict(list)
    for event in AuditEvent.objects.of_changes(change.change_id for change in changes).in_order():
        events[event.model_name].append(event)
    return [AuditedChange(change, events[str(change.change_id)]) for change in changes]


def _members(domain: str | None) -> PendingChangeQuerySet:
    members = PendingChange.recorded.all()
    return members if domain is None else members.in_domain(domain)


def _batches(domain: str | None) -> QuerySet[Batch]:
    """Batches with a member in this domain; one that was reopened to the last has none."""
    return Batch.objects.filter(Exists(_members(domain).filter(batch_id=OuterRef("number"))))


def _batch(domain: str | None, number: int) -> Batch | None:
    if not 0 < number <= MAX_ID:
        return None
    return _batches(domain).filter(pk=number).first()


def _summaries(domain: str | None, batches: Sequence[Batch]) -> list[BatchSummary]:
    counted = (
        _members(domain)
        .filter(batch_id__in=[batch.number for batch in batches])
        .order_by()
        .values("batch_id")
        .annotate(
            applied_at=Max("applied_at"),
            approved=Count("pk", filter=Q(status__in=[Status.APPROVED, Status.APPLIED])),
            rejected=Count("pk", filter=Q(status=Status.REJECTED)),
            applied=Count("pk", filter=Q(status=Status.APPLIED)),
        )
    )
    numbers = {row["batch_id"]: row for row in counted}
    return [
        BatchSummary(
            batch,
            applied_at=numbers[batch.number]["applied_at"],
            approved_count=numbers[batch.number]["approved"],
            rejected_count=numbers[batch.number]["rejected"],
            applied_count=numbers[batch.number]["applied"],
        )
        for batch in batches
    ]
