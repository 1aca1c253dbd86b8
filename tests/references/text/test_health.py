"""Health issues of groups."""

import pytest

from references.text import group_health_issues, groups_health
from tests.recorded import golden

SOUND = {"baseline": "a", "nsfw": False, "description": "d"}


def make_records(*fields, prefix=""):
    return [{"name": f"{prefix}Foo-{i}B", "text_model_group": "Foo", **f} for i, f in enumerate(fields)]


def test_recorded_health():
    records = golden("v2", "text_generation.json").values()
    recorded = golden("text_utils", "groups_health.json")["body"]
    answer = groups_health(records)
    assert answer == recorded
    assert list(answer["issue_counts_by_type"]) == list(recorded["issue_counts_by_type"])


@pytest.mark.parametrize(
    ("fields", "issue_type", "message", "severity"),
    [
        (
            [SOUND],
            "singleton_group",
            "Group has only 1 canonical model - may not need a group",
            "warning",
        ),
        (
            [SOUND | {"baseline": "b"}, SOUND, SOUND],
            "inconsistent_baseline",
            "Members have different baselines: a, b",
            "warning",
        ),
        (
            [SOUND | {"baseline": "a "}, SOUND],
            "inconsistent_baseline",
            "Members have different baselines: a, a ",
            "warning",
        ),
        (
            [SOUND | {"nsfw": True}, SOUND],
            "inconsistent_nsfw",
            "Members have different NSFW flags",
            "warning",
        ),
        (
            [SOUND | {"baseline": None}, SOUND | {"baseline": ""}, SOUND],
            "missing_baseline",
            "2 member(s) missing baseline",
            "warning",
        ),
        (
            [SOUND | {"description": ""}, SOUND],
            "missing_description",
            "1 member(s) missing description",
            "info",
        ),
    ],
)
def test_each_issue(fields, issue_type, message, severity):
    expected = {"group_name": "Foo", "issue_type": issue_type, "message": message, "severity": severity}
    assert group_health_issues("Foo", make_records(*fields)) == [expected]


def test_issues_come_in_a_fixed_order():
    records = make_records(
        {"nsfw": True}, SOUND | {"nsfw": False}, SOUND | {"baseline": "b", "description": None}
    )
    assert [issue["issue_type"] for issue in group_health_issues("Foo", records)] == [
        "inconsistent_baseline",
        "inconsistent_nsfw",
        "missing_baseline",
        "missing_description",
    ]


def test_a_missing_flag_is_no_inconsistency():
    assert group_health_issues("Foo", make_records(SOUND | {"nsfw": True}, SOUND | {"nsfw": None})) == []


def test_backend_duplicates_have_no_issues():
    assert group_health_issues("Foo", make_records({}, {}, prefix="koboldcpp/")) == []
    assert groups_health(make_records({}, prefix="aphrodite/")) == {
        "issues": [],
        "total_groups_checked": 1,
        "groups_with_issues": 0,
        "issue_counts_by_type": {},
    }


def test_a_sound_group_has_no_issues():
    assert group_health_issues("Foo", make_records(SOUND, SOUND)) == []
