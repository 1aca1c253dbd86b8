"""The figures of models and their order by one of them."""

from hypothesis import given
from hypothesis import strategies as st

from references.horde import ModelStatus, ModelUsage
from references.popularity import METRICS, ModelStats, models_stats, ranked, without_nulls
from references.usage_matching import NO_USAGE, HordeFigures, Usage
from tests.recorded import golden
from tests.references.figures import make_figures, make_worker, recorded_figures

SORTS = {"image": "image_generation", "text": "text_generation"}


def best(kind, metric="worker_count", limit=5, *, with_workers=False):
    """Names and stats of the recorded models that come first."""
    names = list(golden("v2", f"{SORTS[kind]}.json"))
    stats = models_stats(names, recorded_figures(kind), with_workers=with_workers)
    first = ranked(stats, metric)[:limit]
    return [{"name": names[place], "stats": without_nulls(stats[place].as_dict())} for place in first]


def recorded(name):
    return [
        {"name": model["name"], "stats": model["stats"]}
        for model in golden("analytics", f"popular_{name}.json")["body"]
    ]


def test_recorded_orders_and_stats():
    for kind in SORTS:
        assert best(kind, limit=10) == recorded(f"{kind}_default")
        assert best(kind, with_workers=True) == recorded(f"{kind}_workers_5")
        for metric in METRICS:
            assert best(kind, metric) == recorded(f"{kind}_{metric}_5"), metric


def test_stats_of_a_model_that_is_served_and_used():
    status = ModelStatus(name="a", count=2, jobs=1, performance=0.5, queued=7, eta=9)
    figures = HordeFigures([status], ModelUsage({}, {"a": 3}, {"a": 4}), [make_worker("w", "A", uptime=5)])
    [stats] = models_stats(["a"], figures, with_workers=True)
    assert stats.as_dict() == {
        "queued_jobs": 1,
        "performance": 0.5,
        "eta": 9,
        "queued": 7,
        "usage_stats": {"day": 0, "month": 3, "total": 4},
        "worker_summaries": {
            "w": {
                "id": "w",
                "name": "worker w",
                "performance": None,
                "online": None,
                "trusted": None,
                "uptime": 5,
            }
        },
        "backend_variations": None,
        "worker_count": 1,
    }
    assert without_nulls(stats.as_dict())["worker_summaries"] == {
        "w": {"id": "w", "name": "worker w", "uptime": 5}
    }


def test_stats_of_a_model_nobody_knows():
    [stats] = models_stats(["a"], make_figures(), with_workers=True)
    assert stats == ModelStats(None, NO_USAGE)
    assert without_nulls(stats.as_dict()) == {"worker_count": 0}


def test_workers_listed_by_name_are_counted_instead_of_those_of_the_status():
    figures = make_figures({"a": 5, "b": 4, "c": 3}, workers=[make_worker("1", "a"), make_worker("2", "c")])
    plain = models_stats("abc", figures)
    listed = models_stats("abc", figures, with_workers=True)
    assert [stats.worker_count for stats in plain] == [5, 4, 3]
    assert [stats.worker_count for stats in listed] == [1, 4, 1]
    assert (ranked(plain, "worker_count"), ranked(listed, "worker_count")) == ([0, 1, 2], [1, 0, 2])


def test_variations_come_with_the_models_own_usage():
    figures = make_figures({"koboldcpp/M-7B": 1}, month={"koboldcpp/M-7B": 1, "M-8B": 10})
    [shared] = models_stats(["M-7B"], figures)
    [own] = models_stats(["M-7B"], figures, with_variations=True)
    assert (shared.usage, shared.backend_variations) == (Usage(0, 11, 11), ())
    assert own.usage == Usage(0, 1, 1)
    assert [variation["backend"] for variation in own.as_dict()["backend_variations"]] == ["koboldcpp"]


def test_nulls_go_at_every_level_and_only_nulls():
    assert without_nulls({"a": None, "b": {"c": None, "d": 0}, "e": [{"f": None}, "", False, []]}) == {
        "b": {"d": 0},
        "e": [{}, "", False, []],
    }


counts = st.lists(st.integers(0, 5), max_size=20)


@given(counts, st.sampled_from(list(METRICS)))
def test_every_model_is_ranked_and_ties_keep_their_order(values, metric):
    stats = [
        ModelStats(ModelStatus(name="", count=value), Usage(value * 2, value * 3, value * 5))
        for value in values
    ]
    order = ranked(stats, metric)
    assert sorted(order) == list(range(len(values)))
    for before, after in zip(order, order[1:], strict=False):
        assert values[before] > values[after] or (values[before] == values[after] and before < after)
