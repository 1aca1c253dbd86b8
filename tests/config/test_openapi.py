"""The OpenAPI document as clients and their generators get it."""

import gzip
import os
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.core.management import call_command
from django.test import Client
from django.urls import Resolver404, path, resolve
from jsonschema import Draft202012Validator
from pytest_django import Settings
from rest_framework.viewsets import ViewSet

from config.openapi import ApiSchemaGenerator
from references.api.documentation import WRITE_ERRORS, operation
from references.api.legacy import LegacyRecords
from references.api.records import CategoryRecords
from references.api.schemas import ContainsMessage
from references.categories import CATEGORIES, CategorySpec
from references.serializers import LEGACY_RECORD_TYPES, RECORD_TYPES
from references.serializers.records import GenericModelRecord
from references.vocabulary import Domain, Purpose
from tests.recorded import golden

V1 = "/model_references/v1"
V2 = "/model_references/v2"
ALL = f"{V2}/{{model_category_name}}"
ONE = f"{ALL}/model/{{model_name}}"
KEYED = [{"APIKeyHeader": []}]
# Sends a body to be answered, and changes nothing.
KEYLESS_POSTS = {"compose_name_model_references_v2_text_generation_compose_name_post"}

Document = dict[str, Any]
Endpoint = tuple[str, str]


@pytest.fixture(scope="module")
def document() -> Document:
    return Client().get("/api/openapi.json").json()


def operations(document: Document) -> Iterator[tuple[str, str, dict]]:
    """(method, path, operation) of each."""
    for route, item in document["paths"].items():
        for method, described in item.items():
            yield method, route, described


def answer(described: dict, status: int = 200) -> dict:
    """The schema of the answer with the status."""
    return described["responses"][str(status)]["content"]["application/json"]["schema"]


def body(described: dict) -> dict:
    return described["requestBody"]["content"]["application/json"]["schema"]


def _queue_twins(name: str, path: str) -> set[str]:
    return {f"{name}_model_references_{version}_pending_queue_{path}_post" for version in ("v1", "v2")}


# What the published API does not have.
OUR_OWN = {
    "get_current_user_roles_model_references_v1_me_roles_get",
    "read_atom_feed",
    "read_model_usage_history",
    "read_v2_changes",
    "read_v2_models_by_hash",
    *_queue_twins("withdraw_pending_change", "changes__change_id__withdraw"),
    *_queue_twins("reopen_pending_change", "changes__change_id__reopen"),
    *_queue_twins("revert_pending_change", "changes__change_id__revert"),
    *_queue_twins("revert_batch", "batches__batch_id__revert"),
}


def reference(serializer_class: type) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{serializer_class.__name__}"}


def is_mounted(method: str, route: str) -> bool:
    try:
        callback = resolve("/api" + re.sub(r"{\w+}", "1", route)).func
    except Resolver404:
        return False
    return method.lower() in getattr(callback, "actions", {})


def recorded_endpoints() -> dict[str, Endpoint]:
    """The operations of the published API: id -> (method, path)."""
    recorded = golden("openapi_operations.json")["operations"]
    return {each["operationId"]: (each["method"], each["path"]) for each in recorded}


def test_the_document_names_the_api_its_server_and_its_key(document: Document):
    assert document["openapi"] == "3.1.0"
    assert document["info"]["title"] == "Horde Model Reference API"
    assert document["servers"][0] == {"url": "/api"}
    assert document["components"]["securitySchemes"] == {
        "APIKeyHeader": {"type": "apiKey", "in": "header", "name": "apikey"}
    }


def test_mounted_operations_have_the_ids_of_the_published_api(document: Document):
    recorded = recorded_endpoints()
    described = {each["operationId"]: (method.upper(), route) for method, route, each in operations(document)}
    mounted = {name: endpoint for name, endpoint in recorded.items() if is_mounted(*endpoint)}
    assert {name: described.get(name) for name in mounted} == mounted
    assert described.keys() - recorded.keys() == OUR_OWN


