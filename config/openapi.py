"""The OpenAPI document: one operation for each route and, where records are concerned, for each category."""

import json
from dataclasses import dataclass
from functools import cache
from threading import Lock
from typing import Any

from drf_spectacular.generators import EndpointEnumerator, SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent, force_instance
from rest_framework.fields import Field
from rest_framework.views import APIView

from references.api.documentation import JSON, by_name
from references.auth import HordeKeyAuthentication, HordeKeyScheme
from references.categories import CATEGORIES
from references.documents import Document
from references.serializers import legacy_record_type, record_type
from references.serializers.records import RecordTypeField

API = "/api"
V1 = "/model_references/v1"
V2 = "/model_references/v2"
CATEGORY_NAME = "model_category_name"
MODEL_NAME = "model_name"
CATEGORY = f"{{{CATEGORY_NAME}}}"
MODEL = f"{{{MODEL_NAME}}}"
PATH_PARAMETERS = {
    CATEGORY_NAME: "The category.",
    MODEL_NAME: "The model's name; slashes in it may be written plainly or percent-encoded.",
    "canonical": "The group that the aliases stand for.",
    "family_name": "The family's name.",
    "change_id": "The number of the proposed change.",
    "batch_id": "The number of the batch.",
}

Operation = dict[str, Any]
Paths = dict[str, dict[str, Operation]]


@dataclass(frozen=True, slots=True)
class RecordRoute:
    """A route that takes (POST, PUT) or answers (GET) records of the category in its path.

    `typed` is the operation id of the form each category has of its own. The form for all categories stands
    beside those where `generic` says so.
    """

    method: str
    path: str
    typed: str | None = None
    generic: bool = True

    def record_types(self) -> dict[str, type]:
        if self.path.startswith(V1):
            with_legacy_form = (name for name, spec in CATEGORIES.items() if spec.has_legacy_form)
            return {name: legacy_record_type(name) for name in with_legacy_form}
        return {name: record_type(name) for name in CATEGORIES}

    def with_records(self, operation: Operation, record: Any) -> Operation:
        """The operation with `record` as the schema of the records it takes or answers."""
        if self.method != "get":
            return operation | {"requestBody": {"content": {JSON: {"schema": record}}, "required": True}}
        schema = record if self.path.endswith(MODEL) else by_name(record)
        responses = operation["responses"]
        answer = responses["200"] | {"content": {JSON: {"schema": schema}}}
        return operation | {"responses": responses | {"200": answer}}


RECORD_ROUTES = (
    RecordRoute("get", f"{V2}/{CATEGORY}", "read_v2_{}_all"),
    RecordRoute("get", f"{V2}/{CATEGORY}/model/{MODEL}", "read_v2_{}_one"),
    RecordRoute("post", f"{V2}/{CATEGORY}", "create_v2_{}", generic=False),
    RecordRoute("put", f"{V2}/{CATEGORY}/model/{MODEL}", "update_v2_{}"),
    RecordRoute("post", f"{V2}/{CATEGORY}/add"),
    RecordRoute("get", f"{V2}/{CATEGORY}/pending"),
    RecordRoute("post", f"{V1}/{CATEGORY}", "create_legacy_{}_model", generic=False),
    RecordRoute("put", f"{V1}/{CATEGORY}", "update_legacy_{}_model", generic=False),
)
# The one id that is not made like the others; clients generated from the public document call it.
IRREGULAR_IDS = {"update_legacy_image_generation_model": "update_legacy_model"}


class ApiEndpoints(EndpointEnumerator):
    """Of the routes, which answer with and without the prefix of the API, those with it."""

    def get_api_endpoints(self, *args: Any, **kwargs: Any) -> list[tuple]:
        endpoints = super().get_api_endpoints(*args, **kwargs)
        return [endpoint for endpoint in endpoints if endpoint[0].startswith(f"{API}/")]


