"""Figures of a category: the recorded ones, rules the recorded data does not reach, and what always holds."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from references.categories import CATEGORIES, IMAGE_CATEGORY, TEXT_CATEGORY
from references.statistics import PARAMETER_BUCKETS, category_statistics, grouped_records
from references.text import group_name
from tests.recorded import golden

RECORDED = [
    "image_generation",
    "clip",
    "controlnet",
    "blip",
    "esrgan",
    "gfpgan",
    "codeformer",
    "safety_checker",
    "miscellaneous",
]
CORRECTED_FIELDS = ("parameter_buckets", "models_without_param_info")


def recorded_records(category):
    return list(golden("v2", f"{category}.json").values())


def figures_of(*records, category=IMAGE_CATEGORY):
    return category_statistics(category, records, computed_at=0)


def without_additions(figures):
    """The figures that the recorded answers have, as text that differs when values or their order differ."""
    return json.dumps({name: value for name, value in figures.items() if name != "sfw_count"})


@pytest.mark.parametrize("category", RECORDED)
def test_recorded_statistics(category):
    figures = figures_of(*recorded_records(category), category=category)
    assert without_additions(figures) == json.dumps(golden("statistics", f"{category}.json")["body"])


def test_recorded_text_statistics_with_parameters_counted():
    recorded = golden("statistics", "text_generation.json")["body"]
    corrected = golden("statistics", "text_generation.corrected_fields.json")
    figures = figures_of(*recorded_records(TEXT_CATEGORY), category=TEXT_CATEGORY)
    expected = recorded | {name: corrected[name] for name in CORRECTED_FIELDS}
    assert without_additions(figures) == json.dumps(expected)
    assert figures["sfw_count"] == corrected["sfw_count"]
    assert [bucket["count"] for bucket in figures["parameter_buckets"]] == [
        89,
        31,
        142,
        68,
        114,
        142,
        19,
        114,
    ]


def test_recorded_grouped_text_statistics():
    recorded = golden("statistics", "text_generation.grouped.json")["body"]
    groups = grouped_records(recorded_records(TEXT_CATEGORY), aliases={})
    figures = figures_of(*groups, category=TEXT_CATEGORY)
    expected = recorded | {name: figures[name] for name in CORRECTED_FIELDS}
    assert without_additions(figures) == json.dumps(expected)
    counted = sum(bucket["count"] for bucket in figures["parameter_buckets"])
    assert counted + figures["models_without_param_info"] == figures["total_models"] == 419


@pytest.mark.parametrize(
    ("parameters", "label"),
    [
        (1, "< 3B"),
        (2_999_999_999, "< 3B"),
        (3_000_000_000, "3B-6B"),
        (9_000_000_000, "9B-13B"),
        (69_999_999_999.5, "35B-70B"),
        (70_000_000_000, "> 70B"),
        (10**15, "> 70B"),
        (0, None),
        (-1, None),
        (None, None),
        ("7000000000", None),
        (True, None),
    ],
)
def test_the_bucket_of_a_parameter_count(parameters, label):
    figures = figures_of({"name": "a", "parameters": parameters}, category=TEXT_CATEGORY)
    assert [bucket["bucket_label"] for bucket in figures["parameter_buckets"]] == ([label] if label else [])
    assert figures["models_without_param_info"] == (0 if label else 1)


def test_parameters_count_goes_before_parameters():
    record = {"name": "a", "parameters": 10**9, "parameters_count": 10**10}
    [bucket] = figures_of(record, category=TEXT_CATEGORY)["parameter_buckets"]
    assert bucket == {
        "bucket_label": "9B-13B",
        "min_params": 9 * 10**9,
        "max_params": 13 * 10**9,
        "count": 1,
        "percentage": 100.0,
    }


def test_only_text_models_are_counted_by_parameters():
    figures = figures_of({"name": "a", "parameters": 10**9})
    assert (figures["parameter_buckets"], figures["models_without_param_info"]) == ([], 0)


def test_ties_stay_in_the_order_of_first_sight():
    records = [
        {"name": "1", "baseline": "b", "tags": ["z", "y"], "style": "s"},
        {"name": "2", "baseline": "a", "tags": ["x", "y"], "style": "t"},
        {"name": "3", "baseline": "c", "tags": [], "style": "t"},
        {"name": "4", "baseline": "a", "tags": None},
    ]
    figures = figures_of(*records)
    assert list(figures["baseline_distribution"]) == ["a", "b", "c"]
    assert figures["baseline_distribution"]["a"] == {"baseline": "a", "count": 2, "percentage": 50.0}
    assert [tag["tag"] for tag in figures["top_tags"]] == ["y", "z", "x"]
    assert [style["tag"] for style in figures["top_styles"]] == ["t", "s"]


def test_a_tag_counts_as_often_as_it_is_given_and_case_matters():
    figures = figures_of({"name": "1", "tags": ["a", "a", "A"]})
    assert figures["top_tags"] == [
        {"tag": "a", "count": 2, "percentage": 200.0},
        {"tag": "A", "count": 1, "percentage": 100.0},
    ]


def test_at_most_twenty_tags_and_styles_are_shown():
    figures = figures_of(
        *({"name": str(number), "tags": [f"t{number}"], "style": f"s{number}"} for number in range(25))
    )
    assert [tag["tag"] for tag in figures["top_tags"]] == [f"t{number}" for number in range(20)]
    assert len(figures["top_styles"]) == 20


def test_blank_baselines_and_styles_are_not_counted():
    figures = figures_of({"name": "1", "baseline": "", "style": ""}, {"name": "2", "baseline": None})
    assert (figures["baseline_distribution"], figures["top_styles"]) == ({}, [])


def test_downloads_are_counted_by_host():
    def record(*urls, size=None):
        return {
            "name": "a",
            "size_on_disk_bytes": size,
            "config": {"download": [{"file_url": url} for url in urls]},
        }

    figures = figures_of(
        record("https://b.org:81/x", "https://a.org/x", size=10),
        record("https://a.org/y", "//c.org/z", "no address", "http://[broken", size=0),
        record(size=5),
        {"name": "b"},
    )
    assert figures["download_stats"] == {
        "total_models_with_downloads": 2,
        "total_download_entries": 6,
        "total_size_bytes": 15,
        "models_with_size_info": 2,
        "average_size_bytes": 7.5,
        "hosts": {"a.org": 2, "b.org:81": 1, "c.org": 1},
    }
    assert list(figures["download_stats"]["hosts"]) == ["a.org", "b.org:81", "c.org"]


def test_what_only_image_models_have():
    record = {
        "name": "a",
        "nsfw": True,
        "trigger": ["x"],
        "inpainting": True,
        "requirements": {"clip_skip": 2},
        "showcases": ["https://a.org/x.png"],
    }
    names = (
        "nsfw_count",
        "sfw_count",
        "models_with_trigger_words",
        "models_with_inpainting",
        "models_with_requirements",
        "models_with_showcases",
    )
    image, lora = figures_of(record), figures_of(record, category="lora")
    assert [image[name] for name in names] == [1, 0, 1, 1, 1, 1]
    assert [lora[name] for name in names] == [1, 0, 0, 0, 0, 1]
    empty = figures_of({"name": "a", "trigger": [], "requirements": {}, "showcases": [], "inpainting": None})
    assert [empty[name] for name in names] == [0, 1, 0, 0, 0, 0]


def test_records_that_break_their_schema_are_counted_for_what_they_have():
    figures = figures_of(
        {"name": "a", "tags": "anime", "style": 7, "baseline": ["x"], "config": [], "nsfw": "yes"},
        {"name": "b", "tags": [None, "t"], "config": {"download": [None, {"file_url": 3}]}},
        {"name": "c", "size_on_disk_bytes": "12", "config": {"download": "x"}, "trigger": "word"},
    )
    assert figures["total_models"] == figures["sfw_count"] == 3
    assert figures["top_tags"] == [{"tag": "t", "count": 1, "percentage": 33.33}]
    assert figures["download_stats"]["total_download_entries"] == 1
    assert figures["download_stats"]["total_size_bytes"] == 0


def test_the_first_record_of_a_group_stands_for_it_with_the_files_of_all():
    records = [
        {"name": "A/M-7B", "nsfw": True, "tags": ["x"], "config": {"download": [{"file_name": "1"}], "k": 1}},
        {"name": "B/N-7B"},
        {"name": "A/M-70B", "nsfw": False, "tags": ["y"], "config": {"download": [{"file_name": "2"}]}},
    ]
    groups = grouped_records(records, aliases={})
    assert [group["name"] for group in groups] == ["A/M-7B", "B/N-7B"]
    assert groups[0]["config"] == {"download": [{"file_name": "1"}, {"file_name": "2"}], "k": 1}
    assert (groups[0]["nsfw"], groups[0]["tags"]) == (True, ["x"])
    assert records[0]["config"]["download"] == [{"file_name": "1"}]


def test_an_alias_joins_groups_and_is_not_followed_twice():
    records = [{"name": f"{letter}-7B"} for letter in "ABC"]
    assert [g["name"] for g in grouped_records(records, aliases={"B": "A"})] == ["A-7B", "C-7B"]
    assert [g["name"] for g in grouped_records(records, aliases={"B": "C", "C": "A"})] == ["A-7B", "B-7B"]


def test_buckets_leave_no_gap():
    for lower, upper in zip(PARAMETER_BUCKETS, PARAMETER_BUCKETS[1:], strict=False):
        assert lower.max_params == upper.min_params
    assert (PARAMETER_BUCKETS[0].min_params, PARAMETER_BUCKETS[-1].max_params) == (0, None)


words = st.sampled_from(["", "a", "b", "c", "A"])
model_names = st.builds("{}/{}-{}B".format, *[st.sampled_from("XYZ")] * 2, st.integers(1, 99))
stored_records = st.fixed_dictionaries(
    {"name": model_names},
    optional={
        "nsfw": st.booleans() | st.none(),
        "baseline": words | st.none(),
        "style": words | st.none(),
        "tags": st.lists(words) | st.none(),
        "parameters": st.integers(0, 10**12) | st.none(),
        "size_on_disk_bytes": st.integers(0, 10**13) | st.none(),
        "config": st.fixed_dictionaries(
            {"download": st.lists(st.fixed_dictionaries({"file_url": words.map("https://{}".format)}))}
        ),
    },
)


@given(st.lists(stored_records, min_size=1, max_size=30), st.sampled_from(list(CATEGORIES)))
def test_what_holds_for_every_category(records, category):
    figures = figures_of(*records, category=category)
    total = len(records)
    assert figures["total_models"] == figures["returned_models"] == total
    assert figures["nsfw_count"] + figures["sfw_count"] == total
    for shares in (
        list(figures["baseline_distribution"].values()),
        figures["top_tags"],
        figures["top_styles"],
    ):
        counts = [share["count"] for share in shares]
        assert counts == sorted(counts, reverse=True)
        assert [share["percentage"] for share in shares] == [
            pytest.approx(count * 100 / total, abs=0.0051) for count in counts
        ]
    with_baseline = sum(bool(record.get("baseline")) for record in records)
    assert sum(share["count"] for share in figures["baseline_distribution"].values()) == with_baseline
    in_buckets = sum(bucket["count"] for bucket in figures["parameter_buckets"])
    assert in_buckets + figures["models_without_param_info"] == (total if category == TEXT_CATEGORY else 0)
    downloads = figures["download_stats"]
    assert sum(downloads["hosts"].values()) <= downloads["total_download_entries"]
    assert downloads["average_size_bytes"] * downloads["models_with_size_info"] == pytest.approx(
        downloads["total_size_bytes"], abs=0.01 * total
    )
    json.dumps(figures, allow_nan=False)


@given(st.lists(stored_records, min_size=1, max_size=30))
def test_grouping_keeps_every_group_and_every_file(records):
    groups = grouped_records(records, aliases={"X": "Y"})
    names = {"Y" if group_name(record["name"]) == "X" else group_name(record["name"]) for record in records}
    assert len(groups) == len(names)
    whole, grouped = (figures_of(*each, category=TEXT_CATEGORY) for each in (records, groups))
    for count in ("total_download_entries", "hosts"):
        assert grouped["download_stats"][count] == whole["download_stats"][count]
