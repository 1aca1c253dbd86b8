"""Deletion risk of a category: the recorded answers, order, groups, presets, pages, and what always holds."""

import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from references.categories import IMAGE_CATEGORY, TEXT_CATEGORY
from references.deletion_risk import RiskFlag
from references.risk_report import PRESETS, RiskReport, report_grouped, risk_report, risk_summary
from references.usage_matching import Usage
from tests.recorded import golden
from tests.references.figures import HUB, RULES, make_figures, make_model, make_report, recorded_figures

RECORDED = [
    "risk_image",
    "risk_image_limit5_offset3",
    "risk_image_preset_critical",
    "risk_image_preset_deletion_candidates",
    "risk_image_preset_host_issues",
    "risk_image_preset_low_usage",
    "risk_image_preset_low_usage_limit3",
    "risk_image_preset_missing_data",
    "risk_image_preset_no_workers",
    "risk_image_preset_zero_usage",
    "risk_text",
    "risk_text_grouped",
    "risk_text_grouped_preset_critical",
    "risk_text_preset_critical",
    "risk_text_preset_deletion_candidates",
    "risk_text_preset_host_issues",
    "risk_text_preset_low_usage",
    "risk_text_preset_missing_data",
    "risk_text_preset_no_workers",
    "risk_text_preset_zero_usage",
    "risk_text_variations",
]


def make_grouped(records, figures=None, *, aliases=None):
    report = make_report(records, figures, category=TEXT_CATEGORY)
    return report_grouped(report, RULES[TEXT_CATEGORY], aliases=aliases or {})


def recorded_report(kind, *, with_variations=False):
    category = {"image": IMAGE_CATEGORY, "text": TEXT_CATEGORY}[kind]
    records = list(golden("v2", f"{category}.json").values())
    figures = recorded_figures(kind)
    return make_report(records, figures, category=category, with_variations=with_variations)


@pytest.mark.parametrize("name", RECORDED)
def test_recorded_answers(name):
    recorded = golden("analytics", f"{name}.json")
    query, body = recorded["request"]["query"], recorded["body"]
    report = recorded_report(name.split("_")[1], with_variations="include_backend_variations" in query)
    if "group_text_models" in query:
        report = report_grouped(report, RULES[TEXT_CATEGORY], aliases={})
    page = report.page(
        preset=query.get("preset"), limit=query.get("limit"), offset=query.get("offset", 0)
    ).as_dict()
    if body["models"] is None:
        assert [model["name"] for model in page["models"]] == recorded["model_names"]
        page["models"] = None
    assert json.dumps(page) == json.dumps(body)


def test_recorded_siblings_share_usage_until_it_is_split_by_backend():
    def month_usage(report):
        months = {entry.name: entry.usage.month for entry in report.entries}
        return [months[f"NeverSleep/Lumimaid-v0.2-{size}"] for size in ("8B", "12B", "70B", "123B")]

    assert month_usage(recorded_report("text")) == [4440] * 4
    assert month_usage(recorded_report("text", with_variations=True)) == [4350, 90, 0, 0]


def test_recorded_image_models_have_one_critical_among_them():
    report = recorded_report("image")
    assert report.month_usage == 93911
    assert [entry.name for entry in report.entries if entry.is_critical] == ["HASDX"]


def test_entries_are_sorted_by_usage_and_ties_stay_in_stored_order():
    names = ["c", "a", "d", "b"]
    report = make_report(map(make_model, names), make_figures(month={"d": 5, "b": 5, "a": 9}))
    assert [entry.name for entry in report.entries] == ["a", "d", "b", "c"]


def test_records_go_by_the_names_they_are_found_by_and_are_read_once():
    unnamed = make_model()
    del unnamed["name"]
    figures = make_figures({"b": 3}, month={"b": 5, "other": 9})
    report = risk_report(["a", "b"], iter([unnamed, make_model("other")]), figures, RULES[IMAGE_CATEGORY])
    found = [(entry.name, entry.usage.month, entry.worker_count) for entry in report.entries]
    assert found == [("b", 5, 3), ("a", 0, 0)]
    assert report.month_usage == 5


# Groups -----------------------------------------------------------------------------------------------------


def test_a_group_sums_its_members_up():
    records = [
        make_model("A/M-7B", urls=["https://b.org/x"], nsfw=False, baseline="first"),
        make_model("A/M-70B", urls=["https://c.org/x", "https://a.org/x"], nsfw=True, description=""),
        make_model("B/N-7B"),
    ]
    figures = make_figures(
        {"A/M-7B": 2, "A/M-70B": 5},
        day={"M-7B": 1},
        month={"M-7B": 4, "N-7B": 2},
        total={"M-7B": 8, "N-7B": 2},
    )
    grouped = make_grouped(records, figures)
    assert (grouped.record_count, grouped.month_usage) == (3, 10)
    assert [entry.name for entry in grouped.entries] == ["M", "N"]
    group = grouped.entries[0]
    assert group.usage == Usage(2, 8, 16)
    assert (group.worker_count, group.share) == (5, 80.0)
    assert group.flags == {RiskFlag.MISSING_DESCRIPTION}
    assert (group.baseline, group.nsfw, group.has_description) == ("first", False, False)
    assert (group.download_count, group.download_hosts) == (3, ("a.org", "b.org", "c.org"))
    assert (group.day_to_month, group.month_to_total) == (0.25, 0.5)
    assert group.backend_variations == ()


