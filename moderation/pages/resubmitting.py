"""Proposing a rejected change once more, under the rules that hold today."""

from moderation.actors import Actor
from moderation.api.payloads import v1_payload
from moderation.live import canonical_domain, live_read
from moderation.models import PendingChange
from moderation.pages.proposing import record_read
from moderation.problems import PendingChangeStateError
from moderation.services import change_propose
from moderation.states import Operation, Status
from references.problems import Conflict


def change_resubmit(*, actor: Actor, change: PendingChange) -> PendingChange:
    """The new change; the rejected one stays as it is. Raises what proposing the record anew would raise."""
    if change.status != Status.REJECTED:
        raise PendingChangeStateError(change.change_id, needed=Status.REJECTED, status=change.status)
    if change.domain != canonical_domain():
        raise Conflict("It is in a format that this deployment no longer takes proposals in.")
    origin = change.request_metadata_as_dict() or {}
    return change_propose(
        actor=actor,
        category=change.category,
        name=change.model_name,
        operation=change.operation,
        payload=_payload(change),
        route=origin.get("route", ""),
        notes=change.notes,
        related_models=change.related_models_as_list(),
        request_metadata={"resubmits": change.change_id},
    )


def _payload(change: PendingChange) -> dict | None:
    if change.operation == Operation.DELETE:
        return None
    payload = change.payload_as_dict()
    if change.is_legacy:
        return v1_payload(change.category, payload)
    live = live_read(change.category, change.model_name)
    return record_read(change.category, payload, live and live.record)
