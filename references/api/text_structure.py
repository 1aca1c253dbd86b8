"""Aliases, families and naming schemas of text groups: reads, and writes that take effect at once."""

from functools import partial
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from references.api.bodies import request_body
from references.api.deployment import admit_write, primary_needed
from references.api.documentation import WRITE_ERRORS, operation
from references.api.known import always, known_response
from references.api.reading import ReadViewSet
from references.api.responses import json_response
from references.api.schemas_text import (
    AddAliasRequest,
    AddFamilyMemberRequest,
    DetectFamiliesResponse,
    GroupAliasListResponse,
    GroupAliasResponse,
    GroupFamilyListResponse,
    GroupFamilyResponse,
    GroupNameField,
    GroupNameSchemaResponse,
    GroupNameSchemaUpdateRequest,
    RemoveAliasRequest,
    RemoveFamilyMemberRequest,
    SetAliasesRequest,
    SetFamilyRequest,
)
from references.api.text import TAGS, GroupQuery, group_asked_for, read_operation
from references.problems import RequestInvalid, request_problems
from references.serializers.base import QuerySerializer, request_validated
from references.serializers.fields import IntegerField
from references.structure_models import RESERVED_FAMILY
from references.structure_services import (
    alias_add,
    alias_entry_not_found,
    alias_remove,
    aliases_delete,
    aliases_put,
    family_delete,
    family_member_add,
    family_member_remove,
    family_not_found,
    family_put,
    name_schema_change,
    name_schema_delete,
)
from references.text_groups import groups_hold, text_groups
from references.text_structure import alias_entry, family_entry, text_structure

write_operation = partial(operation, tags=TAGS, errors=WRITE_ERRORS, keyed=True)


class StoredGroupQuery(QuerySerializer):
    name = GroupNameField(help_text="The name of the group, which need not have models.")


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


class TextNameSchemas(ReadViewSet):
    """How the names in a group are put together. The group is in the query string or in the path."""

    @read_operation(
        "get_group_name_schema_model_references_v2_text_generation_group_name_schema_get",
        answers=GroupNameSchemaResponse,
        query=GroupQuery,
        words="The naming schema of a group",
    )
    def read_schema(self, request: HttpRequest, group_name: str | None = None) -> HttpResponse:
        group = group_asked_for(request, group_name)
        stored = text_structure().schema(group)
        schema = stored or text_groups().inferred_schema(group)
        if schema is None:
            raise NotFound(f"Group '{group}' has neither a naming schema nor models to infer one from")
        answer = _schema_answer(group, schema, is_custom=stored is not None)
        return json_response(request, answer)

    @write_operation(
        "update_group_name_schema_model_references_v2_text_generation_group_name_schema_put",
        answers=GroupNameSchemaResponse,
        query=StoredGroupQuery,
        takes=GroupNameSchemaUpdateRequest,
        words="Lay down parts of a group's naming schema",
    )
    def put_schema(self, request: Request, group_name: str | None = None) -> Response:
        actor = _admitted_actor(request)
        group = _group_to_write(request, group_name)
        changes = request_validated(GroupNameSchemaUpdateRequest, request_body(request))
        schema = name_schema_change(group=group, changes=changes, actor=actor)
        return Response(_schema_answer(group, schema, is_custom=True))

    @write_operation(
        "delete_group_name_schema_model_references_v2_text_generation_group_name_schema_delete",
        status=HTTPStatus.NO_CONTENT,
        query=StoredGroupQuery,
        words="Remove a group's naming schema",
    )
    def delete_schema(self, request: Request, group_name: str | None = None) -> Response:
        actor = _admitted_actor(request)
        name_schema_delete(group=_group_to_write(request, group_name), actor=actor)
        return Response(status=HTTPStatus.NO_CONTENT)


class TextAliases(ReadViewSet):
    """Other names that groups go by."""

    @read_operation(
        "list_aliases_model_references_v2_text_generation_aliases_get",
        answers=GroupAliasListResponse,
        words="All alias entries",
    )
    def read_entries(self, request: HttpRequest) -> HttpResponse:
        _store_needed()
        entries = [alias_entry(*entry) for entry in text_structure().aliases.items()]
        return json_response(request, {"entries": entries})

    @read_operation(
        "get_alias_model_references_v2_text_generation_aliases__canonical__get",
        answers=GroupAliasResponse,
        words="The aliases of a group",
    )
    def read_entry(self, request: HttpRequest, canonical: str) -> HttpResponse:
        _store_needed()
        aliases = text_structure().aliases.get(canonical)
        if aliases is None:
            raise alias_entry_not_found(canonical)
        return json_response(request, alias_entry(canonical, aliases))

    @write_operation(
        "set_aliases_model_references_v2_text_generation_aliases__canonical__put",
        answers=GroupAliasResponse,
        takes=SetAliasesRequest,
        words="Replace the aliases of a group",
    )
    def put_entry(self, request: Request, canonical: str) -> Response:
        actor = _admitted_actor(request)
        canonical = _name_in_path(canonical=canonical)
        body = request_validated(SetAliasesRequest, request_body(request))
        return Response(aliases_put(canonical=canonical, aliases=body["aliases"], actor=actor))

    @write_operation(
        "delete_aliases_model_references_v2_text_generation_aliases__canonical__delete",
        status=HTTPStatus.NO_CONTENT,
        words="Remove a group's alias entry",
    )
    def delete_entry(self, request: Request, canonical: str) -> Response:
        actor = _admitted_actor(request)
        aliases_delete(canonical=_name_in_path(canonical=canonical), actor=actor)
        return Response(status=HTTPStatus.NO_CONTENT)

    @write_operation(
        "add_alias_model_references_v2_text_generation_aliases__canonical__add_post",
        answers=GroupAliasResponse,
        takes=AddAliasRequest,
        words="Add an alias to a group",
    )
    def add_alias(self, request: Request, canonical: str) -> Response:
        actor = _admitted_actor(request)
        canonical = _name_in_path(canonical=canonical)
        body = request_validated(AddAliasRequest, request_body(request))
        return Response(alias_add(canonical=canonical, alias=body["alias"], actor=actor))

    @write_operation(
        "remove_alias_model_references_v2_text_generation_aliases__canonical__remove_post",
        answers=GroupAliasResponse,
        takes=RemoveAliasRequest,
        words="Remove an alias from a group",
    )
    def remove_alias(self, request: Request, canonical: str) -> Response:
        actor = _admitted_actor(request)
        canonical = _name_in_path(canonical=canonical)
        body = request_validated(RemoveAliasRequest, request_body(request))
        return Response(alias_remove(canonical=canonical, alias=body["alias"], actor=actor))


