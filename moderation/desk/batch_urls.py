"""Batches, applying and purging."""

from django.urls import path, re_path

from moderation.desk import applying, batches, purging

urlpatterns = [
    path("batches/", batches.batch_list, name="desk_batches"),
    path("batches/<int:batch_id>/", batches.batch_page, name="desk_batch"),
    re_path(
        r"^batches/(?P<batch_id>[0-9]{1,18})/export\.(?P<kind>csv|json)$",
        batches.batch_export,
        name="desk_batch_export",
    ),
    path("batches/<int:batch_id>/revert/", batches.revert, name="desk_batch_revert"),
    path("batches/<int:batch_id>/reopen/<int:change_id>/", batches.reopen, name="desk_batch_reopen"),
    path("apply/<int:batch_id>/", applying.apply_page, name="desk_apply_preview"),
    path("apply/", applying.apply_page, name="desk_apply_preview"),
    path("purge/", purging.purge_page, name="desk_purge"),
]
