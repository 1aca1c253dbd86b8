"""What the names of text models tell: their parts, and the groups they form."""

from functools import partial

from django.http import HttpRequest, HttpResponse
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from references.api.bodies import request_body
from references.api.documentation import READ_ERRORS, operation
from references.api.known import always, known_response
from references.api.reading import ReadViewSet
from references.api.responses import document_response, json_response
from references.api.schemas_text import (
    ComposeNameRequest,
    ComposeNameResponse,
    DistinctBaselinesResponse,
    GroupHealthResponse,
    GroupListResponse,
    GroupMembersResponse,
    GroupsSummaryResponse,
    ParsedNameResponse,
)
from references.categories import TEXT_CATEGORY
from references.documents import Document, snapshot
from references.serializers.base import QuerySerializer, request_validated
from references.serializers.fields import StringField
from references.text import compose, group_name, parse
from references.text_groups import TextGroups, groups_hold, text_groups
from references.text_structure import text_structure

TAGS = ("text_utils",)
read_operation = partial(operation, tags=TAGS, errors=READ_ERRORS)


class NameQuery(QuerySerializer):
    name = StringField(help_text="The name to read.")


class GroupQuery(QuerySerializer):
    name = StringField(help_text="The name of the group.")


class TextNames(ReadViewSet):
    """Takes names apart and puts them together."""

    @read_operation(
        "parse_name_model_references_v2_text_generation_parse_name_get",
        answers=ParsedNameResponse,
        query=NameQuery,
        words="The parts of a name",
    )
    def parse_name(self, request: HttpRequest) -> HttpResponse:
        name = NameQuery.parse(request.GET)["name"]
        parts = parse(name).as_dict()
        return json_response(
            request, {"original_name": name, **parts, "suggested_group": suggested_group(name)}
        )

    @read_operation(
        "compose_name_model_references_v2_text_generation_compose_name_post",
        answers=ComposeNameResponse,
        takes=ComposeNameRequest,
        words="A name made of parts",
    )
    def compose_name(self, request: Request) -> Response:
        name = compose(**request_validated(ComposeNameRequest, request_body(request)))
        return Response(
            {
                "composed_name": name,
                "already_exists": name in snapshot(TEXT_CATEGORY).by_name,
                "suggested_group": suggested_group(name),
            }
        )


class TextGroupReads(ReadViewSet):
    """Groups of text models, what their members share, and their health."""

    @read_operation(
        "list_groups_model_references_v2_text_generation_groups_get",
        answers=GroupListResponse,
        words="The names of all groups",
    )
    def read_names(self, request: HttpRequest) -> HttpResponse:
        groups = text_groups()
        return _groups_response(request, groups, groups.names)

    @read_operation(
        "list_groups_summary_model_references_v2_text_generation_groups_summary_get",
        answers=GroupsSummaryResponse,
        words="All groups in short",
    )
    def read_summary(self, request: HttpRequest) -> HttpResponse:
        groups = text_groups()
        return _groups_response(request, groups, groups.summary)

    @read_operation(
        "check_groups_health_model_references_v2_text_generation_groups_health_get",
        answers=GroupHealthResponse,
        words="What may be wrong with groups",
    )
    def read_health(self, request: HttpRequest) -> HttpResponse:
        groups = text_groups()
        return _groups_response(request, groups, groups.health)

    @read_operation(
        "get_group_model_references_v2_text_generation_group_get",
        answers=GroupMembersResponse,
        query=GroupQuery,
        words="All about one group",
    )
    def read_group(self, request: HttpRequest, group_name: str | None = None) -> HttpResponse:
        name = group_asked_for(request, group_name)
        document = text_groups().detail(name)
        if document is None:
            raise group_not_found(name)
        return document_response(request, document)

    @read_operation(
        "get_distinct_baselines_model_references_v2_text_generation_distinct_baselines_get",
        answers=DistinctBaselinesResponse,
        words="All baselines that text models name",
    )
    def read_baselines(self, request: HttpRequest) -> HttpResponse:
        groups = text_groups()
        return _groups_response(request, groups, groups.baselines)


def suggested_group(name: str) -> str:
    return text_structure().canonical(group_name(name))


def group_asked_for(request: HttpRequest, group_name: str | None) -> str:
    """The group in the path, or the one in the query string."""
    return GroupQuery.parse(request.GET)["name"] if group_name is None else group_name


def group_not_found(name: str) -> NotFound:
    return NotFound(f"No models found in group '{name}'")


def _groups_response(request: HttpRequest, groups: TextGroups, document: Document) -> HttpResponse:
    return known_response(request, document, holds=partial(groups_hold, groups.state), stands=always)
