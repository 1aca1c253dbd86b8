"""The audit views: what is pending, and the batches with what they came to."""

from functools import partial

from django.http import HttpRequest, HttpResponse
from rest_framework.exceptions import NotFound

from moderation import audit
from moderation.api.deployment import admit_audit_read
from moderation.api.schemas import BATCH_ID, AuditBatchesQuery, AuditQuery, path_id
from moderation.api.schemas_answers import (
    BatchNetChangeResponse,
    PendingQueueAuditBatchDetail,
    PendingQueueAuditBatchPage,
    PendingQueueAuditCurrentResponse,
)
from moderation.live import canonical_domain
from moderation.presenting import (
    batch_detail_as_dict,
    batch_page_as_dict,
    current_as_dict,
    net_changes_as_dict,
)
from references.api.documentation import READ_ERRORS, operation
from references.api.reading import ReadViewSet
from references.api.responses import NO_CACHE, json_response

audit_read = partial(operation, errors=(401, *READ_ERRORS), tags=("audit",), keyed=True)


class QueueAudit(ReadViewSet):
    """What was done to the queue, from its log."""

    @audit_read(
        "get_current_pending_changes_model_references_v2_pending_queue_audit_current_get",
        query=AuditQuery,
        answers=PendingQueueAuditCurrentResponse,
        words="The pending changes, each with its events",
    )
    def read_current(self, request: HttpRequest) -> HttpResponse:
        admit_audit_read(request)
        domain = _domain(AuditQuery.parse(request.GET))
        return json_response(request, current_as_dict(domain, audit.current(domain)), cache=NO_CACHE)

    @audit_read(
        "list_pending_queue_batches_model_references_v2_pending_queue_audit_batches_get",
        query=AuditBatchesQuery,
        answers=PendingQueueAuditBatchPage,
        words="Batches, the newest first",
    )
    def read_batches(self, request: HttpRequest) -> HttpResponse:
        admit_audit_read(request)
        query = AuditBatchesQuery.parse(request.GET)
        domain = _domain(query)
        page = audit.batches_page(domain, cursor=query.get("cursor"), limit=query["limit"])
        return json_response(request, batch_page_as_dict(domain, page), cache=NO_CACHE)

    @audit_read(
        "get_pending_queue_batch_detail_model_references_v2_pending_queue_audit_batches__batch_id__get",
        parameters=[BATCH_ID],
        query=AuditQuery,
        answers=PendingQueueAuditBatchDetail,
        words="One batch with its changes and their events",
    )
    def read_batch(self, request: HttpRequest, batch_id: str) -> HttpResponse:
        admit_audit_read(request)
        number = path_id(batch_id, "batch_id")
        detail = audit.batch_detail(_domain(AuditQuery.parse(request.GET)), number)
        if detail is None:
            raise _batch_not_found()
        return json_response(request, batch_detail_as_dict(detail), cache=NO_CACHE)

    @audit_read(
        "get_batch_net_changes_model_references_v2_pending_queue_audit_batches__batch_id__net_changes_get",
        parameters=[BATCH_ID],
        query=AuditQuery,
        answers=BatchNetChangeResponse,
        words="What a batch came to in the end",
    )
    def read_net_changes(self, request: HttpRequest, batch_id: str) -> HttpResponse:
        admit_audit_read(request)
        number = path_id(batch_id, "batch_id")
        domain = _domain(AuditQuery.parse(request.GET))
        found = audit.batch_net_changes(domain, number)
        if found is None:
            raise _batch_not_found()
        return json_response(request, net_changes_as_dict(domain, *found), cache=NO_CACHE)


def _domain(query: dict) -> str:
    return query.get("domain_override") or canonical_domain().value


def _batch_not_found() -> NotFound:
    return NotFound("Batch not found")
