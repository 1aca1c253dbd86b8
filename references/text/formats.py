"""Infers from a list of names how they are put together."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from .composing import DEFAULT_PART_ORDER, DEFAULT_SEPARATOR
from .names import ParsedName, parse, without_quants


@dataclass(frozen=True, slots=True)
class NameFormat:
    """The defaults describe a list without names."""

    separator: str = DEFAULT_SEPARATOR
    part_order: tuple[str, ...] = DEFAULT_PART_ORDER
    author_included: bool = False
    common_author: str | None = None
    template: str = "{base}-{size}"
    extra_parts: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        return {
            "separator": self.separator,
            "part_order": list(self.part_order),
            "author_included": self.author_included,
            "common_author": self.common_author,
            "template": self.template,
            "extra_parts": list(self.extra_parts),
        }


def infer_format(names: Iterable[str]) -> NameFormat:
    """The format of names taken as given: a backend prefix counts as an author."""
    authors: set[str] = set()
    bare_names: list[str] = []
    for name in names:
        author, slash, rest = name.partition("/")
        if slash:
            authors.add(author)
        bare_names.append(rest if slash else name)
    if not bare_names:
        return NameFormat()

    separator = _separator(bare_names)
    part_order = _part_order(max(bare_names, key=_richness))
    template = separator.join(f"{{{part}}}" for part in part_order)
    return NameFormat(
        separator=separator,
        part_order=part_order,
        author_included=bool(authors),
        common_author=next(iter(authors)) if len(authors) == 1 else None,
        template="{author}/" + template if authors else template,
        extra_parts=tuple(
            dict.fromkeys(extra.inferred_type for n in bare_names for extra in parse(n).extras)
        ),
    )


def _separator(bare_names: Iterable[str]) -> str:
    # Quantization marks hold underscores of their own, whatever the name is joined with.
    text = "/".join(map(without_quants, bare_names))
    return "_" if text.count("_") > text.count("-") else DEFAULT_SEPARATOR


def _parts(parsed: ParsedName) -> dict[str, str | None]:
    return {
        "base": parsed.base_name,
        "size": parsed.size,
        "variant": parsed.variant,
        "version": parsed.version,
        "quant": parsed.quant,
        **{f"extra:{extra.inferred_type}": extra.value for extra in parsed.extras},
    }


def _richness(bare_name: str) -> int:
    return sum(value is not None for value in _parts(parse(bare_name)).values())


def _part_order(bare_name: str) -> tuple[str, ...]:
    """The parts as they stand in the name. A base glued from two pieces is not found there, so it is out."""
    haystack = bare_name.lower()
    places = {
        part: haystack.find(value.lower())
        for part, value in _parts(parse(bare_name)).items()
        if value is not None
    }
    return tuple(sorted((part for part in places if places[part] >= 0), key=places.__getitem__))
