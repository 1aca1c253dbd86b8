"""The whole URL map."""

from collections.abc import Callable
from functools import partial

from django.contrib import admin
from django.urls import URLPattern, include, path
from django.views.generic import RedirectView

from config.docs import OpenAPIDocument, RedocPage, SwaggerPage
from config.icon import favicon
from config.metrics import MetricsPage
from moderation.api.atom import AtomFeed
from moderation.api.audit import QueueAudit
from moderation.api.batches import PendingBatches
from moderation.api.changes import PendingChanges
from moderation.api.feed import ChangeFeed
from moderation.api.legacy_proposals import LegacyProposals
from moderation.api.proposals import RecordProposals
from moderation.api.roles import CallerRoles
from moderation.api.text_changes import GroupCommonFields, NameExceptions
from references.api.by_hash import FilesByHash
from references.api.metadata import CategoryMetadataReads
from references.api.popular import PopularModels
from references.api.records import CategoryNames
from references.api.search import RecordSearch
from references.api.service import ServiceReads
from references.api.statistics import CategoryAnalytics
from references.api.text import TextGroupReads, TextNames
from references.api.text_structure import TextAliases, TextFamilies, TextNameSchemas
from references.vocabulary import CanonicalFormat

CATEGORY = "<str:model_category_name>"
MODEL = f"{CATEGORY}/model/<path:model_name>"


def metadata(canonical_format: CanonicalFormat) -> list[URLPattern]:
    view = partial(CategoryMetadataReads.as_view, canonical_format=canonical_format)
    return [
        path("last_updated", view({"get": "read_last_updated"})),
        path("metadata", view({"get": "read_all"})),
        path(CATEGORY, view({"get": "read_category"})),
        path(f"{CATEGORY}/last_updated", view({"get": "read_category_last_updated"})),
    ]


def pending_queue(canonical_format: CanonicalFormat) -> list[URLPattern]:
    def view(views: type, **actions: str) -> Callable:
        return views.as_view(actions, canonical_format=canonical_format)

    return [
        path("my_changes", view(PendingChanges, get="read_mine")),
        path("changes", view(PendingChanges, get="read_all")),
        path("changes/<str:change_id>", view(PendingChanges, get="read_one")),
        path("changes/<str:change_id>/diff", view(PendingChanges, get="read_diff")),
        path("changes/<str:change_id>/apply", view(PendingChanges, post="apply")),
        path("changes/<str:change_id>/withdraw", view(PendingChanges, post="withdraw")),
        path("changes/<str:change_id>/reopen", view(PendingChanges, post="reopen")),
        path("changes/<str:change_id>/revert", view(PendingChanges, post="revert")),
        path("diffs", view(PendingChanges, get="read_diffs")),
        path("purge", view(PendingChanges, post="purge")),
        path("batches", view(PendingBatches, post="decide")),
        path("batches/<str:batch_id>/revert", view(PendingBatches, post="revert")),
        path("apply", view(PendingBatches, post="apply")),
        path("apply_batch/<str:batch_id>", view(PendingBatches, post="apply_batch")),
        path("audit/current", QueueAudit.as_view({"get": "read_current"})),
        path("audit/batches", QueueAudit.as_view({"get": "read_batches"})),
        path("audit/batches/<str:batch_id>", QueueAudit.as_view({"get": "read_batch"})),
        path("audit/batches/<str:batch_id>/net_changes", QueueAudit.as_view({"get": "read_net_changes"})),
    ]


# A group's name is a query parameter, or the rest of the path: one operation, documented once.
# Names hold slashes, so the longer paths come first.
SCHEMA_ACTIONS = {"get": "read_schema", "put": "put_schema", "delete": "delete_schema"}
text_toolkit = [
    path("parse_name", TextNames.as_view({"get": "parse_name"})),
    path("compose_name", TextNames.as_view({"post": "compose_name"})),
    path("distinct_baselines", TextGroupReads.as_view({"get": "read_baselines"})),
    path("groups", TextGroupReads.as_view({"get": "read_names"})),
    path("groups/summary", TextGroupReads.as_view({"get": "read_summary"})),
    path("groups/health", TextGroupReads.as_view({"get": "read_health"})),
    path("group", TextGroupReads.as_view({"get": "read_group"})),
    path("group/name_schema", TextNameSchemas.as_view(SCHEMA_ACTIONS)),
    path("group/common_fields", GroupCommonFields.as_view({"put": "put_common_fields"})),
    path("group/<path:group_name>/name_schema", TextNameSchemas.as_view(SCHEMA_ACTIONS, schema=None)),
    path(
        "group/<path:group_name>/common_fields",
        GroupCommonFields.as_view({"put": "put_common_fields"}, schema=None),
    ),
    path("group/<path:group_name>", TextGroupReads.as_view({"get": "read_group"}, schema=None)),
    path("aliases", TextAliases.as_view({"get": "read_entries"})),
    path("aliases/<path:canonical>/add", TextAliases.as_view({"post": "add_alias"})),
    path("aliases/<path:canonical>/remove", TextAliases.as_view({"post": "remove_alias"})),
    path(
        "aliases/<path:canonical>",
        TextAliases.as_view({"get": "read_entry", "put": "put_entry", "delete": "delete_entry"}),
    ),
    path("families", TextFamilies.as_view({"get": "read_families"})),
    path("families/detect", TextFamilies.as_view({"get": "detect_families", "put": "put_detector"})),
    path("families/<path:family_name>/add", TextFamilies.as_view({"post": "add_member"})),
    path("families/<path:family_name>/remove", TextFamilies.as_view({"post": "remove_member"})),
    path(
        "families/<path:family_name>",
        TextFamilies.as_view({"get": "read_family", "put": "put_family", "delete": "delete_family"}),
    ),
    path("<path:model_name>/name_exception", NameExceptions.as_view({"put": "put_name_exception"})),
]

