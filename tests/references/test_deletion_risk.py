"""What speaks against one model: each flag by itself, and the numbers beside them."""

import dataclasses

import pytest

from references.categories import IMAGE_CATEGORY, TEXT_CATEGORY
from references.deletion_risk import RiskFlag
from tests.references.figures import HUB, RULES, make_figures, make_model, make_report

SERVED = make_figures({"model": 1}, day={"model": 1}, month={"model": 1})


def flags_of(record, figures=None, **options):
    [entry] = make_report([record], figures, **options).entries
    return {flag.value for flag in entry.flags}


def test_nothing_speaks_against_a_model_that_is_served_used_and_described():
    [entry] = make_report([make_model()], SERVED).entries
    assert entry.flags == frozenset()
    assert (entry.at_risk, entry.risk_score, entry.has_warning, entry.is_critical) == (False, 0, False, False)


@pytest.mark.parametrize(
    ("day", "month", "total", "expected"),
    [
        (0, 1, 1, {"zero_usage_day"}),
        (0, 0, 1, {"zero_usage_day", "zero_usage_month"}),
        (1, 0, 0, {"zero_usage_month", "zero_usage_total"}),
        # A model that was never seen has no usage to be zero.
        (0, 0, 0, set()),
    ],
)
def test_zero_usage(day, month, total, expected):
    usage = {"day": {"model": day}, "month": {"model": month}, "total": {"model": total}}
    assert flags_of(make_model(), make_figures({"model": 1}, **usage)) == expected


@pytest.mark.parametrize(("count", "expected"), [(None, True), (0, True), (1, False)])
def test_no_active_workers(count, expected):
    figures = make_figures({} if count is None else {"model": count})
    assert ("no_active_workers" in flags_of(make_model(), figures)) is expected


@pytest.mark.parametrize(
    ("category", "own", "others", "expected"),
    [
        (IMAGE_CATEGORY, 65, 10**6 - 65, False),
        (IMAGE_CATEGORY, 64, 10**6 - 64, True),
        (TEXT_CATEGORY, 2, 9998, False),
        (TEXT_CATEGORY, 1, 9999, True),
        (IMAGE_CATEGORY, 0, 10, True),
        # Without usage in the category there are no shares.
        (IMAGE_CATEGORY, 0, 0, False),
    ],
)
def test_low_usage(category, own, others, expected):
    figures = make_figures(month={"model": own, "other": others}, total={"model": 1, "other": 1})
    report = make_report([make_model(), make_model("other")], figures, category=category)
    [entry] = [entry for entry in report.entries if entry.name == "model"]
    assert (RiskFlag.LOW_USAGE in entry.flags) is expected


def test_a_model_that_was_never_seen_has_no_low_usage():
    figures = make_figures(month={"other": 10**6})
    report = make_report([make_model(), make_model("other")], figures)
    assert RiskFlag.LOW_USAGE not in report.entries[1].flags


@pytest.mark.parametrize("description", [None, "", " \t\n", 7])
def test_missing_description(description):
    assert flags_of(make_model(description=description), SERVED) == {"missing_description"}


@pytest.mark.parametrize("baseline", [None, ""])
def test_missing_baseline(baseline):
    assert flags_of(make_model(baseline=baseline), SERVED) == {"missing_baseline"}


@pytest.mark.parametrize(
    ("urls", "expected"),
    [
        ([HUB], set()),
        (["https://cdn.huggingface.co:8443/x"], set()),
        ([], {"no_download_urls"}),
        (["huggingface.co/x", "//huggingface.co/x", "file:///x", ""], {"no_download_urls"}),
        (["http://[broken"], {"no_download_urls", "has_unknown_host"}),
        ([HUB, "http://[broken"], {"has_unknown_host"}),
        (["https://a.org/x"], {"has_non_preferred_host"}),
        (["https://a.org/x", "https://a.org/y"], {"has_non_preferred_host"}),
        (["https://a.org/x", "https://a.org:81/x"], {"has_non_preferred_host", "has_multiple_hosts"}),
        ([HUB, "https://a.org/x"], {"has_multiple_hosts"}),
    ],
)
def test_hosts(urls, expected):
    assert flags_of(make_model(urls=urls), SERVED) == expected


def test_text_models_are_not_judged_by_their_files_unless_asked_for():
    record = make_model(urls=["https://a.org/x", "http://[broken", "https://b.org/x"])
    assert flags_of(record, SERVED, category=TEXT_CATEGORY) == set()
    strict = dataclasses.replace(RULES[TEXT_CATEGORY], ignores_downloads=False)
    assert flags_of(record, SERVED, category=TEXT_CATEGORY, rules=strict) == {
        "has_multiple_hosts",
        "has_non_preferred_host",
        "has_unknown_host",
    }


@pytest.mark.parametrize(
    ("month", "total", "workers", "expected"),
    [(0, 1, 0, True), (0, 1, 1, False), (1, 1, 0, False), (0, 0, 0, False)],
)
def test_critical_image_models(month, total, workers, expected):
    figures = make_figures({"model": workers}, month={"model": month}, total={"model": total})
    [entry] = make_report([make_model()], figures).entries
    assert entry.is_critical is expected


@pytest.mark.parametrize(
    ("month", "workers", "expected"), [(9, 0, True), (10, 0, False), (9, 1, False), (0, 0, True)]
)
def test_critical_text_models(month, workers, expected):
    figures = make_figures({"model": workers}, month={"model": month})
    [entry] = make_report([make_model()], figures, category=TEXT_CATEGORY).entries
    assert entry.is_critical is expected


def test_numbers_of_an_entry():
    figures = make_figures(
        {"model": 2},
        day={"model": 1},
        month={"model": 3, "other": 4},
        total={"model": 9, "other": 4},
    )
    record = make_model(size_on_disk_bytes=3 * 2**29, nsfw=True, urls=[HUB, "https://a.org/x", HUB])
    entry = make_report([record, make_model("other")], figures).entries[1].as_dict()
    expected = {
        "worker_count": 2,
        "usage_day": 1,
        "usage_month": 3,
        "usage_total": 9,
        "usage_hour": None,
        "usage_minute": None,
        "usage_percentage_of_category": 42.8571,
        "usage_trend": {"day_to_month_ratio": 1 / 3, "month_to_total_ratio": 3 / 9},
        "size_gb": 1.5,
        "cost_benefit_score": 2.0,
        "baseline": "b",
        "nsfw": True,
        "has_description": True,
        "download_count": 3,
        "download_hosts": ["huggingface.co", "a.org"],
        "backend_variations": None,
    }
    assert {name: entry[name] for name in expected} == expected


def test_ratios_need_something_to_divide_by():
    [entry] = make_report([make_model()], make_figures()).entries
    assert (entry.day_to_month, entry.month_to_total, entry.share) == (None, None, 0.0)


@pytest.mark.parametrize("size", [None, 0, -1, "12", True])
def test_without_a_size_there_is_no_cost(size):
    [entry] = make_report([make_model(size_on_disk_bytes=size)], SERVED).entries
    assert (entry.size, entry.cost_benefit) == (None, None)


def test_the_size_of_text_models_is_not_weighed():
    [entry] = make_report([make_model(size_on_disk_bytes=2**30)], SERVED, category=TEXT_CATEGORY).entries
    assert (entry.size, entry.cost_benefit) == (None, None)


def test_empty_values_of_the_record_are_kept():
    [entry] = make_report([make_model(baseline="", nsfw=None, description=None)], SERVED).entries
    assert (entry.baseline, entry.nsfw, entry.has_description) == ("", None, False)
