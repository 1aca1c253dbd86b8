"""The queue and the log in the admin are there to look at."""

import pytest
from django.urls import reverse

from moderation.models import AuditEvent, Batch, PendingChange
from tests.moderation.factories import approve, propose_create

pytestmark = pytest.mark.django_db


@pytest.fixture
def queue():
    approve(propose_create("<b>bold</b>"), title="Batch one")


@pytest.mark.parametrize(
    ("model", "shown"),
    [(PendingChange, "&lt;b&gt;bold&lt;/b&gt;"), (Batch, "Batch one"), (AuditEvent, "pending_queue")],
)
def test_rows_are_listed_and_shown_but_not_edited(admin_client, queue, model, shown):
    name = f"admin:moderation_{model._meta.model_name}"
    listed = admin_client.get(reverse(f"{name}_changelist"))
    assert listed.status_code == 200
    assert shown in listed.content.decode()
    assert "<b>bold</b>" not in listed.content.decode()
    row = model.objects.order_by("pk").last()
    page = admin_client.get(reverse(f"{name}_change", args=[row.pk]))
    assert page.status_code == 200
    assert "<b>bold</b>" not in page.content.decode()
    assert admin_client.post(reverse(f"{name}_change", args=[row.pk]), {}).status_code == 403
    assert admin_client.post(reverse(f"{name}_delete", args=[row.pk]), {"post": "yes"}).status_code == 403
    assert admin_client.get(reverse(f"{name}_add")).status_code == 403
    assert model.objects.filter(pk=row.pk).exists()
