"""Which upstream names count for a record."""

import pytest

from references.horde import ModelStatus, ModelUsage
from references.usage_matching import NO_USAGE, HordeFigures, Usage
from tests.references.figures import make_figures, make_worker, recorded_figures

NAME = "Org/Model-8B"


@pytest.mark.parametrize(
    ("counts", "served_as"),
    [
        ({NAME: 1}, NAME),
        ({"aphrodite/Org/Model-8B": 1}, "aphrodite/Org/Model-8B"),
        ({"koboldcpp/Model-8B": 1}, "koboldcpp/Model-8B"),
        ({"KOBOLDCPP/model-8b": 1}, "KOBOLDCPP/model-8b"),
        # Counts are not added up: the most served name stands for the model.
        ({NAME: 1, "koboldcpp/Model-8B": 3, "aphrodite/Org/Model-8B": 2}, "koboldcpp/Model-8B"),
        ({"koboldcpp/Model-8B": 2, "aphrodite/Org/Model-8B": 2}, "aphrodite/Org/Model-8B"),
        ({"koboldcpp/Model-8B": 2, "aphrodite/Org/Model-8B": 2, NAME: 2}, NAME),
        ({NAME: 0}, NAME),
        # The later of two spellings counts.
        ({"ORG/Model-8B": 9, "org/model-8b": 1}, "org/model-8b"),
        # Neither quantised names, nor those of other forms, are the model's own.
        ({"koboldcpp/Model-8B-Q8_0": 9}, None),
        ({"koboldcpp/Org/Model-8B": 9}, None),
        ({"aphrodite/Model-8B": 9}, None),
        ({"Model-8B": 9}, None),
        ({}, None),
    ],
)
def test_the_most_served_variant_gives_the_status(counts, served_as):
    status = make_figures(counts).status_of(NAME)
    assert (status and status.name) == served_as


@pytest.mark.parametrize(
    ("upstream", "name", "counts_for_group", "counts_for_model"),
    [
        ("Org/Model-8B", NAME, True, True),
        ("aphrodite/Org/Model-8B", NAME, True, True),
        ("koboldcpp/Model-8B", NAME, True, True),
        ("KoboldCpp/MODEL-8b", NAME, True, True),
        ("koboldcpp/Model-8B-Q8_0", NAME, True, True),
        ("koboldcpp/Model-8B-q5", NAME, True, True),
        ("aphrodite/Org/Model-8B-AWQ", NAME, True, True),
        ("Model-8B-fp16", NAME, True, True),
        # The group is found by the name parser: it reads one quantisation, and none after an underscore.
        ("koboldcpp/Model-8B_Q4_K_M", NAME, False, True),
        # Of each family of quantisations one is taken off, in the order of the families.
        ("Model-8B-AWQ-Q4_K_M", NAME, False, True),
        ("Model-8B-Q4_K_M-AWQ", NAME, False, False),
        # The author does not count, only what follows the last slash.
        ("Someone/Model-8B", NAME, True, True),
        # Siblings: same group, another model.
        ("koboldcpp/Model-70B", NAME, True, False),
        ("Org/Model-8B-Instruct", NAME, True, False),
        ("Org/Model-v2-8B", NAME, True, False),
        ("koboldcpp/Other-8B", NAME, False, False),
        # The parser knows no such quantisation.
        ("koboldcpp/Model-8B-IQ4_XS", NAME, False, False),
        # A backend that is not known is an author.
        ("vllm/Model-8B", NAME, True, True),
        # Of the record's name, too, only the last segment counts.
        ("koboldcpp/c-7B", "a/b/c-7B", True, True),
        ("koboldcpp/Model-8B-Q8_0", "Org/Model-8B-Q4_0", True, True),
        # The rules are the same for images.
        ("Anything v5", "Anything v3", True, False),
        ("stable_diffusion", "Stable_Diffusion", True, True),
        ("stable_diffusion_2.1", "stable_diffusion", False, False),
    ],
)
def test_usage_counts_for_the_group_and_for_the_model(upstream, name, counts_for_group, counts_for_model):
    figures = make_figures(day={upstream: 1}, month={upstream: 10}, total={upstream: 100})
    assert figures.group_usage_of(name) == (Usage(1, 10, 100) if counts_for_group else NO_USAGE)
    assert figures.model_usage_of(name) == (Usage(1, 10, 100) if counts_for_model else NO_USAGE)


def test_usage_is_the_sum_over_all_names_that_count():
    month = {NAME: 1, "koboldcpp/Model-8B": 10, "koboldcpp/Model-8B-Q8_0": 100, "Org/Model-70B": 1000}
    figures = make_figures(month=month, total={})
    assert figures.group_usage_of(NAME) == Usage(0, 1111, 0)
    assert figures.group_usage_of("Org/Model-70B") == Usage(0, 1111, 0)
    assert figures.model_usage_of(NAME) == Usage(0, 111, 0)


