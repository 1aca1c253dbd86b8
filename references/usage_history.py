"""Remembers each day what the AI-Horde said of the models, which itself knows no more than totals."""

from datetime import UTC, date, datetime, timedelta

from django.db import transaction

from references.analytics import category_stats
from references.batches import WRITE_BATCH
from references.documents import snapshot
from references.usage_models import UsageDay

KEPT_DAYS = 400
_FIGURES = ("workers", "usage_day", "usage_month", "usage_total")


def usage_record(*, category: str) -> int:
    """Keeps the figures of every model of the category, as popularity and deletion risk show them.

    They count for the day they were fetched on: old ones, used while upstream fails, change nothing. Returns
    the number of models; raises HordeError when there are no figures.
    """
    held = snapshot(category)
    stats = category_stats(held)
    day = datetime.fromtimestamp(stats.fetched_at, UTC).date()
    rows = [
        UsageDay(
            category=category,
            name=row.name,
            day=day,
            workers=figures.worker_count,
            usage_day=figures.usage.day,
            usage_month=figures.usage.month,
            usage_total=figures.usage.total,
        )
        for row, figures in zip(held.rows, stats.models, strict=True)
    ]
    with transaction.atomic():
        UsageDay.objects.bulk_create(
            rows,
            batch_size=WRITE_BATCH,
            update_conflicts=True,
            unique_fields=["category", "name", "day"],
            update_fields=_FIGURES,
        )
    return len(rows)


def usage_prune(*, at: date | None = None) -> int:
    """Forgets days that are too long ago; returns how many rows went."""
    oldest = (at or today()) - timedelta(days=KEPT_DAYS - 1)
    gone, _ = UsageDay.objects.before(oldest).delete()
    return gone


def usage_history(category: str, name: str, *, days: int, at: date | None = None) -> list[dict]:
    """The figures of a model on each of the last `days` days that is known, in order of time."""
    first = (at or today()) - timedelta(days=days - 1)
    rows = UsageDay.objects.of_model(category, name).since(first).in_time_order()
    return [{**row, "day": row["day"].isoformat()} for row in rows.values("day", *_FIGURES)]


def today() -> date:
    return datetime.now(UTC).date()
