"""The name parser, step by step, over recorded names and over hostile ones."""

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from references.text import Extra, ParsedName, group_name, is_quantized, name_variants, parse
from references.text.names import SIZE_SHAPES, without_quants
from tests.recorded import golden

PIECES = [
    "7",
    "22",
    "2507",
    "4.2",
    "b",
    "B1",
    "M",
    "k",
    "x",
    "v",
    "V2",
    ".",
    "-",
    "_",
    " ",
    "/",
    "é",
    "\u0661",
]
PIECES += [
    "Q4_K_M",
    "Q4_0",
    "GGUF",
    "fp16",
    "Instruct",
    "Base",
    "turbo",
    "08-2024",
    "koboldcpp/",
    "Foo",
    "\u0301",
]
token_soup = st.lists(st.sampled_from(PIECES), max_size=12).map("".join)
any_name = st.one_of(st.text(), token_soup)


def test_recorded_names_parse_as_recorded():
    recorded = golden("parse_name.json")
    answers = {
        name: {"original_name": name, **parse(name).as_dict(), "suggested_group": group_name(name)}
        for name in recorded
    }
    assert answers == recorded


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("4.2.0-Broken-Tutu", ("4.2.0", "Broken-Tutu")),
        ("4.2_Broken", ("4.2", "Broken")),
        ("4.2.0.1-Broken", (None, "4.2.0.1-Broken")),
        ("4.2.0", (None, "4.2.0")),
        ("4-Broken", (None, "4-Broken")),
        ("ReadyArt/4.2.0-Broken-Tutu", (None, "ReadyArt/4.2.0-Broken-Tutu")),
    ],
)
def test_leading_version_stands_at_the_very_start(name, expected):
    parsed = parse(name)
    leading_version = parsed.extras[0] if parsed.extras else None
    assert (leading_version and leading_version.value, parsed.base_name) == expected
    assert leading_version in (None, Extra(expected[0], 0, "LEADING_VERSION"))


@pytest.mark.parametrize(
    ("name", "size", "base_name"),
    [
        ("Foo-7b", "7B", "Foo"),
        ("Foo-7b1", "7B1", "Foo"),
        ("Foo-7b12x", "7B1", "Foo-2x"),
        ("Foo-1.5B", "1.5B", "Foo"),
        ("Foo-7.B", "7.B", "Foo"),
        ("Foo-560m", "560M", "Foo"),
        ("Foo-200K", "200K", "Foo"),
        ("Foo-7Bx", None, "Foo-7Bx"),
        ("L3.1B", "1B", "L3"),
        ("Yi-34B-200K", "34B", "Yi-200K"),
        ("8x7B", "8X7B", "8x7B"),
        ("Foo-8x7B", "8X7B", "Foo"),
        ("Mixtral-8x22B-Instruct", "2B", "Mixtral-8x2"),
        ("Foo-A22B", "2B", "Foo-A2"),
        ("Foo-A3B", None, "Foo-A3B"),
        ("Foo_7B_Bar", "7B", "Foo_Bar"),
        ("\u0661\u0662B", "\u0661\u0662B", "\u0661\u0662B"),
        ("Foo-7\u212a", None, "Foo-7\u212a"),
    ],
)
def test_size(name, size, base_name):
    assert (parse(name).size, parse(name).base_name) == (size, base_name)


@pytest.mark.parametrize(
    ("name", "version", "base_name"),
    [
        ("Foo-v2", "v2", "Foo"),
        ("Foo-V2.5-Bar", "V2.5", "Foo-Bar"),
        ("Foo-v2.1.3", "v2.1.3", "Foo"),
        ("Foo-v2.1.3x", "v2.1", "Foo-.3x"),
        ("Foo-v2.1.34x", "v2.1", "Foo-.34x"),
        ("Foo-v2.", None, "Foo-v2"),
        ("Foo-v2x", None, "Foo-v2x"),
        ("Foo_v2", "v2", "Foo"),
        ("Foov2", None, "Foov2"),
        ("Foo-v1-v2.0", "v2.0", "Foo-v1"),
        ("Foo-v2.1.3b", None, "Foo-v2"),
    ],
)
def test_version(name, version, base_name):
    assert (parse(name).version, parse(name).base_name) == (version, base_name)


