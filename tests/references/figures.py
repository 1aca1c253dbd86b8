"""What the AI-Horde might say, for tests of the figures made of it."""

import json
import time
from collections.abc import Iterable, Sequence
from typing import Any

from references.categories import IMAGE_CATEGORY, TEXT_CATEGORY
from references.deletion_risk import RiskRules
from references.horde import ModelStatus, ModelUsage, Worker
from references.horde.answers import status_parse, usage_parse, workers_parse
from references.horde.usage import STATUS_CALLS, USAGE_CALLS, WORKER_CALLS
from references.models import UsageSnapshot
from references.risk_report import RiskReport, risk_report
from references.usage_matching import HordeFigures
from tests.recorded import golden

RULES = {
    IMAGE_CATEGORY: RiskRules(
        IMAGE_CATEGORY, low_usage_percentage=0.0065, preferred_hosts=("huggingface.co",)
    ),
    TEXT_CATEGORY: RiskRules(
        TEXT_CATEGORY,
        low_usage_percentage=0.02,
        preferred_hosts=("huggingface.co",),
        ignores_downloads=True,
        critical_usage=10,
        critical_workers=1,
    ),
}
HUB = "https://huggingface.co/x"

# The recorded calls of each kind: status, usage, workers.
RECORDED_CALLS = {
    "image": ("status_models_image.json", "stats_img_models.json", "workers_image.json"),
    "text": ("status_models_text.json", "stats_text_models.json", "workers_text.json"),
}


def recorded_bodies(kind: str) -> list[str]:
    return [json.dumps(golden("upstream", name)["body"]) for name in RECORDED_CALLS[kind]]


def recorded_figures(kind: str) -> HordeFigures:
    status, usage, workers = recorded_bodies(kind)
    return HordeFigures(status_parse(status), usage_parse(usage), workers_parse(workers))


def make_figures(
    counts: dict[str, int] | None = None,
    *,
    day: dict[str, int] | None = None,
    month: dict[str, int] | None = None,
    total: dict[str, int] | None = None,
    workers: list[Worker] | None = None,
) -> HordeFigures:
    """Figures from worker counts and usage by upstream name. Without a total, it is that of the month."""
    status = [ModelStatus(name=name, count=count) for name, count in (counts or {}).items()]
    usage = ModelUsage(day or {}, month or {}, (month or {}) if total is None else total)
    return HordeFigures(status, usage, workers)


def make_worker(identifier: str, *models: str, **facts: Any) -> Worker:
    return Worker(id=identifier, name=f"worker {identifier}", models=models, **facts)


def make_copies(kind: str, *bodies: str, at: float | None = None) -> None:
    """Stores what the AI-Horde answered: status, usage and workers, by default the recorded ones."""
    calls = (STATUS_CALLS[kind], USAGE_CALLS[kind], WORKER_CALLS[kind])
    for call, body in zip(calls, bodies or recorded_bodies(kind), strict=True):
        UsageSnapshot.objects.update_or_create(
            path=call.path, defaults={"body": body, "fetched_at": time.time() if at is None else at}
        )


def make_model(name: str = "model", *, urls: Sequence[str] = (HUB,), **fields: Any) -> dict[str, Any]:
    """A record that nothing speaks against."""
    downloads = [{"file_url": url} for url in urls]
    return {"name": name, "description": "x", "baseline": "b", "config": {"download": downloads}, **fields}


def make_report(
    records: Iterable[dict[str, Any]],
    figures: HordeFigures | None = None,
    *,
    category: str = IMAGE_CATEGORY,
    rules: RiskRules | None = None,
    **options: Any,
) -> RiskReport:
    records = list(records)
    names = [record["name"] for record in records]
    return risk_report(names, records, figures or make_figures(), rules or RULES[category], **options)
