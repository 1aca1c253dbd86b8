from math import inf

import pytest
from prometheus_client.parser import text_string_to_metric_families

from moderation.models import PendingChange, Webhook, WebhookDelivery
from moderation.webhooks.services import webhook_add
from references.categories import CATEGORIES
from references.following.services import STRUCTURE
from references.horde.circuit import OPEN_AT, circuit_count_failure
from references.models import FollowedPart, PrimaryLink
from references.vocabulary import CanonicalFormat, ReplicateMode
from tests.factories import make_record
from tests.moderation.factories import EARLY, RAVI, apply_at_once, approve, propose_create

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def switched_on(settings, tmp_path):
    settings.METRICS_ENABLED, settings.METRICS_DIR = True, tmp_path


def scrape(client) -> dict[str, float]:
    """Each sample as it is written, without the prefix: `name{labels}` -> value."""
    response = client.get("/metrics")
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert response.headers["Cache-Control"] == "no-store"
    samples = {}
    for family in text_string_to_metric_families(response.content.decode()):
        assert family.documentation
        for name, labels, value, *_ in family.samples:
            shown = ",".join(f'{label}="{labels[label]}"' for label in sorted(labels))
            bare = name.removeprefix("horde_model_reference_")
            samples[f"{bare}{{{shown}}}" if shown else bare] = value
    return samples


def test_metrics_are_off_unless_switched_on(client, settings):
    settings.METRICS_ENABLED = False
    response = client.get("/metrics")
    assert (response.status_code, response.json()) == (404, {"detail": "Not Found"})


@pytest.mark.parametrize("mode", ReplicateMode)
@pytest.mark.parametrize("form", CanonicalFormat)
def test_the_deployment_tells_its_mode(client, settings, mode, form):
    settings.REPLICATE_MODE, settings.CANONICAL_FORMAT = mode, form
    assert scrape(client)[f'info{{canonical_format="{form.value}",mode="{mode.value}"}}'] == 1


def test_categories_tell_revision_and_number_of_models(client):
    before = scrape(client)
    make_record("clip", "a")
    make_record("clip", "b")
    make_record("clip", "b", description="again")
    after = scrape(client)
    revision = 'category_revision{category="clip"}'
    assert after[revision] == before[revision] + 3
    assert after['category_models{category="clip"}'] == 2
    assert after['category_models{category="lora"}'] == 0


def test_the_queue_tells_how_many_changes_stand_where(client):
    propose_create("a")
    propose_create("b", by=RAVI)
    approve(propose_create("c"))
    apply_at_once(propose_create("d"))
    samples = scrape(client)
    assert {name: value for name, value in samples.items() if name.startswith("queue_changes")} == {
        'queue_changes{status="pending"}': 2,
        'queue_changes{status="approved"}': 1,
        'queue_changes{status="applied"}': 1,
        'queue_changes{status="rejected"}': 0,
    }


def test_the_oldest_pending_change_tells_its_age(client, monkeypatch):
    assert scrape(client)["queue_oldest_pending_seconds"] == 0
    decided = propose_create("decided")
    PendingChange.objects.filter(pk=decided.pk).update(requested_at=EARLY)
    approve(decided)
    first = propose_create("a")
    propose_create("b")
    monkeypatch.setattr("config.metrics.time", lambda: first.requested_at + 90.7)
    assert scrape(client)["queue_oldest_pending_seconds"] == 90


def test_webhooks_tell_what_waits_and_how_long_they_have_failed(client, monkeypatch):
    well = webhook_add(url="https://well.example/?token=hidden", secret="s" * 16)
    failing = webhook_add(url="https://failing.example/", secret="s" * 16)
    make_record("clip", "a")
    deliveries = WebhookDelivery.objects
    deliveries.filter(webhook=well).update(status="delivered", finished_at=EARLY)
    deliveries.filter(webhook=failing).update(created_at=EARLY)
    Webhook.objects.filter(pk=failing.pk).update(failing_since=EARLY + 30, disabled_at=EARLY + 60)
    monkeypatch.setattr("config.metrics.time", lambda: EARLY + 90.7)
    samples = scrape(client)
    told = {name: value for name, value in samples.items() if name.startswith("webhook")}
    assert told == {
        f'webhook_enabled{{webhook="{well.pk}"}}': 1,
        f'webhook_enabled{{webhook="{failing.pk}"}}': 0,
        f'webhook_deliveries_waiting{{webhook="{well.pk}"}}': 0,
        f'webhook_deliveries_waiting{{webhook="{failing.pk}"}}': 1,
        f'webhook_oldest_waiting_seconds{{webhook="{well.pk}"}}': 0,
        f'webhook_oldest_waiting_seconds{{webhook="{failing.pk}"}}': 90,
        f'webhook_failing_seconds{{webhook="{well.pk}"}}': 0,
        f'webhook_failing_seconds{{webhook="{failing.pk}"}}': 60,
    }


def test_the_ai_horde_tells_its_circuit(client):
    circuit_count_failure()
    samples = scrape(client)
    assert (samples["horde_circuit_open"], samples["horde_consecutive_failures"]) == (0, 1)
    for _ in range(OPEN_AT):
        circuit_count_failure()
    assert scrape(client)["horde_circuit_open"] == 1


def test_a_replica_tells_how_far_each_part_is_behind(client, settings, monkeypatch):
    settings.REPLICATE_MODE = ReplicateMode.REPLICA
    monkeypatch.setattr("references.following.state.time.time", lambda: 1000.0)
    PrimaryLink.objects.create(primary="https://primary.example", failures=3)
    for name in [*CATEGORIES, STRUCTURE]:
        FollowedPart.objects.create(name=name, confirmed_at=990)
    FollowedPart.objects.filter(name="clip").update(confirmed_at=940.5, failures=2)
    samples = scrape(client)
    assert samples["replica_lag_seconds"] == 59.5
    assert samples["replica_consecutive_failures"] == 3
    assert samples['replica_part_lag_seconds{part="clip"}'] == 59.5
    assert samples['replica_part_lag_seconds{part="lora"}'] == 10
    assert samples[f'replica_part_lag_seconds{{part="{STRUCTURE}"}}'] == 10
    assert samples['replica_part_consecutive_failures{part="clip"}'] == 2
    assert samples['replica_part_consecutive_failures{part="lora"}'] == 0


def test_what_a_replica_never_had_is_infinitely_far_behind(client, settings):
    settings.REPLICATE_MODE = ReplicateMode.REPLICA
    samples = scrape(client)
    assert (samples["replica_lag_seconds"], samples['replica_part_lag_seconds{part="clip"}']) == (inf, inf)


def test_a_primary_tells_no_lag(client):
    assert not [name for name in scrape(client) if name.startswith("replica")]


def test_the_cost_does_not_grow_with_what_is_stored(client, django_assert_num_queries):
    with django_assert_num_queries(5):
        scrape(client)
    make_record("clip", "a")
    propose_create("a")
    with django_assert_num_queries(5):
        scrape(client)


def test_other_methods_are_refused(client):
    response = client.post("/metrics")
    assert (response.status_code, response.json()) == (405, {"detail": "Method Not Allowed"})
