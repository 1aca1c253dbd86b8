"""The queue and the log in the admin: to look at. Decisions are taken through the services."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from moderation.models import AuditEvent, Batch, ChangeComment, PendingChange, SavedReason
from references.admin import ReadOnlyAdmin, readable_json


@admin.register(PendingChange)
class PendingChangeAdmin(ReadOnlyAdmin):
    list_display = (
        "change_id",
        "status",
        "operation",
        "category",
        "model_name",
        "requested_username",
        "batch_id",
        "requested_at",
    )
    texts = ("model_name", "requested_username")
    times = ("requested_at", "approved_at", "rejected_at", "applied_at", "purged_at", "updated_at")
    list_filter = ("status", "operation", "category")
    search_fields = ("model_name", "requested_username", "batch_title")
    ordering = ("-change_id",)
    exclude = ("payload", "base_record", "live_before", "live_after", "request_metadata", "related_models")
    readonly_fields = ("readable_payload", "readable_base", "readable_before", "readable_after")

    def get_queryset(self, request: HttpRequest) -> QuerySet[PendingChange]:
        return PendingChange.objects.all()

    @admin.display(description="proposed record")
    def readable_payload(self, change: PendingChange) -> str:
        return readable_json(change.payload_as_dict())

    @admin.display(description="record at the time of the proposal")
    def readable_base(self, change: PendingChange) -> str:
        return readable_json(change.base_as_dict())

    @admin.display(description="record before it was applied")
    def readable_before(self, change: PendingChange) -> str:
        return readable_json(change.live_before_as_dict())

    @admin.display(description="record after it was applied")
    def readable_after(self, change: PendingChange) -> str:
        return readable_json(change.live_after_as_dict())


@admin.register(Batch)
class BatchAdmin(ReadOnlyAdmin):
    list_display = ("number", "title", "approved_by", "approved_at", "last_event_id")
    texts = ("approved_by",)
    times = ("approved_at",)
    search_fields = ("title",)
    ordering = ("-number",)


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    list_display = (
        "event_id",
        "operation",
        "category",
        "model_name",
        "logical_user_id",
        "request_id",
        "timestamp",
    )
    texts = ("model_name", "logical_user_id", "request_id")
    times = ("timestamp",)
    list_filter = ("category", "operation", "domain")
    search_fields = ("model_name", "logical_user_id", "request_id")
    ordering = ("-event_id",)
    exclude = ("payload",)
    readonly_fields = ("readable_payload",)

    @admin.display(description="payload")
    def readable_payload(self, event: AuditEvent) -> str:
        return readable_json(event.payload_as_dict())


@admin.register(ChangeComment)
class ChangeCommentAdmin(ReadOnlyAdmin):
    list_display = ("change_id", "author_username", "text", "written_at")
    texts = ("author_username", "text")
    times = ("written_at",)
    search_fields = ("author_username", "text")
    ordering = ("-pk",)


@admin.register(SavedReason)
class SavedReasonAdmin(ReadOnlyAdmin):
    list_display = ("text",)
    texts = ("text",)
