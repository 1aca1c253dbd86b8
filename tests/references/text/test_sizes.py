"""Sizes in order of magnitude."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from references.text import parse
from references.text.sizes import size_magnitude, sizes_sorted


@pytest.mark.parametrize(
    ("size", "billions"),
    [
        ("7B", "7"),
        ("1.5B", "1.5"),
        ("350M", "0.35"),
        ("200K", "0.0002"),
        ("8X7B", "56"),
        ("7B1", "71"),
        ("7.B", "7"),
        ("\u0667B", "7"),
    ],
)
def test_magnitude(size, billions):
    assert size_magnitude(size) == Decimal(billions)


def test_sizes_sort_by_magnitude_and_equal_ones_by_text():
    sizes = ["123B", "8B", "560M", "1B", "1000M", "8X7B", "0.56B", "8B"]
    assert sizes_sorted(sizes) == ["0.56B", "560M", "1000M", "1B", "8B", "8X7B", "123B"]


def test_absurdly_long_sizes_still_sort():
    nothing, huge = "0X" + "9" * 5_000 + "B", "9" * 5_000 + "B"
    assert sizes_sorted([huge, "7B", nothing]) == [nothing, "7B", huge]


@settings(deadline=None)
@given(st.from_regex(r"\d+\.?\d*[BMKbmk]\d*|\d+[xX]\d[BMKbmk]", fullmatch=True))
def test_every_size_the_parser_finds_has_a_magnitude(name):
    assert size_magnitude(parse(name).size) >= 0
