"""Building names from parts, and reading them back."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from references.text import DEFAULT_PART_ORDER, ParsedName, compose, group_name, parse

NEVERSLEEP = {"base_name": "Lumimaid", "version": "v0.2", "size": "8B", "author": "NeverSleep"}

plain_words = st.from_regex(r"[A-Z][a-z]{1,8}", fullmatch=True).filter(
    lambda word: parse(word) == ParsedName(word)
)
sizes = st.from_regex(r"[1-9][0-9]{0,2}(\.[0-9])?[BMK]|[2-9]X[1-9]B", fullmatch=True)
versions = st.from_regex(r"v[0-9]{1,2}(\.[0-9]{1,2}){0,2}", fullmatch=True)
quants = st.sampled_from(["Q4_K_M", "Q6_K", "Q8_0", "Q5", "GGUF", "FP16"])
variants = st.sampled_from(["Instruct", "Chat", "Thinking", "turbo"])


@pytest.mark.parametrize(
    ("parts", "name"),
    [
        (NEVERSLEEP, "NeverSleep/Lumimaid-8B-v0.2"),
        (NEVERSLEEP | {"part_order": ["base", "version", "size"]}, "NeverSleep/Lumimaid-v0.2-8B"),
        (
            {
                "base_name": "Qwen3",
                "size": "8B",
                "separator": "_",
                "part_order": ["size", "base", "bogus"],
                "variant": "Chat",
            },
            "8B_Qwen3",
        ),
        ({"base_name": "A", "size": "1B", "separator": "", "part_order": []}, "A-1B"),
        ({"base_name": "A", "size": "1B", "separator": " :: "}, "A :: 1B"),
        ({"base_name": "A", "size": "1B", "part_order": ["base", "base"]}, "A-A"),
        ({"base_name": "A", "size": "", "variant": "", "author": "", "quant": "Q8_0"}, "A-Q8_0"),
        ({"base_name": "", "size": "7B"}, "7B"),
        ({"base_name": "", "size": ""}, ""),
        ({"base_name": "A", "size": "1B", "part_order": ["bogus"], "author": "Org"}, "Org/"),
    ],
)
def test_parts_are_joined_in_order(parts, name):
    assert compose(**parts) == name


@settings(deadline=None)
@given(
    base_name=plain_words,
    size=sizes,
    variant=st.none() | variants,
    version=st.none() | versions,
    quant=st.none() | quants,
    separator=st.sampled_from(["-", " "]),
    part_order=st.permutations(DEFAULT_PART_ORDER),
)
def test_composed_names_parse_back_to_their_parts(base_name, separator, part_order, **parts):
    name = compose(base_name=base_name, separator=separator, part_order=part_order, **parts)
    assert parse(name) == ParsedName(base_name, **parts)


@settings(deadline=None)
@given(author=plain_words, base_name=plain_words, size=sizes, quant=quants)
def test_composed_names_group_under_their_base(author, base_name, size, quant):
    assert group_name(compose(author=author, base_name=base_name, size=size, quant=quant)) == base_name
