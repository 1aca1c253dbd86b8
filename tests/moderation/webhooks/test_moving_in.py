"""A store of the published service that is moved in is told as any other import is."""

import io
from pathlib import Path

import pytest
from django.core.management import call_command

from moderation.api.feed import record_events
from moderation.models import AuditEvent, Webhook, WebhookDelivery
from moderation.webhooks.payloads import MAX_CHANGES, changed_body
from moderation.webhooks.services import webhook_add
from references.models import Category
from tests.factories import make_record
from tests.moderation.factories import IMAGES, make_live
from tests.moderation.published_stores import PublishedFolder
from tests.moderation.webhooks.conftest import SECRET
from tests.moderation.webhooks.receiver import Told

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def first() -> Webhook:
    return webhook_add(url="https://first.example/", secret=SECRET)


@pytest.fixture
def lived(tmp_path: Path) -> PublishedFolder:
    """A store with a record older than its log, one that came by a change, and a proposal."""
    store = PublishedFolder()
    store.live("old", file="clip")
    fresh = store.live("fresh")
    create = store.proposed("fresh", payload=fresh)
    store.proposed("waiting")
    store.approved(create, 1)
    store.applied(create, {"after": fresh}, "create")
    store.write(tmp_path)
    return store


def move_in(folder: Path, *options: str) -> None:
    call_command("import_published", str(folder), *options, stdout=io.StringIO())


def only_told() -> Told:
    return Told("", None, changed_body(WebhookDelivery.objects.get()))


def test_a_store_that_is_moved_into_an_empty_service_is_one_delivery(first, lived, tmp_path):
    move_in(tmp_path)
    body = only_told()
    assert sorted(body.changes()) == [("create", "clip", "old"), ("create", IMAGES, "fresh")]
    assert body.json()["since"] == record_events().in_order().last().event_id
    assert {name: each["revision"] for name, each in body.json()["categories"].items()} == dict(
        Category.objects.filter(pk__in=["clip", IMAGES]).values_list("pk", "revision")
    )
    delivery = WebhookDelivery.objects.get()
    assert (delivery.since, delivery.last_event_id) == (0, AuditEvent.objects.in_order().last().event_id)


def test_the_text_groups_of_a_store_push_nothing_out_of_what_is_told(first, lived, tmp_path):
    groups = {name: {"aliases": [f"{name}-alias"]} for name in "ABCDE"}
    lived.files["text_generation_group_aliases.json"] = groups
    lived.write(tmp_path)
    move_in(tmp_path)
    assert sorted(only_told().changes()) == [("create", "clip", "old"), ("create", IMAGES, "fresh")]
    assert WebhookDelivery.objects.get().since == 0


def test_what_gives_way_to_a_store_and_what_comes_is_one_delivery(first, lived, tmp_path):
    make_live("demo")
    make_record("esrgan", "demo")
    WebhookDelivery.objects.all().delete()
    move_in(tmp_path)
    assert sorted(only_told().changes()) == [
        ("create", "clip", "old"),
        ("create", IMAGES, "fresh"),
        ("delete", "esrgan", "demo"),
        ("delete", IMAGES, "demo"),
    ]


def test_a_long_past_is_cut_and_says_where_to_read_on(client, first, tmp_path):
    store = PublishedFolder()
    for number in range(MAX_CHANGES + 2):
        store.live(f"m{number}")
    store.live("last", file="lora")
    move_in(store.write(tmp_path))
    body = only_told().json()
    assert body["truncated"] is True
    assert sum(len(each["changes"]) for each in body["categories"].values()) == MAX_CHANGES
    assert set(body["categories"]) == {IMAGES, "lora"}
    rest = client.get(f"/api/model_references/v2/changes?since={body['since']}").json()
    assert (len(rest["events"]), rest["has_more"]) == (3, False)


def test_a_dry_run_tells_nobody(first, lived, tmp_path):
    make_live("demo")
    WebhookDelivery.objects.all().delete()
    move_in(tmp_path, "--dry-run")
    assert not WebhookDelivery.objects.exists()


def test_a_store_that_is_moved_in_again_is_no_news(first, lived, tmp_path):
    move_in(tmp_path)
    WebhookDelivery.objects.all().delete()
    move_in(tmp_path)
    assert not WebhookDelivery.objects.exists()


def test_a_store_of_proposals_alone_is_nobodys_affair(first, tmp_path):
    store = PublishedFolder()
    store.proposed("waiting")
    move_in(store.write(tmp_path))
    assert AuditEvent.objects.exists()
    assert not WebhookDelivery.objects.exists()
