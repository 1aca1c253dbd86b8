"""What a process keeps of the figures it computed."""

from collections.abc import Callable

import pytest
from django.db import transaction

from references import analytics
from references.analytics import CategoryFigures, category_stats, deletion_risk, statistics
from references.categories import IMAGE_CATEGORY, TEXT_CATEGORY
from references.documents import snapshot
from references.services import record_delete
from references.structure_services import aliases_put
from tests.factories import make_record
from tests.references.figures import make_copies

IMAGE_COPIES = ("[]", '{"month": {"Painter": 20}}', "[]")


def image_statistics() -> CategoryFigures:
    return statistics(snapshot(IMAGE_CATEGORY))


def baselines() -> list[str]:
    return [*image_statistics().figures["baseline_distribution"]]


def roll_back(work: Callable[[], object]) -> None:
    with transaction.atomic():
        work()
        transaction.set_rollback(True)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kept_before", [True, False])
def test_what_was_computed_in_a_transaction_goes_with_its_rollback(kept_before):
    make_record(IMAGE_CATEGORY, "a", baseline="stable_diffusion_1")
    if kept_before:
        image_statistics()

    def write_and_read():
        make_record(IMAGE_CATEGORY, "a", baseline="stable_cascade")
        assert baselines() == ["stable_cascade"]
        assert image_statistics() is image_statistics()

    roll_back(write_and_read)
    assert baselines() == ["stable_diffusion_1"]
    roll_back(write_and_read)
    make_record(IMAGE_CATEGORY, "a", baseline="stable_diffusion_xl")
    assert (snapshot(IMAGE_CATEGORY).revision, baselines()) == (2, ["stable_diffusion_xl"])


@pytest.mark.django_db
def test_what_was_computed_after_a_savepoint_goes_with_it():
    make_record(IMAGE_CATEGORY, "a", baseline="stable_diffusion_1")
    before = image_statistics()

    def write_and_read():
        make_record(IMAGE_CATEGORY, "a", baseline="stable_cascade")
        assert baselines() == ["stable_cascade"]

    roll_back(write_and_read)
    assert image_statistics() is before
    make_record(IMAGE_CATEGORY, "a", baseline="stable_diffusion_xl")
    assert baselines() == ["stable_diffusion_xl"]


@pytest.mark.django_db(transaction=True)
def test_what_was_computed_in_a_transaction_is_kept_at_its_commit():
    with transaction.atomic():
        make_record(IMAGE_CATEGORY, "a")
        kept = image_statistics()
        assert analytics._kept == {}
    assert image_statistics() is kept


@pytest.mark.django_db(transaction=True)
def test_risk_and_figures_that_were_rolled_back_are_not_those_of_the_next_write():
    make_copies("image", *IMAGE_COPIES)
    make_record(IMAGE_CATEGORY, "Painter")

    def names_and_months():
        held = snapshot(IMAGE_CATEGORY)
        months = [stats.usage.month for stats in category_stats(held).models]
        return [entry.name for entry in deletion_risk(held).report.entries], months

    def write_and_read():
        make_record(IMAGE_CATEGORY, "never")
        assert names_and_months() == (["Painter", "never"], [20, 0])

    roll_back(write_and_read)
    record_delete(category=IMAGE_CATEGORY, name="Painter")
    assert names_and_months() == ([], [])


@pytest.mark.django_db(transaction=True)
def test_groups_by_aliases_that_were_rolled_back_are_not_those_of_the_next_alias():
    make_copies("text", "[]", "{}", "[]")
    make_record(TEXT_CATEGORY, "Writer-7B")

    def groups():
        report = deletion_risk(snapshot(TEXT_CATEGORY), is_grouped=True).report
        return [entry.name for entry in report.entries]

    def write_and_read():
        aliases_put(canonical="Never", aliases=["Writer"])
        assert groups() == ["Never"]

    assert groups() == ["Writer"]
    roll_back(write_and_read)
    aliases_put(canonical="Author", aliases=["Writer"])
    assert groups() == ["Author"]
