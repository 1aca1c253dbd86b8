"""Queues proposals that bring back what was there before. They are reviewed and applied like all others."""

from collections.abc import Sequence

from rest_framework.exceptions import NotFound

from moderation.actors import Actor
from moderation.audit import NetChange, net_changes
from moderation.diffs import NetOperation
from moderation.models import Batch, PendingChange
from moderation.problems import PendingChangeNotFoundError, PendingChangeStateError
from moderation.querysets import MAX_ID
from moderation.services.proposing import Proposal, changes_propose
from moderation.services.transactions import in_one_transaction
from moderation.states import Operation, Status
from references.problems import BadRequest

_UNDOING = {
    NetOperation.ADDED: Operation.DELETE,
    NetOperation.MODIFIED: Operation.UPDATE,
    NetOperation.DELETED: Operation.CREATE,
}


@in_one_transaction
def change_revert(*, actor: Actor, change_id: int, at: int | None = None) -> PendingChange:
    """Proposes what undoes one applied change.

    Raises BadRequest where it was not applied or changed nothing, and what `changes_propose` raises.
    """
    change = PendingChange.objects.with_id(change_id).first()
    if change is None:
        raise PendingChangeNotFoundError(change_id)
    if change.status != Status.APPLIED:
        raise PendingChangeStateError(change_id, needed=Status.APPLIED, status=change.status)
    proposals = _undoing(net_changes([change]), route="revert_change", notes=f"Reverts change {change_id}.")
    if not proposals:
        raise BadRequest(f"Change {change_id} changed nothing.")
    return changes_propose(actor=actor, proposals=proposals, at=at)[0]


@in_one_transaction
def batch_revert(*, actor: Actor, batch_id: int, at: int | None = None) -> list[PendingChange]:
    """Proposes what undoes all that was applied of a batch, one change for each model, the last one first.

    Raises NotFound for a batch that is not there, BadRequest where nothing of it is live, and what
    `changes_propose` raises.
    """
    if not 0 < batch_id <= MAX_ID or not Batch.objects.filter(pk=batch_id).exists():
        raise NotFound("Batch not found")
    net = net_changes(PendingChange.recorded.in_batch(batch_id))
    proposals = _undoing(net, route="revert_batch", notes=f"Reverts batch {batch_id}.")
    if not proposals:
        raise BadRequest(f"Batch {batch_id} changed nothing.")
    return changes_propose(actor=actor, proposals=proposals, at=at)


def _undoing(net: Sequence[NetChange], *, route: str, notes: str) -> list[Proposal]:
    return [
        Proposal(
            change.category,
            change.model_name,
            _UNDOING[change.net_operation],
            change.before,
            route,
            notes=notes,
            request_metadata={"reverts": list(change.change_ids)},
            domain=change.domain,
        )
        for change in reversed(net)
        if change.net_operation in _UNDOING
    ]
