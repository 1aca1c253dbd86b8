"""Proposals of new, changed and removed records, on the routes that read them."""

from functools import partial
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from rest_framework.request import Request
from rest_framework.response import Response

from moderation.api.deployment import admit_queue_read, admit_write
from moderation.api.payloads import path_name_check, proposal_note, storable_or_404, v2_payload
from moderation.api.schemas import NOTE_PARAMETER
from moderation.api.schemas_answers import PendingChangeRecord
from moderation.models import PendingChange
from moderation.presenting import change_as_dict, overlay
from moderation.services import change_propose
from moderation.states import Operation
from references.api.bodies import request_body
from references.api.documentation import WRITE_ERRORS, by_name, operation
from references.api.reading import category_or_422
from references.api.records import CategoryRecords
from references.api.responses import NO_CACHE, json_response
from references.horde import HordeUser, Role
from references.serializers.records import GenericModelRecord
from references.vocabulary import CanonicalFormat

proposing_operation = partial(
    operation,
    answers=PendingChangeRecord,
    status=HTTPStatus.ACCEPTED,
    errors=WRITE_ERRORS,
    parameters=[NOTE_PARAMETER],
    keyed=True,
)


class RecordProposals(CategoryRecords):
    """The records of a category, and proposals to change them."""

    @proposing_operation("create_v2_record", takes=GenericModelRecord, words="Propose a new model")
    def create(self, request: Request, model_category_name: str) -> Response:
        return self._create(request, model_category_name, route=f"create_v2_{model_category_name}")

    @proposing_operation("create_v2_model", takes=GenericModelRecord, words="Propose a new model")
    def add(self, request: Request, model_category_name: str) -> Response:
        return self._create(request, model_category_name, route="create_v2_model")

    @proposing_operation(
        "update_v2_model", takes=GenericModelRecord, words="Propose a whole record in place of another"
    )
    def update(self, request: Request, model_category_name: str, model_name: str) -> Response:
        actor = _admit(request)
        category = category_or_422(model_category_name)
        payload = v2_payload(category, request_body(request))
        note = proposal_note(request)
        path_name_check(model_name, payload)
        change = change_propose(
            actor=actor,
            category=category,
            name=model_name,
            operation=Operation.UPDATE,
            payload=payload,
            route=f"update_v2_{category}",
            notes=note,
        )
        return queued(change)

    @proposing_operation("delete_v2_model", words="Propose to remove a model")
    def destroy(self, request: Request, model_category_name: str, model_name: str) -> Response:
        actor = _admit(request)
        category = category_or_422(model_category_name)
        note = proposal_note(request)
        change = change_propose(
            actor=actor,
            category=category,
            name=storable_or_404(category, model_name),
            operation=Operation.DELETE,
            payload=None,
            route="delete_v2_model",
            notes=note,
        )
        return queued(change)

    @operation(
        "read_v2_reference_pending",
        answers=by_name(GenericModelRecord),
        errors=(401, 422, 503),
        keyed=True,
        words="The records that open proposals would add or replace, by name",
    )
    def read_pending(self, request: HttpRequest, model_category_name: str) -> HttpResponse:
        admit_queue_read(request, Role.ANY_KEY)
        records = overlay(category_or_422(model_category_name))
        return json_response(request, records, cache=NO_CACHE)

    def _create(self, request: Request, model_category_name: str, *, route: str) -> Response:
        actor = _admit(request)
        category = category_or_422(model_category_name)
        payload = v2_payload(category, request_body(request))
        change = change_propose(
            actor=actor,
            category=category,
            name=payload["name"],
            operation=Operation.CREATE,
            payload=payload,
            route=route,
            notes=proposal_note(request),
        )
        return queued(change)


def queued(change: PendingChange) -> Response:
    return Response(change_as_dict(change, omit_null=True), status=HTTPStatus.ACCEPTED)


def _admit(request: Request) -> HordeUser:
    return admit_write(request, canonical_format=CanonicalFormat.V2)