def test_components_have_the_names_of_the_published_api(document: Document):
    absent = [name for name, endpoint in recorded_endpoints().items() if not is_mounted(*endpoint)]
    if absent and not os.environ.get("REQUIRE_ALL"):
        pytest.skip(f"{len(absent)} operations are not mounted, and their components not referred to")
    wanted = set(golden("openapi_operations.json")["schemas"])
    assert wanted - document["components"]["schemas"].keys() == set()


def test_no_operation_id_is_used_twice(document: Document):
    ids = [described["operationId"] for *_, described in operations(document)]
    assert len(ids) == len(set(ids))


def test_every_path_parameter_is_described_and_no_other(document: Document):
    for method, route, described in operations(document):
        in_path = {each["name"]: each for each in described.get("parameters", ()) if each["in"] == "path"}
        assert sorted(in_path) == sorted(re.findall(r"{(\w+)}", route)), (method, route)
        assert all(each["required"] for each in in_path.values()), (method, route)
        assert all(each["description"] for each in in_path.values()), (method, route)


def test_every_tag_is_explained(document: Document):
    explained = {tag["name"] for tag in document["tags"]}
    assert {tag for *_, described in operations(document) for tag in described["tags"]} <= explained


def test_every_reference_leads_to_a_component(document: Document):
    def references(node: Any) -> Iterator[str]:
        if isinstance(node, dict):
            yield from [node["$ref"]] if "$ref" in node else []
            node = list(node.values())
        if isinstance(node, list):
            for each in node:
                yield from references(each)

    known = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert set(references(document)) <= known


@pytest.mark.parametrize("category", CATEGORIES)
def test_a_category_has_its_own_typed_reads(document: Document, category: str):
    record = reference(RECORD_TYPES[category])
    every = document["paths"][f"{V2}/{category}"]["get"]
    one = document["paths"][f"{V2}/{category}/model/{{model_name}}"]["get"]
    assert every["operationId"] == f"read_v2_{category}_all"
    assert answer(every) == {"type": "object", "additionalProperties": record}
    assert every["parameters"] == []
    assert one["operationId"] == f"read_v2_{category}_one"
    assert answer(one) == record
    assert [parameter["name"] for parameter in one["parameters"]] == ["model_name"]


def test_the_reads_for_all_categories_answer_any_of_their_records(document: Document):
    any_record = {"anyOf": [reference(RECORD_TYPES[category]) for category in CATEGORIES]}
    every, one = document["paths"][ALL]["get"], document["paths"][ONE]["get"]
    assert answer(every) == {"type": "object", "additionalProperties": any_record}
    assert answer(one) == any_record
    assert every["parameters"][0]["schema"] == {"$ref": "#/components/schemas/MODEL_REFERENCE_CATEGORY"}
    assert document["components"]["schemas"]["MODEL_REFERENCE_CATEGORY"]["enum"] == list(CATEGORIES)


def test_record_reads_document_their_errors_and_need_no_key(document: Document):
    for route in (ALL, ONE, f"{V2}/clip", f"{ALL}/search", f"{V1}/{{model_category_name}}"):
        described = document["paths"][route]["get"]
        error = {"$ref": "#/components/schemas/ErrorResponse"}
        problems = {"$ref": "#/components/schemas/HTTPValidationError"}
        assert answer(described, 404) == answer(described, 503) == error, route
        assert answer(described, 422) == {"anyOf": [problems, error]}, route
        assert "security" not in described, route


def test_writes_need_the_key(document: Document):
    for method, route, described in operations(document):
        if method != "get" and described["operationId"] not in KEYLESS_POSTS:
            assert described.get("security") == KEYED, (method, route)


def test_the_text_count_goes_by_one_name(document: Document):
    properties = document["components"]["schemas"]["TextGenerationModelRecord"]["properties"]
    assert "parameters" in properties
    assert "parameters_count" not in properties


