from datetime import date

from references.pages.plots import Rect, bars, day_series, matrix, unit_chart


def area(rects: tuple[Rect, ...]) -> float:
    return sum(rect.width * rect.height for rect in rects)


def test_every_model_gets_a_square_of_its_own():
    chart = unit_chart([30, 7, 0, 1], rows=5)
    assert [area(block.rects) / 100 for block in chart.blocks] == [30, 7, 0, 1]
    taken = [
        (x, y)
        for block in chart.blocks
        for rect in block.rects
        for x in range(int(rect.x), int(rect.x + rect.width), 10)
        for y in range(int(rect.y), int(rect.y + rect.height), 10)
    ]
    assert len(taken) == len(set(taken)) == 38
    assert (chart.columns, chart.width, chart.height) == (8, 78, 48)


def test_a_huge_catalogue_is_drawn_with_squares_for_several_models():
    chart = unit_chart([100_000, 3], rows=14)
    assert chart.worth == 51
    assert [area(block.rects) / 100 for block in chart.blocks] == [1961, 1]


def test_an_empty_catalogue_can_be_drawn():
    assert unit_chart([], rows=14).columns == 1


def test_bars_are_as_long_as_their_part_of_the_longest():
    longest, other = bars([("a", 30), ("b", 10)], total=60)
    assert (longest.length, longest.share, other.length, other.share) == (100.0, 50.0, 33.33, 16.7)
    assert bars([], total=0) == []


def test_days_without_a_figure_are_gaps_in_time():
    series = day_series([(date(2026, 1, 1), 0), (date(2026, 1, 2), 4), (date(2026, 1, 5), 2)])
    assert series.line == "0,100 25,0 100,50"
    assert series.area == "0,100 0,100 25,0 100,50 100,100"
    assert (series.highest, series.latest.value) == (4, 2)


def test_days_without_any_use_lie_on_the_ground():
    assert day_series([(date(2026, 1, 1), 0), (date(2026, 1, 2), 0)]).line == "0,100 100,100"


def test_one_day_is_no_line():
    assert day_series([(date(2026, 1, 1), 5)]) is None
    assert day_series([]) is None


def test_a_matrix_is_darker_where_there_are_more():
    table = matrix(["a", "b"], ["x", "y"], {("a", "x"): 100, ("a", "y"): 1, ("b", "x"): 25})
    assert [(label, [cell.shade for cell in cells]) for label, cells in table.rows] == [
        ("a", [5, 1]),
        ("b", [2, 0]),
    ]
