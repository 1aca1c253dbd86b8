"""The state of the service for Prometheus, in its text format.

All of it is read from the store when it is asked for, so every process tells the same. Requests and their
latency are not counted: the hottest reads are answered before Django, and the server in front sees them all.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from time import time

from django.conf import settings
from django.db.models import Count, Min
from django.http import Http404, HttpRequest, HttpResponse
from django.views import View

from config.docs import ToldInJson
from moderation.models import PendingChange
from moderation.states import STORED_STATUSES, Status
from references.api.responses import NO_CACHE
from references.horde import circuit_state
from references.models import Category

TEXT_FORMAT = "text/plain; version=0.0.4; charset=utf-8"
NAMESPACE = "horde_model_reference"
_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})

Labels = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Gauge:
    """One measured thing: a value for each set of labels."""

    name: str
    help: str
    samples: Iterable[tuple[Labels, float]]

    def lines(self) -> Iterable[str]:
        name = f"{NAMESPACE}_{self.name}"
        yield f"# HELP {name} {self.help}"
        yield f"# TYPE {name} gauge"
        for labels, value in self.samples:
            yield f"{name}{_labels_text(labels)} {value}"


class MetricsPage(ToldInJson, View):
    """The metrics; as if there were none unless they are switched on."""

    def get(self, request: HttpRequest) -> HttpResponse:
        if not settings.METRICS_ENABLED:
            raise Http404
        gauges = [_deployment(), *_categories(), *_queue(), *_horde()]
        text = "".join(f"{line}\n" for gauge in gauges for line in gauge.lines())
        return HttpResponse(text, content_type=TEXT_FORMAT, headers={"Cache-Control": NO_CACHE})


def _deployment() -> Gauge:
    labels = {"mode": settings.REPLICATE_MODE, "canonical_format": settings.CANONICAL_FORMAT}
    return Gauge("info", "What kind of deployment this is; always 1.", [(labels, 1)])


def _categories() -> list[Gauge]:
    rows = Category.objects.with_model_count().order_by("name").values_list("name", "revision", "model_count")
    labelled = [({"category": name}, revision, models) for name, revision, models in rows]
    return [
        Gauge(
            "category_revision",
            "Grows by one with every write to the category.",
            [(labels, revision) for labels, revision, _ in labelled],
        ),
        Gauge(
            "category_models", "Models of the category.", [(labels, models) for labels, _, models in labelled]
        ),
    ]


def _queue() -> list[Gauge]:
    changes = PendingChange.objects.order_by()
    counts = dict(changes.values_list("status").annotate(Count("pk")))
    oldest = changes.pending().aggregate(at=Min("requested_at"))["at"]
    return [
        Gauge(
            "queue_changes",
            "Proposed changes in the queue by status.",
            [({"status": status.value}, counts.get(status, 0)) for status in STORED_STATUSES],
        ),
        Gauge(
            "queue_oldest_pending_seconds",
            f"Age of the oldest change that is {Status.PENDING}; 0 where there is none.",
            [({}, 0 if oldest is None else max(0, int(time()) - oldest))],
        ),
    ]


def _horde() -> list[Gauge]:
    state = circuit_state()
    return [
        Gauge(
            "horde_circuit_open",
            "Whether the AI-Horde is left alone for a while after repeated failures.",
            [({}, int(state["degraded"]))],
        ),
        Gauge(
            "horde_consecutive_failures",
            "Calls to the AI-Horde that have failed since the last success.",
            [({}, state["consecutive_failures"])],
        ),
    ]


def _labels_text(labels: Labels) -> str:
    if not labels:
        return ""
    pairs = (f'{name}="{value.translate(_ESCAPES)}"' for name, value in labels.items())
    return "{" + ",".join(pairs) + "}"
