"""Batches: decisions over pending changes, and putting what was approved into the live reference."""

from functools import partial
from http import HTTPStatus

from rest_framework.request import Request
from rest_framework.response import Response

from moderation.api.changes import TAGS, QueueViewSet, queue_write
from moderation.api.schemas import (
    BATCH_ID,
    ApplyBatchQuery,
    ApplyPendingChangesRequest,
    PendingBatchRequest,
    path_id,
)
from moderation.api.schemas_answers import (
    ApplyPendingChangesResponse,
    BatchRevertResponse,
    PendingBatchResult,
)
from moderation.presenting import bulk_apply_as_dict, change_as_dict, decision_as_dict
from moderation.services import ApplyResult, batch_apply, batch_decide, batch_revert, changes_apply
from references.api.bodies import request_body
from references.api.documentation import ErrorResponse, operation
from references.serializers.base import request_validated

# A bulk apply that fails part of the way still tells what was applied.
bulk_apply = partial(
    operation,
    answers=ApplyPendingChangesResponse,
    also=dict.fromkeys((400, 404, 409, 503), {"anyOf": [ApplyPendingChangesResponse, ErrorResponse]}),
    errors=(401, 422),
    tags=TAGS,
    keyed=True,
)


class PendingBatches(QueueViewSet):
    """Acts on several changes."""

    @queue_write(
        "process_pending_batch_model_references_v2_pending_queue_batches_post",
        takes=PendingBatchRequest,
        answers=PendingBatchResult,
        words="Approve changes into a batch, and reject others",
    )
    def decide(self, request: Request) -> Response:
        actor = self.admit_write(request)
        given = request_validated(PendingBatchRequest, request_body(request))
        decision = batch_decide(
            actor=actor,
            title=given["batch_title"],
            approved_ids=given["approved_ids"],
            rejected_ids=given["rejected_ids"],
            reject_reason=given["reject_reason"],
        )
        return Response(decision_as_dict(decision))

    @bulk_apply(
        "apply_pending_changes_endpoint_model_references_v2_pending_queue_apply_post",
        takes=ApplyPendingChangesRequest,
        words="Apply approved changes",
    )
    def apply(self, request: Request) -> Response:
        actor = self.admit_write(request)
        given = request_validated(ApplyPendingChangesRequest, request_body(request))
        return _applied(changes_apply(actor=actor, **given))

    @bulk_apply(
        "apply_batch_endpoint_model_references_v2_pending_queue_apply_batch__batch_id__post",
        parameters=[BATCH_ID],
        query=ApplyBatchQuery,
        words="Apply what is approved in a batch",
    )
    def apply_batch(self, request: Request, batch_id: str) -> Response:
        actor = self.admit_write(request)
        number = path_id(batch_id, "batch_id")
        given = ApplyBatchQuery.parse(request.GET)
        return _applied(batch_apply(actor=actor, batch_id=number, **given))

    @queue_write(
        "revert_batch_model_references_v2_pending_queue_batches__batch_id__revert_post",
        parameters=[BATCH_ID],
        answers=BatchRevertResponse,
        status=HTTPStatus.ACCEPTED,
        words="Propose what undoes all that was applied of a batch",
    )
    def revert(self, request: Request, batch_id: str) -> Response:
        actor = self.admit_write(request)
        number = path_id(batch_id, "batch_id")
        changes = batch_revert(actor=actor, batch_id=number)
        answer = {
            "batch_id": number,
            "changes": [change_as_dict(change, omit_null=True) for change in changes],
        }
        return Response(answer, status=HTTPStatus.ACCEPTED)


def _applied(result: ApplyResult) -> Response:
    return Response(bulk_apply_as_dict(result), status=result.status)
