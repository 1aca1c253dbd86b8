"""Proposals of new, changed and removed records, on the routes that read them."""

from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse
from rest_framework.request import Request
from rest_framework.response import Response

from moderation.api.deployment import admit_queue_read, admit_write
from moderation.api.payloads import path_name_check, proposal_note, v2_payload
from moderation.presenting import change_as_dict, overlay
from moderation.services import change_propose
from moderation.states import Operation
from references.api.bodies import request_body
from references.api.reading import category_or_422
from references.api.records import CategoryRecords
from references.api.responses import NO_CACHE, json_response
from references.horde import HordeUser, Role
from references.vocabulary import CanonicalFormat


class RecordProposals(CategoryRecords):
    """The records of a category, and proposals to change them."""

    def create(self, request: Request, model_category_name: str) -> Response:
        return self._create(request, model_category_name, route=f"create_v2_{model_category_name}")

    def add(self, request: Request, model_category_name: str) -> Response:
        return self._create(request, model_category_name, route="create_v2_model")

    def update(self, request: Request, model_category_name: str, model_name: str) -> Response:
        actor = self._admit(request)
        category = category_or_422(model_category_name)
        record = v2_payload(category, request_body(request))
        note = proposal_note(request)
        path_name_check(model_name, record)
        change = change_propose(...)

    def pending(self, request: HttpRequest, model_category_name: str) -> HttpResponse:
        """What the open proposals would make of the category."""
        admit_queue_read(request, Role.ANY_KEY)
        return json_response(request, overlay(category_or_422(model_category_name)), cache=NO_CACHE)
