"""The desk, under the admin's address: queue and changes, batches and applying, the log."""

from django.urls import include, path

from moderation.desk import change, queue, reasons

urlpatterns = [
    path("queue/", queue.queue, name="desk_queue"),
    path("queue/reasons/", reasons.reasons, name="desk_reasons"),
    path("queue/reasons/<int:reason_id>/forget/", reasons.forget, name="desk_forget_reason"),
    path("queue/<int:change_id>/", change.change, name="desk_change"),
    path("", include("moderation.desk.batch_urls")),
    path("", include("moderation.desk.audit_urls")),
]