def test_a_new_category_gets_typed_operations_by_being_registered(monkeypatch: pytest.MonkeyPatch):
    spec = CategorySpec("upscaler", "Upscaler", Domain.IMAGE, Purpose.POST_PROCESSING)
    monkeypatch.setitem(CATEGORIES, "upscaler", spec)
    monkeypatch.setitem(RECORD_TYPES, "upscaler", GenericModelRecord)

    class UpscalerModelRecord(GenericModelRecord):
        category = "upscaler"

    document = ApiSchemaGenerator().get_schema(public=True)
    described = document["paths"][f"{V2}/upscaler/model/{{model_name}}"]["get"]
    assert described["operationId"] == "read_v2_upscaler_one"
    assert answer(described) == reference(UpscalerModelRecord)
    assert reference(UpscalerModelRecord) in answer(document["paths"][ONE]["get"])["anyOf"]
    assert document["components"]["schemas"]["MODEL_REFERENCE_CATEGORY"]["enum"][-1] == "upscaler"


class RecordProposals(CategoryRecords):
    @operation("create_v2_record", answers=ContainsMessage, status=202, errors=WRITE_ERRORS, keyed=True)
    def create(self, request, model_category_name): ...

    @operation("create_v2_model", answers=ContainsMessage, status=202, errors=WRITE_ERRORS, keyed=True)
    def add(self, request, model_category_name): ...

    @operation("update_v2_model", answers=ContainsMessage, status=202, errors=WRITE_ERRORS, keyed=True)
    def update(self, request, model_category_name, model_name): ...

    @operation("delete_v2_model", answers=ContainsMessage, status=202, errors=WRITE_ERRORS, keyed=True)
    def delete(self, request, model_category_name, model_name): ...


class LegacyWrites(LegacyRecords):
    @operation("create_legacy", answers=ContainsMessage, status=202, keyed=True, tags=("v1",))
    def create(self, request, model_category_name): ...

    @operation("update_legacy", answers=ContainsMessage, status=202, keyed=True, tags=("v1",))
    def update(self, request, model_category_name): ...

    @operation("create_legacy_text", answers=ContainsMessage, status=201, keyed=True, tags=("v1",))
    def create_text(self, request): ...


@pytest.fixture(scope="module")
def written() -> Document:
    """The document of a service whose record routes take writes."""
    category = "<str:model_category_name>"
    proposals, legacy = RecordProposals.as_view, LegacyWrites.as_view
    patterns = [
        path(f"api{V2}/{category}", proposals({"get": "read_category", "post": "create"})),
        path(f"api{V2}/{category}/add", proposals({"post": "add"})),
        path(
            f"api{V2}/{category}/model/<path:model_name>",
            proposals({"get": "read_model", "put": "update", "delete": "delete"}),
        ),
        path(f"api{V1}/text_generation", legacy({"get": "read_text", "post": "create_text"})),
        path(f"api{V1}/{category}", legacy({"get": "read_category", "post": "create", "put": "update"})),
    ]
    return ApiSchemaGenerator(patterns=patterns).get_schema(public=True)


@pytest.mark.parametrize("category", CATEGORIES)
def test_writes_of_a_category_take_its_record(written: Document, category: str):
    record = reference(RECORD_TYPES[category])
    create = written["paths"][f"{V2}/{category}"]["post"]
    update = written["paths"][f"{V2}/{category}/model/{{model_name}}"]["put"]
    assert (create["operationId"], update["operationId"]) == (
        f"create_v2_{category}",
        f"update_v2_{category}",
    )
    assert body(create) == body(update) == record
    assert create["requestBody"]["required"]
    assert answer(create, 202) == reference(ContainsMessage)
    assert answer(create, 409) == {"$ref": "#/components/schemas/ErrorResponse"}
    assert create["security"] == update["security"] == KEYED


def test_writes_for_all_categories_take_any_record(written: Document):
    any_record = {"anyOf": [reference(RECORD_TYPES[category]) for category in CATEGORIES]}
    assert body(written["paths"][f"{ALL}/add"]["post"]) == body(written["paths"][ONE]["put"]) == any_record
    assert {method: each["operationId"] for method, each in written["paths"][ONE].items()} == {
        "get": "read_v2_single_model",
        "put": "update_v2_model",
        "delete": "delete_v2_model",
    }
    assert list(written["paths"][ALL]) == ["get"]
    assert "delete" not in written["paths"][f"{V2}/clip/model/{{model_name}}"]