@pytest.mark.parametrize(
    ("name", "quant", "base_name"),
    [
        ("Foo-q4_k_m", "Q4_K_M", "Foo"),
        ("Foo-Q6_K", "Q6_K", "Foo"),
        ("Foo-Q5_1", "Q5_1", "Foo"),
        ("Foo.Q8", "Q8", "Foo"),
        ("Foo-gguf", "GGUF", "Foo"),
        ("Foo-EXL2", "EXL2", "Foo"),
        ("Foo-fp16", "FP16", "Foo"),
        ("Foo-int4", "INT4", "Foo"),
        ("Foo-Q4_0-Q8_0", "Q4_0", "Foo-Q8_0"),
        ("Foo-GGUF-Q4_K_M", "Q4_K_M", "Foo-GGUF"),
        ("Foo-Q4_K_XL", None, "Foo-Q4_K_XL"),
        ("Foo-IQ4_XS", None, "Foo-IQ4_XS"),
        ("Foo-FP8", None, "Foo-FP8"),
        ("Foo-Q9", None, "Foo-Q9"),
        ("Foo_Q4", None, "Foo_Q4"),
        ("Foo-éQ4", None, "Foo-éQ4"),
    ],
)
def test_quant(name, quant, base_name):
    assert (parse(name).quant, parse(name).base_name) == (quant, base_name)


@pytest.mark.parametrize(
    ("name", "variant", "base_name"),
    [
        ("Foo-Instruct", "Instruct", "Foo"),
        ("Foo-chat", "chat", "Foo"),
        ("Foo.FT", "FT", "Foo"),
        ("Foo-Thinking-Base", "Base", "Foo-Thinking"),
        ("Foo-latest-Reasoning", "Reasoning", "Foo-latest"),
        ("Foo-Base-Chat", "Base", "Foo-Chat"),
        ("Foo-preview", "preview", "Foo"),
        ("Foo_Instruct_v1", None, "Foo_Instruct"),
        ("Foo-Instruct2", None, "Foo-Instruct2"),
    ],
)
def test_variant(name, variant, base_name):
    assert (parse(name).variant, parse(name).base_name) == (variant, base_name)


@pytest.mark.parametrize(
    ("name", "value", "position", "base_name"),
    [
        ("c4ai-command-r-08-2024", "08-2024", 3, "c4ai-command-r"),
        ("Foo-2024-08", "2024-08", 1, "Foo"),
        ("Foo-2024-08-15", "2024-08", 1, "Foo-15"),
        ("Foo-2507-08-2024", "08-2024", 2, "Foo-2507"),
        ("Foo_2507", "2507", 1, "Foo"),
        ("Qwen3-30B-A3B-Instruct-2507", "2507", 2, "Qwen3-A3B"),
    ],
)
def test_date_and_its_position_in_the_shortened_text(name, value, position, base_name):
    assert parse(name).extras == (Extra(value, position, "DATE"),)
    assert parse(name).base_name == base_name


@pytest.mark.parametrize("name", ["Foo-12345", "Foo-250", "Foo2507", "Foo-2507a"])
def test_no_date_inside_longer_runs(name):
    assert parse(name) == ParsedName(name)


@pytest.mark.parametrize(
    ("name", "base_name"),
    [
        ("Foo-7B-v2-Bar", "Foo-Bar"),
        ("Foo__Bar  Baz..Qux", "Foo_Bar Baz.Qux"),
        ("-_ Foo-_-Bar. ", "Foo-_-Bar"),
        ("7B", "7B"),
        ("-", "-"),
        ("- 7B -", "- 7B -"),
        ("", ""),
        ("koboldcpp/Lumimaid-v0.2-8B", "koboldcpp/Lumimaid"),
    ],
)
def test_base_is_what_is_left(name, base_name):
    assert parse(name).base_name == base_name


def test_full_answer_for_a_name_with_everything():
    assert parse("4.2.0-Foo-24b-v0.2-Q4_K_M-Chat-2507").as_dict() == {
        "base_name": "Foo",
        "size": "24B",
        "variant": "Chat",
        "quant": "Q4_K_M",
        "version": "v0.2",
        "extras": [
            {"value": "4.2.0", "position": 0, "inferred_type": "LEADING_VERSION"},
            {"value": "2507", "position": 3, "inferred_type": "DATE"},
        ],
    }


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("1" * 10_000, ParsedName("1" * 10_000)),
        ("1" * 10_000 + "B", ParsedName("1" * 10_000 + "B", size="1" * 10_000 + "B")),
        ("1b" + "1" * 10_000 + "x", ParsedName("1x", size="1B" + "1" * 9_999)),
        ("1x" * 5_000, ParsedName("1x" * 5_000)),
        ("v" + "1." * 5_000, ParsedName("v" + "1." * 5_000, version="v" + "1." * 4_999 + "1")),
        ("-" * 10_000, ParsedName("-" * 10_000)),
        ("-_ ." * 2_500, ParsedName("-_ ." * 2_500)),
        ("a." * 5_000, ParsedName(("a." * 5_000)[:-1])),
        ("1-" * 5_000, ParsedName(("1-" * 5_000)[:-1])),
        ("e\u0301" * 5_000 + "-7B", ParsedName("e\u0301" * 5_000, size="7B")),
        ("\u05d0\u05d1-7B-\u202e\u05d2", ParsedName("\u05d0\u05d1-\u202e\u05d2", size="7B")),
        ("\ud800-7B", ParsedName("\ud800", size="7B")),
        ("\x00\n-7B", ParsedName("\x00\n", size="7B")),
    ],
)
def test_hostile_names(name, expected):
    assert parse(name) == expected


