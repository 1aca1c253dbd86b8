"""Inferring how a list of names is put together."""

import pytest

from references.text import NameFormat, infer_format


def test_a_list_without_names_has_the_default_format():
    assert infer_format([]).as_dict() == {
        "separator": "-",
        "part_order": ["base", "size", "variant", "version", "quant"],
        "author_included": False,
        "common_author": None,
        "template": "{base}-{size}",
        "extra_parts": [],
    }


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (
            ["Org/Lumimaid-v0.2-8B", "Org/Lumimaid-v0.2"],
            NameFormat("-", ("base", "version", "size"), True, "Org", "{author}/{base}-{version}-{size}"),
        ),
        (
            ["Org/Foo-7B", "Other/Foo-7B", "Foo-7B"],
            NameFormat("-", ("base", "size"), True, None, "{author}/{base}-{size}"),
        ),
        (["Org/Foo-7B", "Foo-7B"], NameFormat("-", ("base", "size"), True, "Org", "{author}/{base}-{size}")),
        (["Foo_7B"], NameFormat("_", ("base", "size"), False, None, "{base}_{size}")),
        (["Foo_Bar-7B"], NameFormat("-", ("base", "size"), False, None, "{base}-{size}")),
        (
            ["Foo-7B-Q4_K_M", "Foo_7B"],
            NameFormat("-", ("base", "size", "quant"), False, None, "{base}-{size}-{quant}"),
        ),
        (["A-7B-Mix"], NameFormat("-", ("size",), False, None, "{size}")),
        (
            ["4.2.0-Tutu-24b", "Tutu-2507"],
            NameFormat(
                "-",
                ("extra:LEADING_VERSION", "base", "size"),
                False,
                None,
                "{extra:LEADING_VERSION}-{base}-{size}",
                ("LEADING_VERSION", "DATE"),
            ),
        ),
        (["7B"], NameFormat("-", ("base", "size"), False, None, "{base}-{size}")),
    ],
)
def test_format_follows_the_richest_name(names, expected):
    assert infer_format(names) == expected


def test_the_first_of_equally_rich_names_decides():
    assert infer_format(["Foo-7B-v1", "Foo-v1-7B"]).part_order == ("base", "size", "version")
    assert infer_format(["Foo-v1-7B", "Foo-7B-v1"]).part_order == ("base", "version", "size")


def test_the_author_does_not_decide_the_separator():
    assert infer_format(["a_b_c_d/Foo-7B"]).separator == "-"


def test_a_backend_prefix_counts_as_an_author():
    assert infer_format(["koboldcpp/Foo-7B"]).common_author == "koboldcpp"