class TextFamilies(ReadViewSet):
    """Families of groups: those that are kept, and those that the groups' names suggest."""

    @read_operation(
        "list_families_model_references_v2_text_generation_families_get",
        answers=GroupFamilyListResponse,
        words="All families",
    )
    def read_families(self, request: HttpRequest) -> HttpResponse:
        _store_needed()
        families = [family_entry(*family) for family in text_structure().families.items()]
        return json_response(request, {"families": families})

    @read_operation(
        "get_family_model_references_v2_text_generation_families__family_name__get",
        answers=GroupFamilyResponse,
        words="The members of a family",
    )
    def read_family(self, request: HttpRequest, family_name: str) -> HttpResponse:
        _store_needed()
        members = text_structure().families.get(family_name)
        if members is None:
            raise family_not_found(family_name)
        return json_response(request, family_entry(family_name, members))

    @write_operation(
        "set_family_model_references_v2_text_generation_families__family_name__put",
        answers=GroupFamilyResponse,
        takes=SetFamilyRequest,
        words="Create a family or replace its members",
    )
    def put_family(self, request: Request, family_name: str) -> Response:
        actor = _admitted_actor(request)
        name = _name_in_path(family_name=family_name)
        body = request_validated(SetFamilyRequest, request_body(request))
        return Response(family_put(name=name, members=body["members"], actor=actor))

    @write_operation(
        "delete_family_model_references_v2_text_generation_families__family_name__delete",
        status=HTTPStatus.NO_CONTENT,
        words="Remove a family",
    )
    def delete_family(self, request: Request, family_name: str) -> Response:
        actor = _admitted_actor(request)
        family_delete(name=_name_in_path(family_name=family_name), actor=actor)
        return Response(status=HTTPStatus.NO_CONTENT)

    @write_operation(
        "add_family_member_model_references_v2_text_generation_families__family_name__add_post",
        answers=GroupFamilyResponse,
        takes=AddFamilyMemberRequest,
        words="Add a group to a family",
    )
    def add_member(self, request: Request, family_name: str) -> Response:
        actor = _admitted_actor(request)
        name = _name_in_path(family_name=family_name)
        body = request_validated(AddFamilyMemberRequest, request_body(request))
        return Response(family_member_add(name=name, group=body["group_name"], actor=actor))

    @write_operation(
        "remove_family_member_model_references_v2_text_generation_families__family_name__remove_post",
        answers=GroupFamilyResponse,
        takes=RemoveFamilyMemberRequest,
        words="Remove a group from a family",
    )
    def remove_member(self, request: Request, family_name: str) -> Response:
        actor = _admitted_actor(request)
        name = _name_in_path(family_name=family_name)
        body = request_validated(RemoveFamilyMemberRequest, request_body(request))
        return Response(family_member_remove(name=name, group=body["group_name"], actor=actor))

    @read_operation(
        "detect_family_suggestions_model_references_v2_text_generation_families_detect_get",
        answers=DetectFamiliesResponse,
        query=DetectionQuery,
        words="Families that the groups' names suggest",
    )
    def detect_families(self, request: HttpRequest) -> HttpResponse:
        bounds = DetectionQuery.parse(request.GET)
        groups = text_groups()
        holds = partial(groups_hold, groups.state)
        return known_response(request, groups.families(**bounds), holds=holds, stands=always)

    @extend_schema(exclude=True)
    def put_detector(self, request: Request) -> Response:
        """Refused like every write that breaks a rule: after all that could be wrong with it otherwise."""
        return self.put_family(request, RESERVED_FAMILY)


def _admitted_actor(request: Request) -> str:
    """The id of the caller, once the deployment takes writes and the caller may make them."""
    return admit_write(request, canonical_format=None).user_id


def _store_needed() -> None:
    primary_needed("Aliases and families are not available in REPLICA mode.")


def _group_to_write(request: Request, group_name: str | None) -> str:
    if group_name is None:
        return StoredGroupQuery.parse(request.GET)["name"]
    return _name_in_path(group_name=group_name)


_NAME_IN_PATH = GroupNameField()


def _name_in_path(**parameter: str) -> str:
    """The value of the one path parameter given, if it can be stored; 422 otherwise."""
    [(name, value)] = parameter.items()
    try:
        return _NAME_IN_PATH.run_validation(value)
    except ValidationError as invalid:
        raise RequestInvalid(request_problems({name: invalid.detail}, parameter, root="path")) from None


def _schema_answer(group: str, schema: dict, *, is_custom: bool) -> dict:
    return {"group_name": group, "name_schema": schema, "is_custom": is_custom}