v2 = [
    path("info", ServiceReads.as_view({"get": "read_v2_info"})),
    path("model_categories", CategoryNames.as_view({"get": "read_names"})),
    path("me/roles", CallerRoles.as_view({"get": "read_roles"})),
    path("search", RecordSearch.as_view({"get": "search_all"})),
    path("changes", ChangeFeed.as_view({"get": "read_changes"})),
    path("by-hash/<str:sha256>", FilesByHash.as_view({"get": "read_models"})),
    path("metadata/", include(metadata(CanonicalFormat.V2))),
    path("pending_queue/", include(pending_queue(CanonicalFormat.V2))),
    path(CATEGORY, RecordProposals.as_view({"get": "read_category", "post": "create"})),
    path(MODEL, RecordProposals.as_view({"get": "read_model", "put": "update", "delete": "destroy"})),
    path(f"{CATEGORY}/search", RecordSearch.as_view({"get": "search_category"})),
    path(f"{CATEGORY}/popular", PopularModels.as_view({"get": "read_popular"})),
    path(f"{CATEGORY}/pending", RecordProposals.as_view({"get": "read_pending"})),
    path(f"{CATEGORY}/add", RecordProposals.as_view({"post": "add"})),
    path("text_generation/", include(text_toolkit)),
]

v1 = [
    path("info", ServiceReads.as_view({"get": "read_v1_info"})),
    path("model_categories", CategoryNames.as_view({"get": "read_names"})),
    path("me/roles", CallerRoles.as_view({"get": "read_roles"})),
    path("metadata/", include(metadata(CanonicalFormat.LEGACY))),
    path("pending_queue/", include(pending_queue(CanonicalFormat.LEGACY))),
    path("text_generation", LegacyProposals.as_view({"get": "read_text", "post": "create", "put": "update"})),
    path(CATEGORY, LegacyProposals.as_view({"get": "read_category", "post": "create", "put": "update"})),
    path(MODEL, LegacyProposals.as_view({"delete": "destroy"})),
]

statistics = [
    path(CATEGORY, CategoryAnalytics.as_view({"get": "read_statistics"})),
    path(f"{CATEGORY}/deletion-risk", CategoryAnalytics.as_view({"get": "read_deletion_risk"})),
    path(f"{CATEGORY}/with-stats", CategoryAnalytics.as_view({"get": "read_with_stats"})),
    path(f"{CATEGORY}/usage-history", CategoryAnalytics.as_view({"get": "read_usage_history"})),
]

api = [
    path("model_references/v2/", include(v2)),
    path("model_references/v1/", include(v1)),
    path("model_references/statistics/", include(statistics)),
    path("heartbeat", ServiceReads.as_view({"get": "read_heartbeat"})),
    path("replicate_mode", ServiceReads.as_view({"get": "read_replicate_mode"})),
    path("feed.atom", AtomFeed.as_view({"get": "read_feed"})),
    path("openapi.json", OpenAPIDocument.as_view()),
    path("docs", SwaggerPage.as_view()),
    path("redoc", RedocPage.as_view()),
    path("", ServiceReads.as_view({"get": "read_root"})),
]

urlpatterns = [
    path("api", ServiceReads.as_view({"get": "read_root"}, schema=None)),
    path("api/", include(api)),
    path("metrics", MetricsPage.as_view()),
    path("favicon.ico", favicon),
    path("admin", RedirectView.as_view(url="/admin/")),
    path("admin/", admin.site.urls),
    path("", include("moderation.pages.urls")),
    path("", include("references.pages.urls")),
    path("", include(api)),
]

handler400 = "config.errors.bad_request"
handler403 = "config.errors.permission_denied"
handler404 = "config.errors.not_found"
handler500 = "config.errors.server_error"
