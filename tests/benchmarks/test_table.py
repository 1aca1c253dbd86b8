"""The arithmetic of the benchmarks' table."""

import json

import pytest

from tests.benchmarks.measuring import in_turns, slowdowns
from tests.benchmarks.stores import REAL
from tests.benchmarks.table import (
    Line,
    Spread,
    at_least,
    at_most,
    comparison,
    lines_from_json,
    lines_to_json,
    number_shown,
    paired_ratios,
    samples_shown,
    table,
)


def ratio_line(**cells: tuple[float, ...]) -> Line:
    return Line(
        "category, plain", "÷ nginx", cells, is_ratio=True, budget=at_least(0.5), judged=frozenset({"small"})
    )


def test_a_ratio_pairs_the_measurements_of_one_repeat():
    assert paired_ratios((10.0, 40.0, 9.0), (20.0, 50.0, 9.0)) == (0.5, 0.8, 1.0)


def test_ratios_of_unequal_numbers_of_repeats_are_refused():
    with pytest.raises(ValueError, match="shorter"):
        paired_ratios((1.0, 2.0), (1.0,))


def test_slowdowns_are_those_of_the_larger_stores():
    seconds = {REAL: (1.0, 2.0), "10,000": (2.0, 3.0), "100,000": (5.0, 8.0)}
    assert slowdowns(seconds) == {"10,000": (2.0, 1.5), "100,000": (5.0, 4.0)}


def test_there_are_no_slowdowns_without_the_real_data():
    assert slowdowns({"10,000": (2.0, 3.0)}) == {}


def test_measurements_are_taken_in_turns_and_every_other_time_backwards():
    taken: list[str] = []

    def take(name: str) -> float:
        taken.append(name)
        return float(len(taken))

    samples = in_turns({"a": lambda: take("a"), "b": lambda: take("b")}, repeats=3)
    assert taken == ["a", "b", "b", "a", "a", "b"]
    assert samples == {"a": (1.0, 4.0, 5.0), "b": (2.0, 3.0, 6.0)}


def test_a_spread_is_the_least_the_middle_and_the_greatest():
    assert Spread.of((3.0, 1.0, 10.0)) == (1.0, 3.0, 10.0)
    assert Spread.of((4.0, 1.0)) == (1.0, 2.5, 4.0)


@pytest.mark.parametrize(
    ("budget", "samples", "verdict"),
    [
        (at_least(0.5), (0.5, 0.6, 0.7), "ok"),
        (at_least(0.5), (0.4, 0.6, 0.7), "ok?"),
        (at_least(0.5), (0.3, 0.4, 0.6), "MISS?"),
        (at_least(0.5), (0.3, 0.4, 0.45), "MISS"),
        (at_most(3), (1.0, 3.0, 3.0), "ok"),
        (at_most(3), (2.0, 2.5, 9.0), "ok?"),
        (at_most(3), (2.0, 3.5, 9.0), "MISS?"),
        (at_most(3), (3.1, 3.5, 9.0), "MISS"),
    ],
)
def test_the_middle_decides_and_a_question_mark_shows_disagreement(budget, samples, verdict):
    assert budget.verdict(samples) == verdict


def test_budgets_say_which_way_they_bind():
    assert [str(at_least(0.5)), str(at_most(120))] == ["at least 0.5", "at most 120"]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (12345.6, "12,346"),
        (123.4, "123"),
        (45.67, "45.7"),
        (9.876, "9.88"),
        (1.0, "1.00"),
        (0.01234, "0.0123"),
    ],
)
def test_numbers_show_three_digits_that_count(value, shown):
    assert number_shown(value) == shown


def test_repeats_show_as_the_middle_between_the_ends_and_one_alone_as_itself():
    assert samples_shown((2.0, 1.0, 3.0)) == "2.00 [1.00 – 3.00]"
    assert samples_shown((2.0,)) == "2.00"


def test_the_table_puts_ratios_below_their_figure_and_judges_only_the_sizes_with_a_budget():
    lines = [
        Line("category, plain", "req/s", {"small": (50.0,), "large": (20.0,)}),
        ratio_line(small=(0.4,), large=(0.4,)),
    ]
    rows = table(lines, ["small", "large", "huge"]).splitlines()
    assert [row.split() for row in rows] == [
        ["small", "large", "huge", "budget"],
        ["category,", "plain", "req/s", "50.0", "20.0", "–"],
        ["÷", "nginx", "0.4", "MISS", "0.4", "–", "at", "least", "0.5"],
    ]
    assert rows[2].startswith(" ")


def test_lines_come_back_from_json_with_every_repeat():
    line = ratio_line(small=(0.4, 0.6), large=(0.1, 0.2))
    stored = json.loads(json.dumps(lines_to_json([line])))
    assert stored[0]["budget"] == "at least 0.5"
    assert stored[0]["sizes"]["small"] == {"samples": [0.4, 0.6], "verdict": "ok?"}
    assert stored[0]["sizes"]["large"] == {"samples": [0.1, 0.2], "verdict": None}
    (read,) = lines_from_json(stored)
    assert (read.row, read.measure, read.is_ratio) == (line.row, line.measure, True)
    assert read.cells == line.cells


def test_a_comparison_calls_what_overlaps_noise_and_else_tells_the_change():
    then = [ratio_line(small=(0.4, 0.5), large=(0.2, 0.2))]
    now = [
        ratio_line(small=(0.5, 0.6), large=(0.3, 0.3)),
        Line("other", "÷ nginx", {"small": (1.0,)}, is_ratio=True),
    ]
    rows = comparison(now, then, ["small", "large"]).splitlines()
    assert len(rows) == 2
    assert "0.45, 0.55 (noise)" in rows[1]
    assert "0.2, 0.3 (+50%)" in rows[1]


def test_a_comparison_leaves_out_figures_which_belong_to_their_machine():
    figures = [Line("category, plain", "req/s", {"small": (50.0,)})]
    assert "category" not in comparison(figures, figures, ["small"])