@settings(deadline=None)
@given(any_name)
@example(" ")
@example("v1.1.1.")
def test_any_text_parses_to_a_base_name(name):
    parsed = parse(name)
    assert bool(parsed.base_name) == bool(name)
    assert all(0 <= extra.position <= len(name) for extra in parsed.extras)


@settings(deadline=None)
@given(token_soup)
def test_the_first_allowed_digit_stands_for_every_start_of_a_size(text):
    plain_shapes = (r"\d+\.?\d*[BMKbmk]\d*", r"\d+[xX]\d+[BMKbmk]")
    assert len(plain_shapes) == len(SIZE_SHAPES)
    candidates = (re.search(rf"(?<![A-Za-z]){shape}(?![A-Za-z])", text) for shape in plain_shapes)
    match = next(filter(None, candidates), None)
    # A leading version is cut before the size is looked for.
    if not any(extra.inferred_type == "LEADING_VERSION" for extra in parse(text).extras):
        assert parse(text).size == (match and match[0].upper())


@pytest.mark.parametrize(
    ("name", "group"),
    [
        ("Llama-3-8B-Instruct-Q4_K_M", "Llama-3"),
        ("koboldcpp/sophosympatheia/StrawberryLemonade-L3-70B-v1.2", "StrawberryLemonade-L3"),
        ("aphrodite/ReadyArt/Broken-Tutu-24B", "Broken-Tutu"),
        ("ReadyArt/4.2.0-Broken-Tutu-24b", "Broken-Tutu"),
        ("c4ai-command-r-08-2024", "c4ai-command-r"),
        ("a/b/c-7B", "b/c"),
        ("koboldcpp/7B", "7B"),
        ("koboldcpp/Lumimaid-v0.2-8B", "Lumimaid"),
        ("acrastt/Marx-3B-V3", "Marx"),
        ("aetherwiing/MN-12B-Starcannon-v3", "MN-Starcannon"),
        ("anthracite-org/magnum-v3-27b-kto", "magnum-kto"),
        ("ai21labs/AI21-Jamba-1.5-Mini", "AI21-Jamba-1.5-Mini"),
        ("gpt2", "gpt2"),
        ("Aphrodite/Foo-7B", "Foo"),
        ("", ""),
        ("Org/", ""),
    ],
)
def test_group_name(name, group):
    assert group_name(name) == group


@settings(deadline=None)
@given(author=st.none() | st.from_regex(r"[A-Z][a-z]{1,8}", fullmatch=True), model=any_name)
def test_prefixed_names_share_the_group_of_their_base(author, model):
    model = model.replace("/", "")
    name = f"{author}/{model}" if author else model
    assert {group_name(variant) for variant in name_variants(name)} == {group_name(name)}


@pytest.mark.parametrize(
    ("name", "quantized"),
    [
        ("Foo-7B-Q4_K_M", True),
        ("Foo-7B-gptq", True),
        ("Foo-7B", False),
        ("Foo-7B-IQ4_XS", False),
        ("Foo-qat-q4_0-unquantized", False),
        ("Foo-Unquantized-Q4_0", False),
        ("Foo_UNQUANTIZED_x-Q4_0", False),
        ("unquantized/Foo-Q4_0", False),
        ("Foo-Unquantizedish-Q4_0", True),
        ("Foo-ununquantized-Q4_0", True),
        ("Foo-unquantized", False),
    ],
)
def test_quantized_unless_the_name_says_otherwise(name, quantized):
    assert is_quantized(name) is quantized


def test_every_quantization_token_can_be_cut():
    assert without_quants("Foo-Q4_0-Q8_0-Q4_K_M-gguf_x-fp16") == "Foo----gguf_x-"