def test_legacy_writes_exist_for_categories_with_a_legacy_form(written: Document):
    ids = {
        (method, route): each["operationId"] for method, route, each in operations(written) if method != "get"
    }
    legacy = [name for name, spec in CATEGORIES.items() if spec.has_legacy_form]
    assert len(legacy) == 10
    for category in legacy:
        route = f"{V1}/{category}"
        update = (
            "update_legacy_model" if category == "image_generation" else f"update_legacy_{category}_model"
        )
        assert ids[("post", route)] == f"create_legacy_{category}_model"
        assert ids[("put", route)] == update
        assert body(written["paths"][route]["put"]) == reference(LEGACY_RECORD_TYPES[category])
    assert {route for _, route in ids if route.startswith(V1)} == {f"{V1}/{category}" for category in legacy}
    assert list(written["paths"][f"{V1}/{{model_category_name}}"]) == ["get"]
    assert answer(written["paths"][f"{V1}/clip"]["post"], 202) == reference(ContainsMessage)
    assert answer(written["paths"][f"{V1}/text_generation"]["post"], 201) == reference(ContainsMessage)


def test_a_view_under_both_versions_has_ids_and_tags_of_each():
    class Queue(ViewSet):
        @operation(
            "list_model_references_v2_pending_queue_get", answers=ContainsMessage, tags=("pending_queue",)
        )
        def list_changes(self, request): ...

        @operation("read_v2_names", answers=ContainsMessage)
        def names(self, request): ...

    patterns = [
        path(f"api{version}/{route}", Queue.as_view({"get": action}))
        for version in (V1, V2)
        for route, action in (("pending_queue", "list_changes"), ("names", "names"))
    ]
    described = ApiSchemaGenerator(patterns=patterns).get_schema(public=True)["paths"]
    assert {
        route: (item["get"]["operationId"], item["get"]["tags"]) for route, item in described.items()
    } == {
        f"{V1}/names": ("read_legacy_names", ["v1"]),
        f"{V1}/pending_queue": ("list_model_references_v1_pending_queue_get", ["pending_queue"]),
        f"{V2}/names": ("read_v2_names", ["v2"]),
        f"{V2}/pending_queue": ("list_model_references_v2_pending_queue_get", ["pending_queue"]),
    }


@pytest.mark.parametrize("category", [name for name, spec in CATEGORIES.items() if spec.has_legacy_form])
def test_the_real_records_fit_the_documented_schemas(document: Document, category: str):
    components = document["components"]
    typed = answer(document["paths"][f"{V2}/{category}"]["get"]) | {"components": components}
    Draft202012Validator(typed).validate(golden("v2", f"{category}.json"))
    own_route = document["paths"].get(f"{V1}/{category}", {})
    generic = document["paths"][f"{V1}/{{model_category_name}}"]
    legacy = answer((own_route if "get" in own_route else generic)["get"]) | {"components": components}
    Draft202012Validator(legacy).validate(golden("v1", f"{category}.json"))


def test_the_document_is_conditional_and_compressed(client: Client):
    plain = client.get("/api/openapi.json")
    packed = client.get("/api/openapi.json", headers={"accept-encoding": "gzip"})
    assert plain.headers["Content-Type"] == "application/json"
    assert gzip.decompress(packed.content) == plain.content
    again = client.get("/api/openapi.json", headers={"if-none-match": plain.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_the_document_is_valid_and_complete_without_guesses():
    call_command("spectacular", validate=True, fail_on_warn=True, file=os.devnull)


@pytest.mark.parametrize("page", ["/api/docs", "/docs", "/api/redoc", "/redoc"])
def test_documentation_pages_need_nothing_from_elsewhere(client: Client, page: str, settings: Settings):
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    }
    response = client.get(page)
    html = response.content.decode()
    assert response.status_code == 200
    assert re.findall(r"https?://[^\s\"'<>]+", html) == []
    assert "Content-Security-Policy" in html
    assets = re.findall(r'(?:src|href)="/static/([^"]+)"', html)
    assert assets
    assert [asset for asset in assets if finders.find(asset) is None] == []
    assert "openapi.json" in html