class ApiSchemaGenerator(SchemaGenerator):
    """Adds to what the views say of themselves: a typed form for each category, and the ids of version 1."""

    endpoint_inspector_cls = ApiEndpoints

    def parse(self, input_request: Any, public: bool) -> Paths:
        paths = super().parse(input_request, public)
        for path, operations in paths.items():
            for operation in operations.values():
                _finish(path, operation)
        for route in RECORD_ROUTES:
            _add_typed_operations(paths, route)
        schema = AutoSchema()
        schema.registry = self.registry
        schema.view = APIView(request=None)
        self._register_key_scheme(schema)
        return {path: _resolved(paths[path], schema) for path in sorted(paths, key=_place) if paths[path]}

    def _register_key_scheme(self, schema: AutoSchema) -> None:
        definition = HordeKeyScheme(HordeKeyAuthentication()).get_security_definition(schema)
        scheme = ResolvedComponent(
            HordeKeyScheme.name, ResolvedComponent.SECURITY_SCHEMA, definition, HordeKeyAuthentication
        )
        self.registry.register_on_missing(scheme)


def _place(path: str) -> str:
    """Sorts by path, and what is for all categories before what is for one."""
    return path.replace("{", " ")


def _finish(path: str, operation: Operation) -> None:
    if "summary" in operation:
        # Taken from a docstring, which speaks to readers of the code.
        operation.pop("description", None)
    for parameter in operation.get("parameters", ()):
        if parameter["in"] == "path" and parameter["name"] in PATH_PARAMETERS:
            parameter.setdefault("description", PATH_PARAMETERS[parameter["name"]])
            # Version 1 takes further spellings of a category.
            if parameter["name"] == CATEGORY_NAME and not path.startswith(V1):
                parameter["schema"] = RecordTypeField()
    if path.startswith(V1):
        operation["operationId"] = _legacy_id(operation["operationId"])
        operation["tags"] = ["v1" if tag == "v2" else tag for tag in operation["tags"]]


def _legacy_id(operation_id: str) -> str:
    """The id of an operation that is mounted under both versions and named for version 2."""
    return operation_id.replace("model_references_v2", "model_references_v1").replace("_v2_", "_legacy_")


def _add_typed_operations(paths: Paths, route: RecordRoute) -> None:
    record_types = route.record_types()
    generic = paths.get(route.path, {}).pop(route.method, None)
    if route.typed:
        for category, record in record_types.items():
            operations = paths.setdefault(route.path.replace(CATEGORY, category), {})
            # A category may have a route of its own, before the one for all.
            if untyped := operations.get(route.method, generic):
                operations[route.method] = _typed(route, untyped, category, record)
    if generic and route.generic:
        paths[route.path][route.method] = route.with_records(generic, {"anyOf": list(record_types.values())})


def _typed(route: RecordRoute, operation: Operation, category: str, record: type) -> Operation:
    operation_id = route.typed.format(category)
    parameters = [each for each in operation.get("parameters", ()) if each["name"] != CATEGORY_NAME]
    typed = route.with_records(operation, record) | {
        "operationId": IRREGULAR_IDS.get(operation_id, operation_id),
        "parameters": parameters,
    }
    if "summary" in operation:
        typed["summary"] = f"{operation['summary']}: {CATEGORIES[category].label}"
    return typed


def _resolved(node: Any, schema: AutoSchema) -> Any:
    """The node with the serializers and fields in it replaced by their schemas, or references to those."""
    if isinstance(node, dict):
        return {key: _resolved(value, schema) for key, value in node.items()}
    if isinstance(node, list):
        return [_resolved(value, schema) for value in node]
    if isinstance(force_instance(node), Field):
        return schema._map_serializer_field(force_instance(node), "response")
    return node


_building = Lock()


def openapi_document() -> Document:
    """Built at the first call; nothing in it changes while the process lives.

    One thread builds it: the generator loads its extensions as it goes, and fails where two do.
    """
    with _building:
        return _document()


@cache
def _document() -> Document:
    return Document(json.dumps(ApiSchemaGenerator().get_schema(public=True), ensure_ascii=False).encode())
