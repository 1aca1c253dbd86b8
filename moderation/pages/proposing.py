"""From a record that somebody wrote on a page to its preview and to the queue."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.safestring import SafeString
from rest_framework.exceptions import NotFound

from moderation.actors import Actor
from moderation.api.payloads import path_name_check, v2_payload
from moderation.conflicts import digest
from moderation.diffs import is_same
from moderation.live import Live, live_read, payload_queued
from moderation.models import PendingChange, json_text_or_null
from moderation.pages.addresses import addresses_new
from moderation.pages.change_view import REPLACEABLE, DiffRows, diff_rows
from moderation.pages.forms.documents import Document, members_lost, unknown_kept
from moderation.pages.forms.warned import WarningView, warned
from moderation.pages.refusals import NAME_TAKEN
from moderation.review import change_diff
from moderation.services import Proposal, change_withdraw, changes_propose
from moderation.services.transactions import categories_lock, in_one_transaction, queue_lock
from moderation.states import Operation, Status
from moderation.telling import STAMPS
from moderation.warnings import record_warnings
from references.categories import TEXT_CATEGORY
from references.pages.json_markup import json_highlighted, json_indented
from references.problems import BadRequest, Conflict
from references.serializers.records import record_type
from references.text import related_models
from references.vocabulary import CanonicalFormat

ROUTES = {
    Operation.CREATE: "create_v2_{category}",
    Operation.UPDATE: "update_v2_{category}",
    Operation.DELETE: "delete_v2_model",
}


class RecordMoved(Conflict):
    """The live record is no longer the one that the proposal was written from."""

    default_detail = "The record changed while you were writing."


@dataclass(frozen=True, slots=True)
class Target:
    """What a form is about: a model to be made (`name` is None), or the one to be changed."""

    category: str
    name: str | None = None

    @property
    def operation(self) -> Operation:
        return Operation.CREATE if self.name is None else Operation.UPDATE


@dataclass(frozen=True, slots=True)
class Preview:
    """What a proposal would change, and what a reviewer would ask about it."""

    name: str
    operation: Operation
    rows: DiffRows
    warnings: Sequence[WarningView]
    left_out: Sequence[str]
    backend_names: Sequence[str]
    addresses: Sequence[str]
    json_text: str
    json_markup: SafeString


def record_read(category: str, document: Document, live: Document | None) -> Document:
    """The record to propose. Raises what proposing it through the API would raise.

    Members that no schema knows are kept where the live record has them: nobody means to remove what a form
    does not show.
    """
    second_names = record_type(category).second_names.values()
    record = v2_payload(category, document)
    typed = {key: value for key, value in document.items() if key not in second_names}
    return unknown_kept(record, typed, live)


def proposal_preview(*, target: Target, document: Document, opened: Document | None) -> Preview:
    """Raises RecordMoved, BadRequest where nothing is changed, and what proposing would raise."""
    live = _live(target)
    record = _checked(target, document, opened, live)
    return Preview(
        record["name"],
        target.operation,
        rows=diff_rows(change_diff(_unsaved(target, record, live))),
        warnings=warned(
            target.category,
            record_warnings(category=target.category, name=record["name"], record=record),
        ),
        left_out=_left_out(target.category, record, document),
        backend_names=related_models(record["name"]) if target.category == TEXT_CATEGORY else (),
        addresses=addresses_new(record, opened),
        json_text=json_indented(record),
        json_markup=json_highlighted(record),
    )


@in_one_transaction
def proposal_send(
    *,
    actor: Actor,
    target: Target,
    document: Document,
    opened: Document | None,
    notes: str | None,
    earlier: PendingChange | None = None,
) -> PendingChange:
    """Queues it, in the place of the earlier change if there is one; raises what its preview would raise now.

    An earlier change that is pending is withdrawn; raises Conflict if it was approved meanwhile.
    """
    if earlier is not None:
        _replaceable_check(earlier)
        queue_lock()
    # The proposal is a whole record: nobody may write another between the comparison and the queue.
    categories_lock([target.category])
    record = _checked(target, document, opened, _live(target))
    proposal = Proposal(
        target.category,
        record["name"],
        target.operation,
        record,
        ROUTES[target.operation].format(category=target.category),
        notes=notes,
        request_metadata={"resubmits": earlier.change_id} if earlier else None,
        domain=CanonicalFormat.V2,
    )
    change = changes_propose(actor=actor, proposals=[proposal])[0]
    if earlier is not None and earlier.status != Status.REJECTED:
        reason = f"Replaced by change {change.change_id}"
        change_withdraw(actor=actor, change_id=earlier.change_id, reason=reason)
    return change


def _replaceable_check(earlier: PendingChange) -> None:
    if earlier.status not in REPLACEABLE:
        raise Conflict(
            f"Change {earlier.change_id} was approved meanwhile, so nothing can take its place. "
            "Propose from the page of the model."
        )


def _live(target: Target) -> Live | None:
    return None if target.name is None else live_read(target.category, target.name)


def _checked(target: Target, document: Document, opened: Document | None, live: Live | None) -> Document:
    record = record_read(target.category, document, live and live.record)
    if target.name is None:
        if live_read(target.category, record["name"]):
            raise Conflict(NAME_TAKEN)
        return record
    if live is None:
        raise NotFound("The model is no longer there. Its record can be proposed as a new model.")
    path_name_check(target.name, record)
    if digest(opened) != digest(live.record):
        raise RecordMoved
    if document == live.record or is_same(
        live.record, payload_queued(CanonicalFormat.V2, record, live), ignoring=STAMPS
    ):
        raise BadRequest("You have changed nothing: the record is as it was.")
    return record


def _left_out(category: str, record: Document, document: Document) -> list[str]:
    second_names = record_type(category).second_names.values()
    return [path for path in members_lost(record, document) if path not in second_names]


def _unsaved(target: Target, record: Document, live: Live | None) -> PendingChange:
    """The change that sending would queue, for its diff."""
    now = int(time.time())
    return PendingChange(
        category=target.category,
        model_name=record["name"],
        operation=target.operation.value,
        domain=CanonicalFormat.V2.value,
        status=Status.PENDING.value,
        payload=json_text_or_null(payload_queued(CanonicalFormat.V2, record, live)),
        requested_at=now,
        updated_at=now,
        base_record=json_text_or_null(live and live.record),
        base_digest=digest(live and live.record),
    )
