"""Usage day by day: what is remembered, for how long, and the command that does it."""

import json
from datetime import UTC, date, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction

from references import analytics
from references.categories import IMAGE_CATEGORY, TEXT_CATEGORY
from references.horde import HordeError
from references.horde.usage import STATUS_CALLS, USAGE_CALLS, WORKER_CALLS
from references.models import UsageDay
from references.services import record_delete
from references.usage_history import KEPT_DAYS, usage_history, usage_prune, usage_record
from tests.factories import make_record
from tests.hordedouble import run_calls_inline, running_horde, stop_clock
from tests.references.figures import make_copies

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
FIGURES = ("day", "workers", "usage_day", "usage_month", "usage_total")


@pytest.fixture(autouse=True)
def nothing_kept():
    analytics._kept.clear()


@pytest.fixture
def horde(settings, monkeypatch):
    run_calls_inline(monkeypatch)
    with running_horde() as horde:
        settings.HORDE_URL = horde.url
        yield horde


@pytest.fixture
def clock(monkeypatch):
    return stop_clock(monkeypatch, now=NOON.timestamp())


def make_painter(*, count=0, usage=(0, 0, 0), at=None):
    """What the AI-Horde answered about one image model."""
    status = [{"name": "Painter", "count": count}]
    counts = dict(zip(("day", "month", "total"), ({"Painter": value} for value in usage), strict=True))
    make_copies("image", json.dumps(status), json.dumps(counts), "[]", at=at)


def make_day(name, day, *, usage=0):
    return UsageDay.objects.create(
        category=IMAGE_CATEGORY,
        name=name,
        day=day,
        workers=0,
        usage_day=usage,
        usage_month=0,
        usage_total=0,
    )


def test_each_model_of_the_category_is_remembered_once_a_day(clock):
    make_record(IMAGE_CATEGORY, "Painter")
    make_record(IMAGE_CATEGORY, "Idle")
    make_painter(count=4, usage=(1, 20, 300))
    assert usage_record(category=IMAGE_CATEGORY) == 2
    clock.now += 3600
    make_painter(count=5, usage=(2, 21, 301))
    assert usage_record(category=IMAGE_CATEGORY) == 2
    rows = UsageDay.objects.order_by("name").values_list("name", *FIGURES)
    assert list(rows) == [("Idle", NOON.date(), 0, 0, 0, 0), ("Painter", NOON.date(), 5, 2, 21, 301)]


def test_another_day_is_another_row(clock):
    make_record(IMAGE_CATEGORY, "Painter")
    for usage in ((1, 20, 300), (2, 21, 302)):
        make_painter(usage=usage)
        usage_record(category=IMAGE_CATEGORY)
        clock.now += 86400
    history = usage_history(IMAGE_CATEGORY, "Painter", days=30, at=date(2026, 3, 2))
    assert [tuple(row.values()) for row in history] == [
        ("2026-03-01", 0, 1, 20, 300),
        ("2026-03-02", 0, 2, 21, 302),
    ]
    assert tuple(history[0]) == FIGURES


def test_old_figures_count_for_the_day_they_are_from(clock, horde):
    make_record(IMAGE_CATEGORY, "Painter")
    make_painter(usage=(1, 20, 300), at=(NOON - timedelta(days=3)).timestamp())
    horde.mode = "500"
    usage_record(category=IMAGE_CATEGORY)
    assert [row.day for row in UsageDay.objects.all()] == [date(2026, 2, 26)]


def test_a_day_ends_at_midnight_utc(clock):
    make_record(IMAGE_CATEGORY, "Painter")
    for at in (datetime(2026, 2, 28, 23, 59, 59, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)):
        clock.now = at.timestamp()
        make_painter()
        usage_record(category=IMAGE_CATEGORY)
    days = UsageDay.objects.in_time_order().values_list("day", flat=True)
    assert list(days) == [date(2026, 2, 28), date(2026, 3, 1)]


def test_without_figures_nothing_is_remembered(clock, horde):
    make_record(IMAGE_CATEGORY, "Painter")
    horde.mode = "500"
    with pytest.raises(HordeError):
        usage_record(category=IMAGE_CATEGORY)
    assert not UsageDay.objects.exists()


def test_the_history_looks_back_the_days_asked_for():
    for day in range(1, 6):
        make_day("Painter", date(2026, 3, day), usage=day)
    make_day("Other", date(2026, 3, 5))
    history = usage_history(IMAGE_CATEGORY, "Painter", days=3, at=date(2026, 3, 5))
    assert [row["usage_day"] for row in history] == [3, 4, 5]
    assert usage_history(TEXT_CATEGORY, "Painter", days=3, at=date(2026, 3, 5)) == []


def test_a_deleted_model_is_still_remembered(clock):
    make_record(IMAGE_CATEGORY, "Painter")
    make_painter(count=1)
    usage_record(category=IMAGE_CATEGORY)
    record_delete(category=IMAGE_CATEGORY, name="Painter")
    [row] = usage_history(IMAGE_CATEGORY, "Painter", days=1, at=NOON.date())
    assert row["workers"] == 1


def test_days_too_long_ago_are_forgotten():
    today = date(2026, 3, 1)
    make_day("Painter", today - timedelta(days=KEPT_DAYS - 1))
    make_day("Painter", today - timedelta(days=KEPT_DAYS))
    assert usage_prune(at=today) == 1
    [row] = usage_history(IMAGE_CATEGORY, "Painter", days=KEPT_DAYS, at=today)
    assert row["day"] == (today - timedelta(days=KEPT_DAYS - 1)).isoformat()


def test_the_database_takes_one_row_per_model_and_day():
    make_day("Painter", NOON.date())
    with pytest.raises(IntegrityError), transaction.atomic():
        make_day("Painter", NOON.date())


def test_the_command_fetches_everything_and_remembers_it(clock, horde):
    make_record(IMAGE_CATEGORY, "Painter")
    make_record(TEXT_CATEGORY, "Org/Writer-7B")
    make_day("Painter", date(2024, 1, 1))
    output = StringIO()
    call_command("refresh_usage", stdout=output)
    assert set(horde.calls) == {
        call.path for calls in (STATUS_CALLS, USAGE_CALLS, WORKER_CALLS) for call in calls.values()
    }
    rows = UsageDay.objects.order_by("category").values_list("name", *FIGURES)
    assert list(rows) == [
        ("Painter", NOON.date(), 4, 1, 20, 300),
        ("Org/Writer-7B", NOON.date(), 2, 0, 7, 0),
    ]
    assert output.getvalue().splitlines()[-1] == "1 days of models forgotten, being too long ago"


def test_the_command_fails_when_a_call_does_and_still_remembers_the_rest(clock, horde):
    make_record(IMAGE_CATEGORY, "Painter")
    make_record(TEXT_CATEGORY, "Org/Writer-7B")
    horde.answers[USAGE_CALLS["image"].path] = b"no JSON"
    output = StringIO()
    with pytest.raises(CommandError, match="1 of the calls failed"):
        call_command("refresh_usage", stdout=output)
    assert list(UsageDay.objects.values_list("name", flat=True)) == ["Org/Writer-7B"]
    assert "image_generation: nothing to remember, HordeBadAnswer: not JSON" in output.getvalue()
