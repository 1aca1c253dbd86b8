"""The queue and the log in the admin are there to look at."""

import pytest
from django.urls import reverse

from moderation.models import AuditEvent, Batch, ChangeComment, PendingChange
from references.admin import time_text
from references.models import Category
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


BEGAN, LATER = 1_790_000_000, 1_790_003_600
BEGAN_SHOWN, LATER_SHOWN = "2026-09-21 14:13:20 UTC", "2026-09-21 15:13:20 UTC"


def test_times_are_dates_in_utc_on_the_page_of_a_row(admin_client, queue):
    change = PendingChange.objects.get()
    times = {"requested_at": BEGAN, "approved_at": LATER, "updated_at": LATER}
    PendingChange.objects.update(**times)
    page = admin_client.get(reverse("admin:moderation_pendingchange_change", args=[change.pk]))
    text = page.content.decode()
    assert (text.count(BEGAN_SHOWN), text.count(LATER_SHOWN)) == (1, 2)
    assert str(BEGAN) not in text
    assert "None" not in text
    Category.objects.filter(pk="clip").update(initialized_at=BEGAN, last_updated=LATER)
    text = admin_client.get(reverse("admin:references_category_change", args=["clip"])).content.decode()
    assert (BEGAN_SHOWN in text, LATER_SHOWN in text, str(BEGAN) in text) == (True, True, False)


def test_times_are_dates_in_lists_which_can_be_sorted_by_them(admin_client):
    for name, at in (("first", LATER), ("second", BEGAN)):
        ChangeComment.objects.create(
            change_id=1, author_id="1", author_username=name, text="words", written_at=at
        )
    address = reverse("admin:moderation_changecomment_changelist")
    for order, dates in (("3", [BEGAN_SHOWN, LATER_SHOWN]), ("-3", [LATER_SHOWN, BEGAN_SHOWN])):
        text = admin_client.get(f"{address}?o={order}").content.decode()
        assert sorted(dates, key=text.index) == dates


def test_every_list_with_times_has_dates(admin_client, queue):
    for model, column in ((Batch, "approved_at"), (AuditEvent, "timestamp"), (PendingChange, "requested_at")):
        seconds = getattr(model.objects.order_by("pk").last(), column)
        page = admin_client.get(reverse(f"admin:moderation_{model._meta.model_name}_changelist"))
        assert time_text(seconds) in page.content.decode()
        assert str(seconds) not in page.content.decode()


def test_a_time_beyond_the_calendar_is_its_number():
    assert time_text(10**15) == "1000000000000000"
