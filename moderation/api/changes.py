"""The queue: its changes, what they would change, and what is decided about one of them or removes them."""

from functools import partial
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from moderation.api.deployment import admit_queue_read, admit_write
from moderation.api.schemas import (
    CHANGE_ID,
    ApplyPendingChangeRequest,
    ChangeReasonRequest,
    ChangesQuery,
    DiffsQuery,
    MyChangesQuery,
    PurgePendingChangesRequest,
    path_id,
)
from moderation.api.schemas_answers import (
    ApplySingleChangeResponse,
    PendingChangeDiff,
    PendingChangeDiffPage,
    PendingChangeRecord,
    PendingQueuePage,
    PurgePendingChangesResponse,
)
from moderation.models import PendingChange
from moderation.presenting import (
    change_as_dict,
    diff_as_dict,
    diff_page_as_dict,
    purge_as_dict,
    single_apply_as_dict,
)
from moderation.querysets import PendingChangeQuerySet
from moderation.review import change_diff, changes_diff
from moderation.services import change_apply, change_reopen, change_revert, change_withdraw, queue_purge
from references.api.bodies import request_body
from references.api.documentation import READ_ERRORS, WRITE_ERRORS, operation
from references.api.reading import ReadViewSet
from references.api.responses import NO_CACHE, json_response
from references.horde import HordeUser, Role
from references.serializers.base import request_validated
from references.vocabulary import CanonicalFormat

TAGS = ("pending_queue",)
queue_read = partial(operation, errors=(401, *READ_ERRORS), tags=TAGS, keyed=True)
queue_write = partial(operation, errors=WRITE_ERRORS, tags=TAGS, keyed=True)


class QueueViewSet(ReadViewSet):
    """Views of the queue, which has a mount for each format. The one of the canonical format takes writes."""

    canonical_format = CanonicalFormat.V2

    def admit_write(self, request: HttpRequest, role: Role = Role.APPROVER) -> HordeUser:
        return admit_write(request, role, canonical_format=self.canonical_format)


