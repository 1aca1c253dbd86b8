"""Puts proposals into the queue."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from moderation.actors import Actor
from moderation.conflicts import digest
from moderation.event_drafts import enqueue_draft
from moderation.events import events_append
from moderation.live import Live, canonical_domain, live_form, lives_read, payload_queued
from moderation.models import PendingChange, json_text_or_null
from moderation.problems import model_not_found, model_taken
from moderation.services.transactions import clock, in_one_transaction
from moderation.states import Operation
from references.categories import TEXT_CATEGORY
from references.text import related_models as text_related_models
from references.vocabulary import CanonicalFormat


@dataclass(frozen=True, slots=True)
class Proposal:
    """What someone wants done to one model.

    `payload` is the whole record to store, in the form of the domain; a delete needs none. `route` names the
    operation of the API that was called. Without `related_models`, a text model gets those of its name.
    """

    category: str
    name: str
    operation: Operation
    payload: dict | None
    route: str
    notes: str | None = None
    related_models: Sequence[str] | None = None
    request_metadata: Mapping[str, object] | None = None
    domain: CanonicalFormat | None = None


@in_one_transaction
def changes_propose(
    *, actor: Actor, proposals: Sequence[Proposal], at: int | None = None
) -> list[PendingChange]:
    """Queues all of the proposals or none.

    Raises Conflict for a create of a live model, NotFound for another operation on one that is not live.
    """
    now = clock(at)
    lives = lives_read((proposal.category, proposal.name) for proposal in proposals)
    changes = []
    for proposal in proposals:
        live = lives.get((proposal.category, proposal.name))
        _existence_check(proposal, live)
        change = _queued(proposal, live, actor=actor, at=now)
        change.save(force_insert=True)
        changes.append(change)
    events_append((enqueue_draft(change, by=actor) for change in changes), at=now)
    return changes


def change_propose(
    *,
    actor: Actor,
    category: str,
    name: str,
    operation: Operation | str,
    payload: dict | None,
    route: str,
    notes: str | None = None,
    related_models: Sequence[str] | None = None,
    request_metadata: Mapping[str, object] | None = None,
    at: int | None = None,
) -> PendingChange:
    """Queues one proposal; see Proposal and changes_propose."""
    proposal = Proposal(
        category, name, Operation(operation), payload, route, notes, related_models, request_metadata
    )
    return changes_propose(actor=actor, proposals=[proposal], at=at)[0]


def _existence_check(proposal: Proposal, live: Live | None) -> None:
    if proposal.operation is Operation.CREATE:
        if live is not None:
            raise model_taken(proposal.category, proposal.name)
    elif live is None:
        hint = "; create it first" if proposal.operation is Operation.UPDATE else ""
        raise model_not_found(proposal.category, proposal.name, hint=hint)


def _queued(proposal: Proposal, live: Live | None, *, actor: Actor, at: int) -> PendingChange:
    domain = proposal.domain or canonical_domain()
    base = live_form(domain, proposal.category, live)
    payload = base
    if proposal.operation is not Operation.DELETE:
        payload = payload_queued(domain, proposal.payload, live)
    related = proposal.related_models
    if related is None and proposal.category == TEXT_CATEGORY:
        related = text_related_models(proposal.name)
    return PendingChange(
        category=proposal.category,
        model_name=proposal.name,
        operation=proposal.operation.value,
        domain=domain.value,
        payload=json_text_or_null(payload),
        requested_by=actor.user_id,
        requested_username=actor.username,
        requested_at=at,
        updated_at=at,
        notes=proposal.notes,
        request_metadata=json_text_or_null({"route": proposal.route, **(proposal.request_metadata or {})}),
        related_models=json_text_or_null(None if related is None else list(related)),
        base_record=json_text_or_null(base),
        base_digest=digest(base),
    )
