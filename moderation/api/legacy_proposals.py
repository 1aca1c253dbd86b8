"""Writes of version 1, on the routes that read its categories: queued or, without a queue, done at once."""

from functools import partial
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response

from moderation.actors import Actor
from moderation.api.deployment import admit_write
from moderation.api.payloads import proposal_note, storable_or_404, v1_payload
from moderation.api.proposals import queued
from moderation.api.schemas import NOTE_PARAMETER
from moderation.api.schemas_answers import PendingChangeRecord
from moderation.problems import model_not_found
from moderation.services import change_propose
from moderation.services.legacy_direct import (
    legacy_record_create,
    legacy_record_delete,
    legacy_record_update,
)
from moderation.states import Operation
from references.api.bodies import request_body
from references.api.documentation import WRITE_ERRORS, operation
from references.api.legacy import LegacyRecords, legacy_category
from references.api.reading import category_or_422
from references.categories import CATEGORIES, IMAGE_CATEGORY, TEXT_CATEGORY
from references.horde import HordeUser, Role
from references.problems import Unprocessable
from references.serializers import legacy_record_type
from references.serializers.base import serializer_of
from references.serializers.legacy import LegacyGenericRecord
from references.vocabulary import CanonicalFormat

METHODS_OF_READ_ONLY_PATHS = ["get", "head", "options"]

legacy_operation = partial(
    operation,
    also={HTTPStatus.ACCEPTED: PendingChangeRecord},
    errors=WRITE_ERRORS,
    tags=("v1",),
    parameters=[NOTE_PARAMETER],
    keyed=True,
)


class LegacyProposals(LegacyRecords):
    """A category as the legacy repositories hold it, and writes in that format.

    With a queue, a write needs a requestor and is proposed. Without one, it needs an approver and is done.
    """

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: Any) -> HttpResponseBase:
        if "post" in self.action_map and _is_read_only(kwargs.get("model_category_name", TEXT_CATEGORY)):
            self.http_method_names = METHODS_OF_READ_ONLY_PATHS
        return super().dispatch(request, *args, **kwargs)

    @legacy_operation(
        "create_legacy_model",
        takes=LegacyGenericRecord,
        answers=LegacyGenericRecord,
        status=HTTPStatus.CREATED,
        words="Add a model, or propose to",
    )
    def create(self, request: Request, model_category_name: str = TEXT_CATEGORY) -> Response:
        actor = _admit(request)
        category = category_or_422(model_category_name)
        payload = v1_payload(category, request_body(request))
        note = proposal_note(request)
        if settings.QUEUE_ENABLED:
            route = f"create_legacy_{category}_model"
            return _propose(actor, category, payload["name"], Operation.CREATE, payload, route, note)
        stored = legacy_record_create(actor=actor, category=category, payload=payload)
        location = f"{request.path}/model/{quote(payload['name'])}"
        return Response(
            stored_as_dict(category, stored), status=HTTPStatus.CREATED, headers={"Location": location}
        )

    @legacy_operation(
        "update_legacy_record",
        takes=LegacyGenericRecord,
        answers=LegacyGenericRecord,
        words="Put a whole record in place of another, or propose to",
    )
    def update(self, request: Request, model_category_name: str = TEXT_CATEGORY) -> Response:
        actor = _admit(request)
        category = category_or_422(model_category_name)
        payload = v1_payload(category, request_body(request))
        note = proposal_note(request)
        if settings.QUEUE_ENABLED:
            route = _update_route(category)
            return _propose(actor, category, payload["name"], Operation.UPDATE, payload, route, note)
        stored = legacy_record_update(actor=actor, category=category, payload=payload)
        return Response(stored_as_dict(category, stored))

    @legacy_operation(
        "delete_legacy_model", status=HTTPStatus.NO_CONTENT, words="Remove a model, or propose to"
    )
    def destroy(self, request: Request, model_category_name: str, model_name: str) -> Response:
        actor = _admit(request)
        category = category_or_422(model_category_name)
        note = proposal_note(request)
        if not CATEGORIES[category].has_legacy_form:
            raise model_not_found(category, model_name)
        name = storable_or_404(category, model_name)
        if settings.QUEUE_ENABLED:
            route = "delete_legacy_model"
            return _propose(actor, category, name, Operation.DELETE, None, route, note)
        legacy_record_delete(actor=actor, category=category, name=name)
        return Response(status=HTTPStatus.NO_CONTENT)


def stored_as_dict(category: str, legacy: dict[str, Any]) -> dict[str, Any]:
    """A record just stored, as clients are told of it. What it lacks is null; image models leave it out."""
    if category == IMAGE_CATEGORY:
        return legacy
    known = dict.fromkeys(serializer_of(legacy_record_type(category)).fields)
    return {**known, "config": {"files": [], "download": []}, **legacy}


def _propose(
    actor: Actor,
    category: str,
    name: str,
    operation: Operation,
    payload: dict[str, Any] | None,
    route: str,
    note: str | None,
) -> Response:
    change = change_propose(
        actor=actor,
        category=category,
        name=name,
        operation=operation,
        payload=payload,
        route=route,
        notes=note,
    )
    return queued(change)


def _update_route(category: str) -> str:
    return "update_legacy_model" if category == IMAGE_CATEGORY else f"update_legacy_{category}_model"


def _admit(request: Request) -> HordeUser:
    role = Role.REQUESTOR if settings.QUEUE_ENABLED else Role.APPROVER
    return admit_write(request, role, canonical_format=CanonicalFormat.LEGACY, needs_queue=False)


def _is_read_only(spelling: str) -> bool:
    """Whether the path segment is another spelling of a category, or a category without legacy form."""
    try:
        category = legacy_category(spelling)
    except Unprocessable:
        return False
    return spelling != category or not CATEGORIES[category].has_legacy_form
