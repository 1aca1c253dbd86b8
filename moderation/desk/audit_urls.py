"""The log, and the history of one model."""

from django.urls import path, re_path

from moderation.desk import audit, history

urlpatterns = [
    path("audit/", audit.audit_page, name="desk_audit"),
    re_path(r"^audit/events\.(?P<kind>csv|json)$", audit.audit_export, name="desk_audit_export"),
    path("audit/changes/<int:change_id>/revert/", history.revert, name="desk_change_revert"),
    path("audit/models/<str:category>/<path:model_name>", history.model_history, name="desk_model_history"),
]
