"""Reads a text model's name: its size, version, quantization, variant, dates, and the base that is left.

The grammar is the table of shapes below. Each step takes at most one token, cuts it out, and hands the
shortened text to the next step; `parse` is those steps in order.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from .backends import split_backend

# Names arrive from anybody, so no shape may backtrack further than one token: runs are possessive (`++`)
# wherever giving characters back could not lead to a match. `\d` is any Unicode decimal digit; letters are
# ASCII, hence `(?ai:` rather than a flag, which would let lookalikes such as the Kelvin sign through.

# A size may start at any digit that has no letter before it. Every start in one run of digits ends the same
# way, so trying the first allowed digit is enough, and keeps long runs linear.
_SIZE_START = r"(?:(?<![A-Za-z\d])|(?<=[A-Za-z]\d))"
_NO_LETTER_AFTER = "(?![A-Za-z])"
_NO_ALNUM_BEFORE = r"(?<![A-Za-z\d])"
_NO_ALNUM_AFTER = r"(?![A-Za-z\d])"
_WORD_EDGE = r"\b"

LEADING_VERSION_SHAPES = (r"\A(\d++\.\d++(?:\.\d++)?+)[_-]",)

SIZE_SHAPES = (
    r"\d++(?:\.\d*+)?+[BbMmKk]\d*",
    r"\d++[Xx]\d++[BbMmKk]",
)

VERSION_SHAPES = (
    rf"[Vv]\d++(?:\.\d++)+{_NO_ALNUM_AFTER}",
    r"[Vv]\d++(?![A-Za-z\d.])",
)

QUANT_SHAPES = (
    "(?ai:Q[2-8]_K(?:_[SMLH])?)",
    "(?ai:Q[2-8]_[01])",
    "(?ai:Q[2-8])",
    "(?ai:GGUF|GGML|GPTQ|AWQ|EXL2)",
    "(?ai:fp16|fp32|int8|int4)",
)

VARIANT_SHAPES = (
    "(?ai:Instruct|Chat|Code|Base|Uncensored|Finetune|FT)",
    "(?ai:Thinking|Reasoning)",
    "(?ai:turbo|preview|latest)",
)

DATE_SHAPES = (
    r"\d{2}-\d{4}",
    r"\d{4}-\d{2}",
    r"\d{4}",
)


def _compiled(shapes: Iterable[str], *, left: str = "", right: str = "") -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(f"{left}{shape}{right}") for shape in shapes)


_LEADING_VERSION = _compiled(LEADING_VERSION_SHAPES)
_SIZE = _compiled(SIZE_SHAPES, left=_SIZE_START, right=_NO_LETTER_AFTER)
_VERSION = _compiled(VERSION_SHAPES, left=_NO_ALNUM_BEFORE)
_QUANT = _compiled(QUANT_SHAPES, left=_WORD_EDGE, right=_WORD_EDGE)
_VARIANT = _compiled(VARIANT_SHAPES, left=_WORD_EDGE, right=_WORD_EDGE)
_DATE = _compiled(DATE_SHAPES, left=_NO_ALNUM_BEFORE, right=_NO_ALNUM_AFTER)

_ANY_QUANT = re.compile(rf"{_WORD_EDGE}(?:{'|'.join(QUANT_SHAPES)}){_WORD_EDGE}")
_UNQUANTIZED = re.compile(r"(?<![^\W_])(?ai:unquantized)(?![^\W_])")

SEPARATORS = "-_ ."
_SEPARATOR_RUN = re.compile(r"([-_ .])\1+")

LEADING_VERSION = "LEADING_VERSION"
DATE = "DATE"

_CACHED_NAMES = 16384
# Longer names are no real ones; parsing them again is cheaper than letting strangers fill the memory.
_LONGEST_CACHED_NAME = 200


@dataclass(frozen=True, slots=True)
class Extra:
    """A token outside the five parts. `position` counts the separators before it (see `_extras`)."""

    value: str
    position: int
    inferred_type: str

    def as_dict(self) -> dict[str, Any]:
        return {"value": self.value, "position": self.position, "inferred_type": self.inferred_type}


@dataclass(frozen=True, slots=True)
class ParsedName:
    base_name: str
    size: str | None = None
    variant: str | None = None
    quant: str | None = None
    version: str | None = None
    extras: tuple[Extra, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        return {
            "base_name": self.base_name,
            "size": self.size,
            "variant": self.variant,
            "quant": self.quant,
            "version": self.version,
            "extras": [extra.as_dict() for extra in self.extras],
        }


def parse(name: str) -> ParsedName:
    """The parts of any string. Backend and author prefixes are not removed: they stay in `base_name`."""
    return _parse_cached(name) if len(name) <= _LONGEST_CACHED_NAME else _parse(name)


def group_name(name: str) -> str:
    """The base name without backend and author: what siblings of different sizes have in common."""
    _, name = split_backend(name)
    _, slash, without_author = name.partition("/")
    return parse(without_author if slash else name).base_name


def is_quantized(name: str) -> bool:
    """Whether the name tells of quantized weights; one that says `unquantized` never does."""
    return parse(name).quant is not None and not _UNQUANTIZED.search(name)


def without_quants(name: str) -> str:
    """The name with every quantization token cut out, not only the first."""
    return _ANY_QUANT.sub("", name)


def _parse(name: str) -> ParsedName:
    leading_version, rest = _cut(_LEADING_VERSION, name)
    size, rest = _cut(_SIZE, rest)
    version, rest = _cut(_VERSION, rest)
    quant, rest = _cut(_QUANT, rest)
    variant, rest = _cut(_VARIANT, rest)
    date, rest = _cut(_DATE, rest)
    return ParsedName(
        base_name=_SEPARATOR_RUN.sub(r"\1", rest).strip(SEPARATORS) or name,
        size=size and size[0].upper(),
        variant=variant and variant[0],
        quant=quant and quant[0].upper(),
        version=version and version[0],
        extras=_extras(name, leading_version, date),
    )


_parse_cached = lru_cache(maxsize=_CACHED_NAMES)(_parse)


def _cut(shapes: Iterable[re.Pattern[str]], text: str) -> tuple[re.Match[str] | None, str]:
    """The leftmost match of the first shape that occurs at all, and the text without it."""
    for shape in shapes:
        if match := shape.search(text):
            return match, text[: match.start()] + text[match.end() :]
    return None, text


def _extras(
    name: str, leading_version: re.Match[str] | None, date: re.Match[str] | None
) -> tuple[Extra, ...]:
    extras = []
    if leading_version:
        extras.append(Extra(leading_version[1], 0, LEADING_VERSION))
    if date:
        # The index belongs to the shortened text, the separators to the full name. So the count is too low
        # once something before the date was cut; clients know the value like this.
        before = name[: date.start()]
        extras.append(Extra(date[0], sum(map(before.count, SEPARATORS)), DATE))
    return tuple(extras)
