"""Changes that the text toolkit proposes: fields of a whole group, and exceptions to its naming schema."""

from functools import partial
from http import HTTPStatus
from uuid import uuid4

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from moderation.actors import Actor
from moderation.api.deployment import admit_write
from moderation.models import PendingChange
from moderation.problems import model_not_found
from moderation.services import Proposal, changes_propose
from moderation.services.transactions import categories_lock, in_one_transaction
from moderation.states import Operation
from references.api.bodies import request_body
from references.api.documentation import WRITE_ERRORS, operation
from references.api.schemas_text import (
    BatchUpdateResponse,
    CommonFieldsUpdateRequest,
    NameExceptionRequest,
    NameExceptionResponse,
)
from references.api.text import TAGS, GroupQuery, group_asked_for, group_not_found
from references.categories import TEXT_CATEGORY
from references.problems import BadRequest
from references.serializers.base import request_validated
from references.text import canonical_records
from references.text_groups import text_groups
from references.vocabulary import CanonicalFormat

EXCEPTION_FIELD = "name_schema_exception"

queue_operation = partial(operation, status=HTTPStatus.ACCEPTED, tags=TAGS, errors=WRITE_ERRORS, keyed=True)


class GroupCommonFields(ViewSet):
    """Fields that all canonical models of a group are to share."""

    @queue_operation(
        "update_group_common_fields_model_references_v2_text_generation_group_common_fields_put",
        answers=BatchUpdateResponse,
        query=GroupQuery,
        takes=CommonFieldsUpdateRequest,
        words="Propose values for all canonical models of a group",
    )
    def put_common_fields(self, request: Request, group_name: str | None = None) -> Response:
        actor = admit_write(request, canonical_format=None)
        group = group_asked_for(request, group_name)
        given = request_validated(CommonFieldsUpdateRequest, request_body(request))
        fields = {field: value for field, value in given.items() if value is not None}
        batch_id = str(uuid4())
        changes = _common_fields_propose(group=group, fields=fields, actor=actor, batch_id=batch_id)
        answer = {
            "updated_count": len(changes),
            "batch_id": batch_id,
            "pending_change_ids": [change.change_id for change in changes],
        }
        return Response(answer, status=HTTPStatus.ACCEPTED)


class NameExceptions(ViewSet):
    """Models whose names may depart from the schema of their group."""

    @queue_operation(
        "set_name_exception_model_references_v2_text_generation__model_name__name_exception_put",
        answers=NameExceptionResponse,
        takes=NameExceptionRequest,
        words="Propose that a model's name may, or may no longer, depart from the schema of its group",
    )
    def put_name_exception(self, request: Request, model_name: str) -> Response:
        actor = admit_write(request, canonical_format=None)
        reason = request_validated(NameExceptionRequest, request_body(request))["reason"]
        change = _name_exception_propose(name=model_name, reason=reason, actor=actor)
        return Response({"pending_change_id": change.change_id}, status=HTTPStatus.ACCEPTED)


@in_one_transaction
def _common_fields_propose(*, group: str, fields: dict, actor: Actor, batch_id: str) -> list[PendingChange]:
    """Queues an update of every canonical model of the group, or none."""
    # The payloads are whole records: nobody may write one between reading it here and queueing it.
    categories_lock([TEXT_CATEGORY])
    members = canonical_records(text_groups().members.get(group, ()))
    if not members:
        raise group_not_found(group)
    if not fields:
        raise BadRequest("At least one field with a value other than null is needed")
    proposals = [
        _update(
            {**record, **fields},
            route="update_group_common_fields",
            notes=f"Common fields of group '{group}'",
            request_metadata={"batch_id": batch_id},
        )
        for record in members
    ]
    return changes_propose(actor=actor, proposals=proposals)


@in_one_transaction
def _name_exception_propose(*, name: str, reason: str | None, actor: Actor) -> PendingChange:
    categories_lock([TEXT_CATEGORY])
    row = text_groups().snapshot.by_name.get(name)
    if row is None:
        raise model_not_found(TEXT_CATEGORY, name)
    record = {field: value for field, value in row.record.items() if field != EXCEPTION_FIELD}
    if reason is not None:
        record = {**row.record, EXCEPTION_FIELD: reason}
    return changes_propose(actor=actor, proposals=[_update(record, route="set_name_exception")])[0]


def _update(record: dict, **proposal: object) -> Proposal:
    """A proposal in v2 form, whatever this deployment's canonical one is: the toolkit knows no other."""
    return Proposal(
        category=TEXT_CATEGORY,
        name=record["name"],
        operation=Operation.UPDATE,
        payload=record,
        domain=CanonicalFormat.V2,
        **proposal,
    )
