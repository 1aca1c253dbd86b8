"""The whole URL map."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularRedocView, SpectacularSwaggerView

from config.openapi import OpenAPIDocument
from references.api.legacy import LegacyRecords
from references.api.metadata import CategoryMetadataReads
from references.api.records import CategoryNames, CategoryRecords
from references.api.search import RecordSearch
from references.api.service import ServiceReads
from references.vocabulary import CanonicalFormat

V1 = "model_references/v1"
V2 = "model_references/v2"
CATEGORY = "<str:model_category_name>"


def metadata(canonical_format: CanonicalFormat) -> list:
    def view(action: str) -> object:
        return CategoryMetadataReads.as_view({"get": action}, canonical_format=canonical_format)

    return [
        path("last_updated", view("read_last_updated")),
        path("metadata", view("read_all")),
        path(CATEGORY, view("read_category")),
        path(f"{CATEGORY}/last_updated", view("read_category_last_updated")),
    ]


api = [
    path(f"{V2}/info", ServiceReads.as_view({"get": "read_v2_info"})),
    path(f"{V2}/model_categories", CategoryNames.as_view({"get": "read_names"})),
    path(f"{V2}/search", RecordSearch.as_view({"get": "search_all"})),
    path(f"{V2}/{CATEGORY}", CategoryRecords.as_view({"get": "read_category"})),
    path(f"{V2}/{CATEGORY}/model/<path:model_name>", CategoryRecords.as_view({"get": "read_model"})),
    path(f"{V2}/{CATEGORY}/search", RecordSearch.as_view({"get": "search_category"})),
    path(f"{V2}/metadata/", include(metadata(CanonicalFormat.V2))),
    path(f"{V1}/info", ServiceReads.as_view({"get": "read_v1_info"})),
    path(f"{V1}/model_categories", CategoryNames.as_view({"get": "read_names"})),
    path(f"{V1}/text_generation", LegacyRecords.as_view({"get": "read_text"})),
    path(f"{V1}/metadata/", include(metadata(CanonicalFormat.LEGACY))),
    path(f"{V1}/{CATEGORY}", LegacyRecords.as_view({"get": "read_category"})),
    path("replicate_mode", ServiceReads.as_view({"get": "read_replicate_mode"})),
    path("heartbeat", ServiceReads.as_view({"get": "read_heartbeat"})),
    path("openapi.json", OpenAPIDocument.as_view()),
    path("docs", SpectacularSwaggerView.as_view(url="openapi.json")),
    path("redoc", SpectacularRedocView.as_view(url="openapi.json")),
    path("", ServiceReads.as_view({"get": "read_root"})),
]

urlpatterns = [
    path("api", ServiceReads.as_view({"get": "read_root"})),
    path("api/", include(api)),
    path("admin", RedirectView.as_view(url="/admin/")),
    path("admin/", admin.site.urls),
    path("", include(api)),
]

handler400 = "config.errors.bad_request"
handler403 = "config.errors.permission_denied"
handler404 = "config.errors.not_found"
handler500 = "config.errors.server_error"
