"""When each category last changed, and how often; for clients that poll instead of downloading."""

from django.db import connection
from django.http import HttpRequest, HttpResponse
from rest_framework.exceptions import NotFound

from references.api.deployment import canonical_format_needed, primary_needed
from references.api.documentation import READ_ERRORS, by_name, operation
from references.api.reading import ReadViewSet, category_or_422
from references.api.responses import json_response
from references.api.schemas import CategoryLastUpdatedResponse, CategoryMetadata, LastUpdatedResponse
from references.categories import CATEGORIES
from references.models import Category
from references.vocabulary import METADATA_SCHEMA_VERSION, CanonicalFormat


class CategoryMetadataReads(ReadViewSet):
    """Counters and times of categories. `canonical_format` is that of the mount; the other one's answer is 503."""

    canonical_format = CanonicalFormat.V2

    @operation(
        "read_v2_last_updated",
        answers=LastUpdatedResponse,
        errors=(503,),
        tags=("metadata",),
        words="When any category last changed",
    )
    def read_last_updated(self, request: HttpRequest) -> HttpResponse:
        self._check_deployment()
        times = [row.last_updated for row in _rows().values()]
        return json_response(request, {"last_updated": max(times, default=None)})

    @operation(
        "read_all_v2_metadata",
        answers=by_name(CategoryMetadata),
        errors=(503,),
        tags=("metadata",),
        words="When each category last changed, and how often",
    )
    def read_all(self, request: HttpRequest) -> HttpResponse:
        self._check_deployment()
        rows = _rows()
        body = {name: category_metadata(rows[name]) for name in CATEGORIES if name in rows}
        return json_response(request, body)

    @operation(
        "read_v2_category_metadata",
        answers=CategoryMetadata,
        errors=READ_ERRORS,
        tags=("metadata",),
        words="When a category last changed, and how often",
    )
    def read_category(self, request: HttpRequest, model_category_name: str) -> HttpResponse:
        row = self._row(model_category_name)
        return json_response(request, category_metadata(row))

    @operation(
        "read_v2_category_last_updated",
        answers=CategoryLastUpdatedResponse,
        errors=READ_ERRORS,
        tags=("metadata",),
        words="When a category last changed",
    )
    def read_category_last_updated(self, request: HttpRequest, model_category_name: str) -> HttpResponse:
        row = self._row(model_category_name)
        body = {"category": row.name, "last_updated": row.last_updated}
        return json_response(request, body)

    def _row(self, name: str) -> Category:
        self._check_deployment()
        row = Category.objects.with_model_count().filter(pk=category_or_422(name)).first()
        if row is None:
            raise NotFound(f"No metadata for category '{name}'")
        return row

    def _check_deployment(self) -> None:
        primary_needed("Metadata is not available in REPLICA mode.")
        canonical_format_needed(self.canonical_format, "This metadata needs")


def _rows() -> dict[str, Category]:
    return {row.name: row for row in Category.objects.with_model_count()}


def category_metadata(row: Category) -> dict:
    """The wire form of a category row read `with_model_count`."""
    return {
        "category": row.name,
        "last_updated": row.last_updated,
        "last_operation_type": row.last_operation_type,
        "last_operation_model": row.last_operation_model,
        "total_creates": row.total_creates,
        "total_updates": row.total_updates,
        "total_deletes": row.total_deletes,
        "total_models": row.model_count,
        "initialization_time": row.initialized_at,
        "last_successful_operation": row.last_successful_operation,
        "error_count": row.error_count,
        "metadata_schema_version": METADATA_SCHEMA_VERSION,
        "backend_type": connection.vendor,
    }
