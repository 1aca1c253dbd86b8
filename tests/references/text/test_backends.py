"""Backend prefixes and the names a model goes by."""

import pytest

from references.text import BACKENDS, name_variants, related_models, split_backend


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("aphrodite/Org/Name", ("aphrodite", "Org/Name")),
        ("koboldcpp/Name", ("koboldcpp", "Name")),
        ("koboldcpp/aphrodite/Name", ("koboldcpp", "aphrodite/Name")),
        ("koboldcpp/", ("koboldcpp", "")),
        ("Aphrodite/Name", (None, "Aphrodite/Name")),
        ("aphrodite", (None, "aphrodite")),
        (" aphrodite/Name", (None, " aphrodite/Name")),
        ("Org/aphrodite/Name", (None, "Org/aphrodite/Name")),
        ("", (None, "")),
    ],
)
def test_a_prefix_is_exact_and_at_the_start(name, expected):
    assert split_backend(name) == expected


@pytest.mark.parametrize(
    ("name", "variants"),
    [
        ("Org/Name", ["Org/Name", "aphrodite/Org/Name", "koboldcpp/Name"]),
        ("Name", ["Name", "aphrodite/Name", "koboldcpp/Name"]),
        ("Org/a/b", ["Org/a/b", "aphrodite/Org/a/b", "koboldcpp/a/b"]),
    ],
)
def test_koboldcpp_drops_the_author_and_aphrodite_keeps_it(name, variants):
    assert name_variants(name) == variants
    assert related_models(name) == variants[1:]


@pytest.mark.parametrize("name", ["Org/Name", "Name"])
def test_each_related_name_carries_its_backend(name):
    assert tuple(split_backend(related)[0] for related in related_models(name)) == BACKENDS
