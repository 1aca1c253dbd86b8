"""Writes in the legacy format on deployments without a queue: they take effect at once.

They come to the same as a change that is proposed, approved and applied, and the log tells of them likewise.
"""

from moderation.actors import Actor
from moderation.live import Live, live_form, live_read, proposed_live
from moderation.models import PendingChange
from moderation.problems import model_not_found, model_taken
from moderation.services.transactions import categories_lock, clock, in_one_transaction
from moderation.states import Operation
from references.services import json_text, record_delete, record_put
from references.vocabulary import CanonicalFormat


@in_one_transaction
def legacy_record_create(*, actor: Actor, category: str, payload: dict, at: int | None = None) -> dict:
    """Stores a new record and returns it as stored; raises Conflict where the model is live."""
    categories_lock([category])
    if live_read(category, payload["name"]) is not None:
        raise model_taken(category, payload["name"])
    return _put(actor, category, Operation.CREATE, payload, None, at=clock(at))


@in_one_transaction
def legacy_record_update(*, actor: Actor, category: str, payload: dict, at: int | None = None) -> dict:
    """Replaces a record whole and returns it as stored; raises NotFound where the model is not live."""
    categories_lock([category])
    live = live_read(category, payload["name"])
    if live is None:
        raise model_not_found(category, payload["name"])
    return _put(actor, category, Operation.UPDATE, payload, live, at=clock(at))


@in_one_transaction
def legacy_record_delete(*, actor: Actor, category: str, name: str, at: int | None = None) -> None:
    """Removes a record; raises NotFound where the model is not live."""
    categories_lock([category])
    if live_read(category, name) is None:
        raise model_not_found(category, name)
    record_delete(category=category, name=name, actor=actor.user_id, at=clock(at))


def _put(
    actor: Actor, category: str, operation: Operation, payload: dict, live: Live | None, *, at: int
) -> dict:
    change = PendingChange(
        category=category,
        model_name=payload["name"],
        operation=operation.value,
        domain=CanonicalFormat.LEGACY.value,
        payload=json_text(payload),
    )
    target = proposed_live(change, live, at=at)
    record_put(
        category=category,
        name=payload["name"],
        record=target.record,
        legacy=target.legacy,
        actor=actor.user_id,
        at=at,
    )
    return live_form(CanonicalFormat.LEGACY, category, target)
