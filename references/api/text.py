"""What the names of text models tell: their parts, their groups, and families of groups."""

from django.http import HttpRequest, HttpResponse
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from references.api.bodies import request_body
from references.api.documentation import operation
from references.api.reading import ReadViewSet
from references.api.responses import document_response, json_response
from references.api.schemas_text import (
    ComposeNameRequest,
    ComposeNameResponse,
    DetectFamiliesResponse,
    DistinctBaselinesResponse,
    GroupHealthResponse,
    GroupListResponse,
    GroupMembersResponse,
    GroupsSummaryResponse,
    ParsedNameResponse,
)
from references.categories import TEXT_CATEGORY
from references.documents import snapshot
from references.serializers.base import QuerySerializer, request_validated
from references.serializers.fields import IntegerField, StringField
from references.text import compose, group_name, parse
from references.text_groups import text_groups
from references.text_structure import text_structure

TAGS = ("text_utils",)


class NameQuery(QuerySerializer):
    name = StringField(help_text="The name to read.")


class GroupQuery(QuerySerializer):
    name = StringField(help_text="The name of the group.")


class DetectionQuery(QuerySerializer):
    min_prefix_length = IntegerField(
        required=False,
        min_value=2,
        max_value=20,
        help_text="How many characters names must have in common; 3 if left out.",
    )
    min_family_size = IntegerField(
        required=False, min_value=2, max_value=50, help_text="How many groups make a family; 2 if left out."
    )


class TextNames(ReadViewSet):
    """Takes names apart and puts them together."""

    @operation(
        "parse_name_model_references_v2_text_generation_parse_name_get",
        answers=ParsedNameResponse,
        errors=(422,),
        tags=TAGS,
        query=NameQuery,
    )
    def parse_name(self, request: HttpRequest) -> HttpResponse:
        name = NameQuery.parse(request.GET)["name"]
        parts = parse(name).as_dict()
        return json_response(
            request, {"original_name": name, **parts, "suggested_group": suggested_group(name)}
        )

    @operation(
        "compose_name_model_references_v2_text_generation_compose_name_post",
        answers=ComposeNameResponse,
        errors=(422,),
        tags=TAGS,
        takes=ComposeNameRequest,
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
    """Groups of text models, their health, and families that their names suggest."""

    @operation(
        "list_groups_model_references_v2_text_generation_groups_get", answers=GroupListResponse, tags=TAGS
    )
    def read_names(self, request: HttpRequest) -> HttpResponse:
        return document_response(request, text_groups().names)

    @operation(
        "list_groups_summary_model_references_v2_text_generation_groups_summary_get",
        answers=GroupsSummaryResponse,
        tags=TAGS,
    )
    def read_summary(self, request: HttpRequest) -> HttpResponse:
        return document_response(request, text_groups().summary)

    @operation(
        "check_groups_health_model_references_v2_text_generation_groups_health_get",
        answers=GroupHealthResponse,
        tags=TAGS,
    )
    def read_health(self, request: HttpRequest) -> HttpResponse:
        return document_response(request, text_groups().health)

    @operation(
        "get_group_model_references_v2_text_generation_group_get",
        answers=GroupMembersResponse,
        errors=(404, 422),
        tags=TAGS,
        query=GroupQuery,
    )
    def read_group(self, request: HttpRequest, group: str | None = None) -> HttpResponse:
        name = group_asked_for(request, group)
        document = text_groups().detail(name)
        if document is None:
            raise group_not_found(name)
        return document_response(request, document)

    @operation(
        "get_distinct_baselines_model_references_v2_text_generation_distinct_baselines_get",
        answers=DistinctBaselinesResponse,
        tags=TAGS,
    )
    def read_baselines(self, request: HttpRequest) -> HttpResponse:
        return document_response(request, text_groups().baselines)

    @operation(
        "detect_family_suggestions_model_references_v2_text_generation_families_detect_get",
        answers=DetectFamiliesResponse,
        errors=(422,),
        tags=TAGS,
        query=DetectionQuery,
    )
    def detect_families(self, request: HttpRequest) -> HttpResponse:
        bounds = DetectionQuery.parse(request.GET)
        return document_response(request, text_groups().families(**bounds))


def suggested_group(name: str) -> str:
    return text_structure().canonical(group_name(name))


def group_asked_for(request: HttpRequest, group: str | None) -> str:
    """The group in the path, or the one in the query string."""
    return GroupQuery.parse(request.GET)["name"] if group is None else group


def group_not_found(name: str) -> NotFound:
    return NotFound(f"No models found in group '{name}'")