def test_a_group_of_one_is_its_member_under_another_name():
    figures = make_figures({"A/M-7B": 1}, month={"A/M-7B": 3}, total={"A/M-7B": 7})
    [alone] = make_report([make_model("A/M-7B")], figures, category=TEXT_CATEGORY).entries
    [group] = make_grouped([make_model("A/M-7B")], figures).entries
    assert group == dataclasses.replace(alone, name="M")
    assert group.day_to_month == 0.0


def test_a_group_without_recent_usage_has_no_trend():
    records = [make_model("M-7B"), make_model("M-8B")]
    [group] = make_grouped(records, make_figures(month={"M-7B": 5}, total={})).entries
    assert (group.day_to_month, group.month_to_total) == (None, None)
    [group] = make_grouped(records, make_figures(total={"M-7B": 5})).entries
    assert (group.day_to_month, group.month_to_total) == (None, None)


def test_rounded_shares_do_not_add_up_to_more_than_the_whole():
    # Six sixths of 16.6667 % each.
    records = [make_model(f"M-{size}B") for size in range(1, 7)]
    [group] = make_grouped(records, make_figures(month={"M-1B": 5})).entries
    assert group.share == 100.0


def test_whether_a_group_is_critical_is_told_by_its_own_numbers():
    records = [make_model("M-7B"), make_model("M-8B")]
    alone = make_report(records, make_figures(month={"M-7B": 6}), category=TEXT_CATEGORY)
    assert [entry.is_critical for entry in alone.entries] == [True, True]
    [group] = report_grouped(alone, RULES[TEXT_CATEGORY], aliases={}).entries
    assert not group.is_critical
    [group] = make_grouped(records, make_figures({"M-8B": 1}, month={"M-7B": 1})).entries
    assert (group.is_critical, RiskFlag.NO_ACTIVE_WORKERS in group.flags) == (False, True)


def test_known_sizes_of_a_group_are_averaged():
    report = make_report(
        [make_model("M-7B", size_on_disk_bytes=2**30), make_model("M-8B", size_on_disk_bytes=2**31)],
        make_figures(month={"M-7B": 3}),
    )
    [group] = report_grouped(report, RULES[IMAGE_CATEGORY], aliases={}).entries
    assert (group.size, group.cost_benefit) == (1.5, 4.0)


def test_groups_keep_the_place_of_their_first_member():
    records = [make_model(name) for name in ("A-7B", "B-7B", "C-7B", "A-8B", "C-8B")]
    grouped = make_grouped(records, make_figures(month={"B-7B": 5, "C-7B": 4}))
    assert [entry.name for entry in grouped.entries] == ["B", "C", "A"]


def test_an_alias_joins_groups():
    records = [make_model(name) for name in ("A-7B", "B-7B", "C-7B")]
    grouped = make_grouped(records, make_figures(month={"A-7B": 1, "B-7B": 2}), aliases={"B": "A", "C": "B"})
    assert [(entry.name, entry.usage.month) for entry in grouped.entries] == [("A", 3), ("B", 0)]


# Presets and pages ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("preset", "kept"),
    [
        ("deletion_candidates", ["rare", "unseen", "bare"]),
        ("zero_usage", ["unseen", "bare"]),
        ("no_workers", ["unseen"]),
        ("missing_data", ["bare"]),
        ("host_issues", ["bare"]),
        ("critical", []),
        ("low_usage", ["bare"]),
    ],
)
def test_what_presets_keep(preset, kept):
    records = [
        make_model("unseen"),
        make_model("bare", description="", urls=[]),
        make_model("rare"),
        make_model("loved"),
    ]
    figures = make_figures(
        {"bare": 1, "rare": 1, "loved": 1},
        day={"bare": 1, "rare": 1, "loved": 1},
        # A share of 0.008 % is too low for one threshold and not for the other.
        month={"rare": 8, "loved": 99_992},
        total={"bare": 1, "rare": 8, "loved": 99_992},
    )
    page = make_report(records, figures).page(preset=preset)
    assert [entry.name for entry in page.entries] == kept
    assert (page.total_count, page.summary["total_models"]) == (4, len(kept))


