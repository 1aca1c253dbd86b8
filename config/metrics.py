"""The state of the service for Prometheus, in its text format.

Categories, queue, webhooks, AI-Horde and how far a REPLICA is behind are read from the store when they are asked
for, so every process tells the same.
Requests are counted in the files of `PROMETHEUS_MULTIPROC_DIR`, of all processes of a server together.
"""

from collections.abc import Iterable, Iterator
from math import inf
from time import time

from django.conf import settings
from django.db.models import Count, Min
from django.http import Http404, HttpRequest, HttpResponse
from django.views import View
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from config.docs import ToldInJson
from moderation.models import PendingChange
from moderation.states import STORED_STATUSES, Status
from moderation.webhooks.models import Webhook
from references.api.responses import NO_CACHE
from references.following.state import FollowState, follow_state
from references.horde import circuit_state
from references.models import Category
from references.vocabulary import ReplicateMode

NAMESPACE = "horde_model_reference"


class MetricsPage(ToldInJson, View):
    """The metrics; as if there were none unless they are switched on."""

    def get(self, request: HttpRequest) -> HttpResponse:
        if not settings.METRICS_ENABLED:
            raise Http404
        registry = CollectorRegistry(auto_describe=False)
        registry.register(StateCollector())
        MultiProcessCollector(registry, path=str(settings.METRICS_DIR))
        return HttpResponse(
            generate_latest(registry),
            content_type=CONTENT_TYPE_PLAIN_0_0_4,
            headers={"Cache-Control": NO_CACHE},
        )


class StateCollector(Collector):
    """What the store says of the service."""

    def collect(self) -> Iterator[Metric]:
        for family in (_deployment, _categories, _queue, _webhooks, _horde, _replica):
            yield from family()


def _gauge(
    name: str, help_text: str, labels: tuple[str, ...], samples: Iterable[tuple[tuple[str, ...], float]]
) -> Metric:
    gauge = GaugeMetricFamily(f"{NAMESPACE}_{name}", help_text, labels=labels)
    for values, value in samples:
        gauge.add_metric(values, value)
    return gauge


def _deployment() -> list[Metric]:
    values = (settings.REPLICATE_MODE.value, settings.CANONICAL_FORMAT.value)
    return [
        _gauge(
            "info",
            "What kind of deployment this is; always 1.",
            ("mode", "canonical_format"),
            [(values, 1)],
        )
    ]


def _categories() -> list[Metric]:
    rows = list(
        Category.objects.with_model_count().order_by("name").values_list("name", "revision", "model_count")
    )
    return [
        _gauge(
            "category_revision",
            "Grows by one with every write to the category.",
            ("category",),
            [((name,), revision) for name, revision, _ in rows],
        ),
        _gauge(
            "category_models",
            "Models of the category.",
            ("category",),
            [((name,), models) for name, _, models in rows],
        ),
    ]


def _queue() -> list[Metric]:
    changes = PendingChange.objects.order_by()
    counts = dict(changes.values_list("status").annotate(Count("pk")))
    oldest = changes.pending().aggregate(at=Min("requested_at"))["at"]
    return [
        _gauge(
            "queue_changes",
            "Proposed changes in the queue by status.",
            ("status",),
            [((status.value,), counts.get(status, 0)) for status in STORED_STATUSES],
        ),
        _gauge(
            "queue_oldest_pending_seconds",
            f"Age of the oldest change that is {Status.PENDING}; 0 where there is none.",
            (),
            [((), _age(oldest, int(time())))],
        ),
    ]


def _webhooks() -> list[Metric]:
    """Each webhook by its number: addresses may hold tokens."""
    webhooks = [((str(each.pk),), each) for each in Webhook.objects.with_queue()]
    now = int(time())
    return [
        _gauge(
            "webhook_enabled",
            "Whether the webhook is told of writes; not once it has answered 410.",
            ("webhook",),
            [(number, int(each.disabled_at is None)) for number, each in webhooks],
        ),
        _gauge(
            "webhook_deliveries_waiting",
            "Deliveries that have not been made yet.",
            ("webhook",),
            [(number, each.waiting) for number, each in webhooks],
        ),
        _gauge(
            "webhook_oldest_waiting_seconds",
            "Age of the oldest delivery that has not been made yet; 0 where there is none.",
            ("webhook",),
            [(number, _age(each.oldest, now)) for number, each in webhooks],
        ),
        _gauge(
            "webhook_failing_seconds",
            "How long every attempt has failed; 0 while they go well.",
            ("webhook",),
            [(number, _age(each.failing_since, now)) for number, each in webhooks],
        ),
    ]


def _age(at: int | None, now: int) -> int:
    return 0 if at is None else max(0, now - at)


def _horde() -> list[Metric]:
    state = circuit_state()
    return [
        _gauge(
            "horde_circuit_open",
            "Whether the AI-Horde is left alone for a while after repeated failures.",
            (),
            [((), int(state["degraded"]))],
        ),
        _gauge(
            "horde_consecutive_failures",
            "Calls to the AI-Horde that have failed since the last success.",
            (),
            [((), state["consecutive_failures"])],
        ),
    ]


def _replica() -> list[Metric]:
    """How far a REPLICA is behind its PRIMARY; nothing on a PRIMARY."""
    if settings.REPLICATE_MODE is not ReplicateMode.REPLICA:
        return []
    state = follow_state()
    return [*_replica_whole(state), *_replica_parts(state)]


def _replica_whole(state: FollowState) -> list[Metric]:
    return [
        _gauge(
            "replica_lag_seconds",
            "How long ago the category furthest behind was last known to be in step with the PRIMARY; "
            "+Inf while one never was.",
            (),
            [((), _lag(state.lag))],
        ),
        _gauge(
            "replica_consecutive_failures",
            "Rounds in a row in which the PRIMARY could not be reached.",
            (),
            [((), state.failures)],
        ),
    ]


def _replica_parts(state: FollowState) -> list[Metric]:
    return [
        _gauge(
            "replica_part_lag_seconds",
            "How long ago a category, or the text structure, was last known to be in step; +Inf if it never was.",
            ("part",),
            [((part.name,), _lag(part.lag)) for part in state.parts],
        ),
        _gauge(
            "replica_part_consecutive_failures",
            "Attempts at a category, or the text structure, that have failed since the last success.",
            ("part",),
            [((part.name,), part.failures) for part in state.parts],
        ),
    ]


def _lag(seconds: float | None) -> float:
    return inf if seconds is None else seconds
