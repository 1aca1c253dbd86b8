import pytest

from references.pages.labels import (
    age,
    baseline_label,
    counted,
    file_size,
    number,
    parameter_count,
    percentage,
    sentence,
)


@pytest.mark.parametrize(
    ("size", "shown"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1000, "1.00 kB"),
        (1530, "1.53 kB"),
        (999_499_999, "999 MB"),
        (999_500_000, "1.00 GB"),
        (4_265_380_512, "4.27 GB"),
        (42_653_805_120, "42.7 GB"),
        (700_483_908_653, "700 GB"),
        (10**400, "1000000000000000 PB"),
        (float("inf"), "1000000000000000 PB"),
    ],
)
def test_sizes_have_three_digits_that_count(size, shown):
    assert file_size(size) == shown


@pytest.mark.parametrize(
    ("count", "shown"),
    [(560_000_000, "560M"), (7_000_000_000, "7B"), (12_200_000_000, "12.2B"), (1_000_000_000_000, "1T")],
)
def test_parameters_read_as_model_names_tell_them(count, shown):
    assert parameter_count(count) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0, "0"), (1234567, "1,234,567"), (0.0, "0"), (2.52, "2.52"), (7.5, "7.5"), (22656.07, "22,656")],
)
def test_numbers_keep_only_decimals_that_say_something(value, shown):
    assert number(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.0, "0 %"), (0.0053, "under 0.01 %"), (0.05, "0.05 %"), (9.876, "9.88 %"), (95.8354, "95.8 %")],
)
def test_shares(value, shown):
    assert percentage(value) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (-5, "just now"),
        (59, "just now"),
        (60, "1 minute ago"),
        (7200, "2 hours ago"),
        (86_400 * 3, "3 days ago"),
        (86_400 * 45, "1 month ago"),
        (86_400 * 800, "2 years ago"),
    ],
)
def test_ages_are_told_in_the_largest_unit(seconds, shown):
    assert age(seconds) == shown


def test_nouns_follow_their_count():
    assert [counted(count, "group") for count in (0, 1, 1200)] == ["0 groups", "1 group", "1,200 groups"]
    assert counted(2, "category", "categories") == "2 categories"


def test_only_known_baselines_are_put_into_words():
    assert baseline_label("stable_diffusion_xl") == "Stable Diffusion XL"
    assert baseline_label("flux_1") == "Flux 1"
    assert baseline_label("cogvideox") == "cogvideox"
    assert baseline_label("mistralai/Mistral-Nemo-Base-2407") == "mistralai/Mistral-Nemo-Base-2407"


def test_an_identifier_begins_a_sentence():
    assert sentence("auxiliary_or_patch") == "Auxiliary or patch"