def test_of_two_spellings_of_an_upstream_name_the_later_counts_in_each_period():
    usage = ModelUsage(day={"A": 1}, month={"A": 2, "a": 3}, total={"a": 4, "A": 5})
    assert HordeFigures([], usage).group_usage_of("A") == Usage(1, 3, 5)


def test_a_model_without_any_count_has_no_usage():
    assert not make_figures(day={"A": 0}, month={"A": 0}, total={"A": 0}).group_usage_of("A")
    assert make_figures(total={"A": 1}).group_usage_of("A")


def test_variations_list_the_backends_that_have_workers_or_usage():
    figures = make_figures(
        {"APHRODITE/org/model-8b": 2}, month={"koboldcpp/Model-8B-Q8_0": 5, "koboldcpp/Model-8B": 7}
    )
    aphrodite, koboldcpp = figures.backend_variations_of(NAME)
    assert aphrodite.as_dict() == {
        "backend": "aphrodite",
        "variant_name": "APHRODITE/org/model-8b",
        "worker_count": 2,
        "performance": None,
        "usage_day": 0,
        "usage_month": 0,
        "usage_total": 0,
    }
    assert (koboldcpp.backend, koboldcpp.variant_name) == ("koboldcpp", "koboldcpp/Model-8B")
    assert (koboldcpp.worker_count, koboldcpp.performance) == (0, None)
    assert koboldcpp.usage == Usage(0, 12, 12)


def test_the_canonical_name_is_a_variation_too_and_comes_first():
    figures = make_figures({"koboldcpp/Model-8B": 1, NAME: 1})
    assert [each.backend for each in figures.backend_variations_of(NAME)] == ["canonical", "koboldcpp"]


def test_a_status_without_workers_is_a_variation():
    assert [each.worker_count for each in make_figures({NAME: 0}).backend_variations_of(NAME)] == [0]


def test_a_model_nobody_served_has_no_variations():
    assert make_figures({"Other": 1}, month={"Other": 1}).backend_variations_of(NAME) == []


def test_a_stored_backend_duplicate_counts_under_its_own_backend_once():
    figures = make_figures({"koboldcpp/Model-8B": 3}, month={"koboldcpp/Model-8B": 5})
    [variation] = figures.backend_variations_of("koboldcpp/Model-8B")
    assert (variation.backend, variation.worker_count, variation.usage.month) == ("koboldcpp", 3, 5)
    assert figures.model_usage_of("koboldcpp/Model-8B").month == 5


def test_variations_share_out_the_usage_of_the_model():
    figures = recorded_figures("text")
    for name in ("NeverSleep/Lumimaid-v0.2-8B", "ReadyArt/Broken-Tutu-24B", "facebook/xglm-564M"):
        parts = (variation.usage for variation in figures.backend_variations_of(name))
        assert sum(parts, NO_USAGE) == figures.model_usage_of(name)


def test_workers_offer_a_model_by_exactly_its_own_name():
    workers = [
        make_worker("1", "Org/Model-8B", "other"),
        make_worker("2", "ORG/model-8b", "org/MODEL-8b"),
        make_worker("3", "koboldcpp/Model-8B"),
        make_worker("4", "Org/Model-8B", online=False),
    ]
    assert [worker.id for worker in make_figures(workers=workers).workers_of(NAME)] == ["1", "2", "4"]
    assert make_figures(workers=workers).workers_of("Model-8B") == []


def test_a_worker_that_is_listed_twice_counts_once():
    workers = [make_worker("1", NAME), make_worker("1", NAME)]
    assert len(make_figures(workers=workers).workers_of(NAME)) == 1


def test_recorded_siblings_share_the_usage_of_their_group():
    figures = recorded_figures("text")
    sizes = [f"NeverSleep/Lumimaid-v0.2-{size}" for size in ("8B", "12B", "70B", "123B")]
    assert [figures.group_usage_of(name).month for name in sizes] == [4440] * 4
    assert [figures.model_usage_of(name).month for name in sizes] == [4350, 90, 0, 0]


def test_recorded_tie_goes_to_the_first_variant():
    status = recorded_figures("text").status_of("ReadyArt/Broken-Tutu-24B")
    assert status == ModelStatus(
        name="aphrodite/ReadyArt/Broken-Tutu-24B", count=4, jobs=2, performance=120.0, queued=256, eta=20
    )


def test_recorded_versions_of_an_image_model_share_their_usage():
    figures = recorded_figures("image")
    assert (
        figures.group_usage_of("Anything v3")
        == figures.group_usage_of("Anything v5")
        == Usage(40, 1200, 82000)
    )