def test_a_page_counts_what_is_on_all_pages():
    figures = make_figures({"a": 1}, month={"a": 3, "b": 2, "c": 1})
    report = make_report(map(make_model, "abcd"), figures)
    page = report.page(preset="no_workers", limit=1, offset=1)
    assert [entry.name for entry in page.entries] == ["c"]
    assert (page.total_count, page.offset, page.limit) == (3, 1, 1)
    assert (page.summary["total_models"], page.summary["category_total_month_usage"]) == (3, 3)
    assert page.category_total_month_usage == 6
    rest = report.page(preset="no_workers", offset=1)
    assert ([entry.name for entry in rest.entries], rest.total_count) == (["c", "d"], 3)


def test_an_offset_past_the_end_gives_an_empty_page():
    page = make_report(map(make_model, "ab")).page(offset=5)
    assert (page.entries, page.total_count, page.summary["total_models"]) == ((), 2, 2)


def test_a_grouped_view_counts_records_until_it_is_paged():
    report = make_grouped([make_model("M-7B"), make_model("M-8B"), make_model("N-7B")])
    whole, page = report.page().as_dict(), report.page(limit=1).as_dict()
    assert (whole["total_count"], whole["returned_count"]) == (3, 2)
    assert (page["total_count"], page["returned_count"]) == (2, 1)


def test_only_the_summary_of_all_groups_is_not_rounded():
    records = [make_model("A-7B", description=""), make_model("B-7B"), make_model("C-7B")]
    report = make_grouped(records, make_figures(month={"A-7B": 3}))
    assert report.page().summary["average_risk_score"] == pytest.approx(5 / 3, abs=1e-12)
    assert report.page(preset="no_workers").summary["average_risk_score"] == 1.67


def test_the_summary_of_nothing():
    assert risk_summary(()) == dict.fromkeys(risk_summary(()), 0)
    assert RiskReport(IMAGE_CATEGORY, (), 0, 0).page().as_dict()["models"] == []


def test_an_unknown_preset_is_an_error():
    with pytest.raises(KeyError):
        make_report([make_model()]).page(preset="nope")


# What always holds ------------------------------------------------------------------------------------------

names = st.builds("{}-{}B".format, st.sampled_from(["Org/M", "Org/N", "P"]), st.integers(1, 9))
models = st.builds(
    make_model,
    name=names,
    description=st.sampled_from(["", "x"]),
    baseline=st.sampled_from(["", "b"]),
    urls=st.lists(st.sampled_from([HUB, "https://a.org/x", "http://[", "x"]), max_size=3),
    size_on_disk_bytes=st.none() | st.integers(1, 10**12),
)
stored_models = st.lists(models, min_size=1, max_size=15, unique_by=lambda record: record["name"])
counts = st.dictionaries(names, st.integers(0, 10**6), max_size=8)
upstream = st.builds(make_figures, counts, day=counts, month=counts, total=counts)


@given(stored_models, upstream, st.sampled_from([IMAGE_CATEGORY, TEXT_CATEGORY]), st.booleans())
def test_what_holds_for_every_report(records, figures, category, with_variations):
    report = make_report(records, figures, category=category, with_variations=with_variations)
    entries = report.entries
    assert sorted(entry.name for entry in entries) == sorted(record["name"] for record in records)
    months = [entry.usage.month for entry in entries]
    assert months == sorted(months, reverse=True)
    assert sum(months) == report.month_usage
    shares = sum(entry.share for entry in entries)
    assert shares == pytest.approx(100 if report.month_usage else 0, abs=0.0001 * len(entries))
    for entry in entries:
        shown = entry.as_dict()
        assert entry.risk_score == sum(shown["deletion_risk_flags"].values())
        assert list(shown["deletion_risk_flags"]) == list(RiskFlag)
        assert entry.at_risk == (entry.risk_score > 0)
        if with_variations:
            assert sum(part.usage.month for part in entry.backend_variations) == entry.usage.month
    assert report.page().summary == risk_summary(entries)
    json.dumps(report.page().as_dict(), allow_nan=False)


@given(stored_models, upstream)
def test_what_holds_for_every_grouped_report(records, figures):
    report = make_report(records, figures, category=TEXT_CATEGORY)
    grouped = report_grouped(report, RULES[TEXT_CATEGORY], aliases={"N": "M"})
    assert sum(entry.usage.month for entry in grouped.entries) == report.month_usage
    assert sum(entry.download_count for entry in grouped.entries) == sum(
        entry.download_count for entry in report.entries
    )
    union = frozenset().union(*(entry.flags for entry in report.entries))
    assert frozenset().union(*(entry.flags for entry in grouped.entries)) == union
    assert all(0 <= entry.share <= 100 for entry in grouped.entries)


@given(stored_models, upstream, st.sampled_from(list(PRESETS)), st.integers(1, 5), st.integers(0, 20))
def test_pages_of_a_preset_are_parts_of_it(records, figures, preset, limit, offset):
    report = make_report(records, figures)
    whole = report.page(preset=preset)
    assert set(whole.entries) <= set(report.entries)
    page = report.page(preset=preset, limit=limit, offset=offset)
    assert page.entries == whole.entries[offset : offset + limit]
    assert (page.total_count, page.summary) == (len(whole.entries), whole.summary)
