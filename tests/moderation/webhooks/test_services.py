"""What a transaction writes is one delivery for each webhook, or none at all."""

import pytest
from django.db import transaction

from moderation.events import unlogged
from moderation.models import AuditEvent, Webhook, WebhookDelivery
from moderation.services import batch_apply
from moderation.services.legacy_direct import legacy_record_create, legacy_record_delete
from moderation.webhooks.payloads import MAX_CHANGES, changed_body
from moderation.webhooks.services import webhook_add, webhook_enable, webhook_remove, webhook_rotate
from references.management.commands.serve import side_commands
from references.models import Category, ModelRecord
from references.services import record_delete, record_put, records_import, sources_import
from references.vocabulary import ReplicateMode
from tests.factories import make_imported, make_record, make_source, make_v2
from tests.moderation.factories import (
    ADA,
    IMAGES,
    apply_at_once,
    approve,
    make_live,
    propose_create,
    propose_delete,
    propose_update,
)
from tests.moderation.webhooks.conftest import SECRET
from tests.moderation.webhooks.receiver import Told

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def first() -> Webhook:
    return webhook_add(url="https://first.example/", secret=SECRET)


@pytest.fixture
def second() -> Webhook:
    return webhook_add(url="https://second.example/", secret=SECRET)


def told() -> list[Told]:
    """The bodies of all deliveries, in the order they were written."""
    deliveries = WebhookDelivery.objects.order_by("since", "webhook")
    return [Told("", None, changed_body(delivery)) for delivery in deliveries]


def test_a_batch_that_is_applied_is_one_delivery_for_each_webhook(first, second):
    make_live("Kept")
    make_live("Removed")
    WebhookDelivery.objects.all().delete()
    changes = [propose_create("New"), propose_update("Kept", nsfw=True), propose_delete("Removed")]
    changes.append(propose_create("Other", category="clip"))
    batch_apply(actor=ADA, batch_id=approve(*changes))
    assert list(WebhookDelivery.objects.values_list("webhook", flat=True).order_by("webhook")) == [
        first.pk,
        second.pk,
    ]
    one, other = told()
    assert one.changes() == other.changes()
    assert sorted(one.changes()) == [
        ("create", "clip", "Other"),
        ("create", IMAGES, "New"),
        ("delete", IMAGES, "Removed"),
        ("update", IMAGES, "Kept"),
    ]


def test_a_delivery_tells_what_the_feed_of_changes_tells(client, first):
    make_record("clip", "Before")
    apply_at_once(propose_create("New"))
    _, body = (each.json() for each in told())
    delivery = WebhookDelivery.objects.latest("since")
    [event] = client.get(f"/api/model_references/v2/changes?since={delivery.since}").json()["events"]
    assert body == {
        "event": "records.changed",
        "delivery": str(delivery.pk),
        "created_at": delivery.created_at,
        "categories": {
            IMAGES: {"revision": Category.objects.get(pk=IMAGES).revision, "changes": [event]},
        },
        "truncated": False,
        "since": event["event_id"],
    }
    assert event["model_name"] == "New"


def test_queueing_and_deciding_is_nobodys_affair(first):
    approve(propose_create("New"))
    assert not WebhookDelivery.objects.exists()


def test_writes_that_need_no_approval_are_told_too(first):
    legacy_record_create(actor=ADA, category="clip", payload={"name": "Direct"})
    legacy_record_delete(actor=ADA, category="clip", name="Direct")
    assert [each.changes() for each in told()] == [
        [("create", "clip", "Direct")],
        [("delete", "clip", "Direct")],
    ]


def test_an_import_is_one_delivery_over_all_categories(first):
    sources_import([make_source("clip", {"name": "A"}, {"name": "B"}), make_source("esrgan", {"name": "C"})])
    [body] = told()
    assert sorted(body.changes()) == [
        ("create", "clip", "A"),
        ("create", "clip", "B"),
        ("create", "esrgan", "C"),
    ]


def test_an_import_that_changes_nothing_is_not_told(first):
    sources = [make_source("clip", {"name": "A"})]
    sources_import(sources)
    sources_import(sources)
    assert len(told()) == 1


def test_the_revision_is_one_that_has_the_changes(first):
    records_import(category="lora", records=[make_imported("A")])
    [body] = told()
    revision = body.json()["categories"]["lora"]["revision"]
    assert revision == Category.objects.get(pk="lora").revision
    assert revision >= ModelRecord.objects.get(name="A").revision


def test_a_long_list_is_cut_and_says_where_to_read_on(client, first):
    records_import(category="lora", records=[make_imported(f"m{n}") for n in range(MAX_CHANGES + 3)])
    make_record("clip", "Later")
    body = told()[0].json()
    assert body["truncated"] is True
    assert len(body["categories"]["lora"]["changes"]) == MAX_CHANGES
    rest = client.get(f"/api/model_references/v2/changes?since={body['since']}").json()["events"]
    assert [event["model_name"] for event in rest] == ["m100", "m101", "m102", "Later"]


