"""Version 2: categories, their records, and search in them."""

from django.http import HttpRequest, HttpResponse
from rest_framework.exceptions import NotFound

from references.api.deployment import filled_needed
from references.api.documentation import READ_ERRORS, by_name, operation
from references.api.reading import ReadViewSet, category_not_found, category_or_404
from references.api.responses import document_response, json_response
from references.categories import CATEGORIES
from references.documents import record_document, snapshot
from references.serializers.records import GenericModelRecord, RecordTypeField


class CategoryRecords(ReadViewSet):
    """The records of a category."""

    @operation(
        "read_v2_reference",
        answers=by_name(GenericModelRecord),
        errors=READ_ERRORS,
        words="All records of a category, by name",
    )
    def read_category(self, request: HttpRequest, model_category_name: str) -> HttpResponse:
        held = snapshot(category_or_404(model_category_name))
        if not held.rows:
            filled_needed(held)
            raise category_not_found(model_category_name)
        return document_response(request, held.v2)

    @operation("read_v2_single_model", answers=GenericModelRecord, errors=READ_ERRORS, words="One record")
    def read_model(self, request: HttpRequest, model_category_name: str, model_name: str) -> HttpResponse:
        category = category_or_404(model_category_name)
        document = record_document(category, model_name)
        if document is None:
            filled_needed(snapshot(category))
            raise NotFound(f"Model '{model_name}' not found in category '{model_category_name}'")
        return document_response(request, document)


class CategoryNames(ReadViewSet):
    """The names of all categories, in their fixed order."""

    @operation(
        "read_v2_references_names",
        answers={"type": "array", "items": RecordTypeField()},
        words="The names of all categories, in their fixed order",
    )
    def read_names(self, request: HttpRequest) -> HttpResponse:
        return json_response(request, list(CATEGORIES))
