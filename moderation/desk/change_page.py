"""All that a decision about one change needs to know."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.db.models import Count, F, Q

from moderation.actors import Actor
from moderation.desk.audit_words import EventView, event_views
from moderation.desk.diff_views import DiffView, diff_view
from moderation.desk.model_use import ModelUse, model_use
from moderation.desk.warning_views import WarningView, warning_views
from moderation.models import AuditEvent, ChangeComment, PendingChange
from moderation.pages.change_view import STATUS_LABELS, WITHDRAWN, ChangeView
from moderation.querysets import PendingChangeQuerySet
from moderation.reverts import open_reverts
from moderation.review import ChangeDiff, change_diff
from moderation.states import Operation, Status

# What becomes of the names that backends give a text model: its entries there are copies of its record.
RELATED_WORDS = {
    Operation.CREATE: "It gets entries under the names that backends give it",
    Operation.UPDATE: "Its entries under the names that backends give it change with it",
    Operation.DELETE: "Its entries under the names that backends give it go with it, if no other model has them",
}
# Of a proposer's decided changes, and of the other open changes to a model.
RECENT, RIVALS = 5, 20


@dataclass(frozen=True, slots=True)
class Proposer:
    """What became of the other proposals of the one who proposed a change."""

    counts: Sequence[tuple[str, int]]
    recent: Sequence[ChangeView]


@dataclass(frozen=True, slots=True)
class Acts:
    """What can be done with a change at this moment, by this approver."""

    may_approve: bool
    may_reject: bool
    may_withdraw: bool
    may_reopen: bool
    may_revert: bool
    is_barred: bool

    @property
    def any(self) -> bool:
        return self.may_reject or self.may_reopen or self.may_revert


@dataclass(frozen=True, slots=True)
class ChangePage:
    view: ChangeView
    diff: ChangeDiff
    shown: DiffView
    warnings: Sequence[WarningView]
    fault: str
    use: ModelUse | None
    rivals: Sequence[ChangeView]
    proposer: Proposer
    comments: Sequence[ChangeComment]
    events: Sequence[EventView]
    acts: Acts
    is_own: bool
    reverts: Sequence[int]
    reverted_by: Sequence[PendingChange]
    resubmits: int | None

    @property
    def change(self) -> PendingChange:
        return self.view.change

    @property
    def is_live(self) -> bool:
        return self.diff.current_state is not None and self.change.status != Status.APPLIED

    @property
    def related_words(self) -> str:
        return RELATED_WORDS[Operation(self.change.operation)]

    @property
    def stale_words(self) -> str:
        stale = self.diff.staleness
        return stale.sentence(self.change.model_name) if stale else ""


def change_page(change: PendingChange, actor: Actor) -> ChangePage:
    diff = change_diff(change)
    warnings, fault = warning_views(change)
    origin = change.request_metadata_as_dict() or {}
    is_own = change.requested_by == actor.user_id
    reverted_by = waiting_reverts(change)
    return ChangePage(
        ChangeView(change),
        diff,
        diff_view(diff),
        warnings,
        fault,
        use=model_use(change.category, change.model_name),
        rivals=_rivals(change),
        proposer=_proposer(change),
        comments=list(change.comments),
        events=event_views(AuditEvent.objects.of_changes([change.change_id]).in_order()),
        acts=_acts(change, is_own=is_own, is_undone=bool(reverted_by)),
        is_own=is_own,
        reverts=origin.get("reverts", ()),
        reverted_by=reverted_by,
        resubmits=origin.get("resubmits"),
    )


def waiting_reverts(change: PendingChange) -> Sequence[PendingChange]:
    """The open changes that undo this one."""
    if change.status != Status.APPLIED:
        return ()
    return open_reverts([change.change_id]).get(change.change_id, ())


def _acts(change: PendingChange, *, is_own: bool, is_undone: bool) -> Acts:
    is_pending = change.status == Status.PENDING
    is_barred = is_pending and is_own and settings.QUEUE_FORBID_SELF_APPROVAL
    return Acts(
        may_approve=is_pending and not is_barred,
        may_reject=is_pending,
        may_withdraw=is_pending and is_own,
        may_reopen=change.status == Status.APPROVED,
        may_revert=change.status == Status.APPLIED and not is_undone,
        is_barred=is_barred,
    )


def _rivals(change: PendingChange) -> list[ChangeView]:
    others = PendingChange.objects.open().of_model(change.category, change.model_name)
    others = others.exclude(pk=change.pk).without_states().defer("payload")
    return [ChangeView(other) for other in others.oldest_first()[:RIVALS]]


def _proposer(change: PendingChange) -> Proposer:
    theirs = PendingChange.objects.matching(requested_by=[change.requested_by]).exclude(pk=change.pk)
    decided = theirs.exclude(status=Status.PENDING).without_states().defer("payload")
    return Proposer(
        _counts(theirs),
        [ChangeView(other) for other in decided.order_by("-updated_at", "-change_id")[:RECENT]],
    )


def _counts(changes: PendingChangeQuerySet) -> list[tuple[str, int]]:
    """How many there are of each kind; what its owner took back was not rejected by anybody."""
    is_withdrawn = Q(status=Status.REJECTED, rejected_by=F("requested_by"), batch_title=None)
    counts = changes.aggregate(
        withdrawn=Count("pk", filter=is_withdrawn),
        **{status.value: Count("pk", filter=Q(status=status)) for status in STATUS_LABELS},
    )
    counts[Status.REJECTED] -= counts["withdrawn"]
    labels = {**STATUS_LABELS, "withdrawn": WITHDRAWN}
    return [(label, counts[kind]) for kind, label in labels.items() if counts[kind]]