def test_categories_beyond_the_cut_are_named(first):
    with transaction.atomic():
        records_import(category="lora", records=[make_imported(f"m{n}") for n in range(MAX_CHANGES)])
        make_record("clip", "Last")
    [body] = told()
    assert body.json()["truncated"] is True
    assert {name: len(each["changes"]) for name, each in body.json()["categories"].items()} == {
        "clip": 0,
        "lora": MAX_CHANGES,
    }


def test_what_is_rolled_back_is_never_told(first):
    with transaction.atomic():
        make_record("clip", "A")
        assert WebhookDelivery.objects.count() == 1
        transaction.set_rollback(True)
    assert not WebhookDelivery.objects.exists()
    make_record("clip", "B")
    assert [each.changes() for each in told()] == [[("create", "clip", "B")]]


def test_what_a_savepoint_rolls_back_is_left_out_of_what_is_told(first):
    with transaction.atomic():
        with transaction.atomic():
            make_record("clip", "Undone")
            transaction.set_rollback(True)
        make_record("clip", "A")
        with transaction.atomic():
            make_record("clip", "Undone too")
            transaction.set_rollback(True)
        make_record("clip", "B")
    assert [each.changes() for each in told()] == [[("create", "clip", "A"), ("create", "clip", "B")]]


def test_a_batch_that_stops_at_a_stale_change_tells_what_it_applied(first):
    make_live("Stale")
    changes = [propose_create("Good"), propose_update("Stale", nsfw=True)]
    number = approve(*changes)
    record_put(category=IMAGES, name="Stale", record=make_v2(IMAGES, "Stale", style="other"))
    WebhookDelivery.objects.all().delete()
    assert batch_apply(actor=ADA, batch_id=number).failed_change_id == changes[1].change_id
    assert [each.changes() for each in told()] == [[("create", IMAGES, "Good")]]


def test_each_transaction_is_a_delivery_of_its_own(first):
    make_record("clip", "A")
    record_delete(category="clip", name="A")
    spans = list(WebhookDelivery.objects.order_by("since").values_list("since", "last_event_id"))
    assert spans[0][1] == spans[1][0]
    assert len(spans) == 2


def test_nothing_is_kept_for_a_webhook_that_is_off(first, second):
    Webhook.objects.filter(pk=first.pk).update(disabled_at=1)
    make_record("clip", "A")
    assert list(WebhookDelivery.objects.values_list("webhook", flat=True)) == [second.pk]


def test_one_that_is_enabled_again_is_told_from_then_on(first):
    Webhook.objects.filter(pk=first.pk).update(disabled_at=1, failing_since=1, last_error="status 410")
    first.refresh_from_db()
    webhook_enable(webhook=first)
    make_record("clip", "A")
    first.refresh_from_db()
    assert (first.disabled_at, first.failing_since, first.last_error) == (None, None, "")
    assert len(told()) == 1


def test_bringing_the_store_in_step_with_the_log_is_no_news(first):
    with unlogged():
        make_record("clip", "A")
    assert not WebhookDelivery.objects.exists()


def test_a_replica_and_a_deployment_without_a_log_tell_nobody(settings, first):
    settings.REPLICATE_MODE = ReplicateMode.REPLICA
    make_record("clip", "A")
    assert "deliver_webhooks" not in side_commands()
    settings.REPLICATE_MODE, settings.AUDIT_ENABLED = ReplicateMode.PRIMARY, False
    make_record("clip", "B")
    assert "deliver_webhooks" not in side_commands()
    assert (WebhookDelivery.objects.count(), AuditEvent.objects.count()) == (0, 1)


def test_serve_delivers_where_there_are_webhooks_and_only_there(first):
    assert side_commands() == ["deliver_webhooks"]
    Webhook.objects.update(disabled_at=1)
    assert side_commands() == []
    webhook_remove(webhook=first)
    assert side_commands() == []


def test_a_webhook_goes_with_what_it_was_not_told(first, second):
    make_record("clip", "A")
    webhook_remove(webhook=first)
    assert list(WebhookDelivery.objects.values_list("webhook", flat=True)) == [second.pk]


def test_another_secret_takes_the_place_of_the_first(first):
    webhook_rotate(webhook=first, secret="another-secret-of-mine")
    assert Webhook.objects.get().secret == "another-secret-of-mine"


def test_without_webhooks_a_transaction_pays_for_one_query(django_assert_max_num_queries):
    with transaction.atomic():
        make_record("clip", "warm")
        with django_assert_max_num_queries(100) as counted:
            make_record("clip", "A")
            make_record("clip", "B")
    assert [query for query in counted.captured_queries if "webhook" in query["sql"]] == []