class PendingChanges(QueueViewSet):
    """Changes in the queue, one by one and in lists."""

    @queue_read(
        "list_my_pending_changes_model_references_v2_pending_queue_my_changes_get",
        answers=PendingQueuePage,
        query=MyChangesQuery,
        words="Your own changes",
    )
    def read_mine(self, request: HttpRequest) -> HttpResponse:
        user = admit_queue_read(request, Role.REQUESTOR)
        query = MyChangesQuery.parse(request.GET)
        own = PendingChange.objects.matching(requested_by=[user.user_id], **_filters(query))
        return _page(request, query, own)

    @queue_read(
        "list_pending_changes_model_references_v2_pending_queue_changes_get",
        answers=PendingQueuePage,
        query=ChangesQuery,
        words="Changes, filtered",
    )
    def read_all(self, request: HttpRequest) -> HttpResponse:
        admit_queue_read(request)
        query = ChangesQuery.parse(request.GET)
        return _page(request, query, PendingChange.objects.matching(**_filters(query)))

    @queue_read(
        "read_pending_change_model_references_v2_pending_queue_changes__change_id__get",
        parameters=[CHANGE_ID],
        answers=PendingChangeRecord,
        words="One change",
    )
    def read_one(self, request: HttpRequest, change_id: str) -> HttpResponse:
        admit_queue_read(request)
        change = _change_or_404(change_id)
        return json_response(request, change_as_dict(change, omit_null=False), cache=NO_CACHE)

    @queue_read(
        "get_pending_change_diff_model_references_v2_pending_queue_changes__change_id__diff_get",
        parameters=[CHANGE_ID],
        answers=PendingChangeDiff,
        words="What a change would change",
    )
    def read_diff(self, request: HttpRequest, change_id: str) -> HttpResponse:
        admit_queue_read(request)
        diff = change_diff(_change_or_404(change_id))
        return json_response(request, diff_as_dict(diff), cache=NO_CACHE)

    @queue_read(
        "get_pending_changes_diffs_model_references_v2_pending_queue_diffs_get",
        answers=PendingChangeDiffPage,
        query=DiffsQuery,
        words="What several changes would change",
    )
    def read_diffs(self, request: HttpRequest) -> HttpResponse:
        admit_queue_read(request)
        asked = DiffsQuery.parse(request.GET)["change_ids"]
        diffs = changes_diff(PendingChange.objects.with_ids(asked))
        return json_response(request, diff_page_as_dict(asked, diffs), cache=NO_CACHE)

    @queue_write(
        "apply_pending_change_endpoint_model_references_v2_pending_queue_changes__change_id__apply_post",
        parameters=[CHANGE_ID],
        takes=ApplyPendingChangeRequest,
        answers=ApplySingleChangeResponse,
        words="Apply one approved change",
    )
    def apply(self, request: Request, change_id: str) -> Response:
        actor = self.admit_write(request)
        number = path_id(change_id, "change_id")
        given = request_validated(ApplyPendingChangeRequest, optional_body(request))
        return Response(single_apply_as_dict(change_apply(actor=actor, change_id=number, **given)))

    @queue_write(
        "withdraw_pending_change_model_references_v2_pending_queue_changes__change_id__withdraw_post",
        parameters=[CHANGE_ID],
        takes=ChangeReasonRequest,
        answers=PendingChangeRecord,
        words="Take back a pending change of your own",
    )
    def withdraw(self, request: Request, change_id: str) -> Response:
        actor = self.admit_write(request, Role.REQUESTOR)
        number = path_id(change_id, "change_id")
        given = request_validated(ChangeReasonRequest, optional_body(request))
        change = change_withdraw(actor=actor, change_id=number, as_approver=actor.is_approver, **given)
        return Response(change_as_dict(change, omit_null=False))

    @queue_write(
        "reopen_pending_change_model_references_v2_pending_queue_changes__change_id__reopen_post",
        parameters=[CHANGE_ID],
        takes=ChangeReasonRequest,
        answers=PendingChangeRecord,
        words="Take back an approval",
    )
    def reopen(self, request: Request, change_id: str) -> Response:
        actor = self.admit_write(request)
        number = path_id(change_id, "change_id")
        given = request_validated(ChangeReasonRequest, optional_body(request))
        change = change_reopen(actor=actor, change_id=number, **given)
        return Response(change_as_dict(change, omit_null=False))

    @queue_write(
        "revert_pending_change_model_references_v2_pending_queue_changes__change_id__revert_post",
        parameters=[CHANGE_ID],
        answers=PendingChangeRecord,
        status=HTTPStatus.ACCEPTED,
        words="Propose what undoes an applied change",
    )
    def revert(self, request: Request, change_id: str) -> Response:
        actor = self.admit_write(request)
        change = change_revert(actor=actor, change_id=path_id(change_id, "change_id"))
        return Response(change_as_dict(change, omit_null=True), status=HTTPStatus.ACCEPTED)

    @queue_write(
        "purge_pending_changes_model_references_v2_pending_queue_purge_post",
        takes=PurgePendingChangesRequest,
        answers=PurgePendingChangesResponse,
        words="Remove changes from the queue",
    )
    def purge(self, request: Request) -> Response:
        actor = self.admit_write(request)
        given = request_validated(PurgePendingChangesRequest, request_body(request))
        return Response(purge_as_dict(queue_purge(actor=actor, **given)))


def optional_body(request: HttpRequest) -> Any:
    """The parsed body; an empty object where there is none."""
    body = request_body(request)
    return {} if body is None else body


def _filters(query: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in query.items() if name not in ("offset", "limit")}


def _page(request: HttpRequest, query: dict[str, Any], changes: PendingChangeQuerySet) -> HttpResponse:
    offset, limit = query["offset"], query["limit"]
    shown = changes.without_states().oldest_first()[offset : offset + limit]
    page = {
        "items": [change_as_dict(change, omit_null=False) for change in shown],
        "total": changes.count(),
        "offset": offset,
        "limit": limit,
    }
    return json_response(request, page, cache=NO_CACHE)


def _change_or_404(change_id: str) -> PendingChange:
    change = PendingChange.objects.with_id(path_id(change_id, "change_id")).first()
    if change is None:
        raise NotFound("Change not found")
    return change
