"""The properties that a list of models can be narrowed down by, and what each record has of them. Pure."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import NamedTuple

from references.downloads import Record, size_on_disk
from references.pages.buckets import PARAMETER_LABELS, SIZE_LABELS, parameters_label, range_words, size_label
from references.pages.labels import baseline_label
from references.pages.values import hosts, is_true, lacks_hash, pairs, parameters, text, texts

Values = tuple[str, ...]

SAFE, NSFW = "no", "yes"
_RATINGS = {SAFE: "Safe for work", NSFW: "NSFW"}


class Trait(NamedTuple):
    """Something a record has or has not."""

    label: str
    test: Callable[[Record], bool]


TRAITS = {
    "pictures": Trait("Pictures", lambda record: bool(texts(record, "showcases"))),
    "inpainting": Trait("Inpainting", lambda record: is_true(record, "inpainting")),
    "trigger": Trait("Trigger words", lambda record: bool(texts(record, "trigger"))),
    "requirements": Trait("Requirements", lambda record: bool(pairs(record, "requirements"))),
    "settings": Trait("Settings", lambda record: bool(pairs(record, "settings"))),
    "no-description": Trait("No description", lambda record: not text(record, "description")),
    "no-checksum": Trait("No checksum", lacks_hash),
}


@dataclass(frozen=True, slots=True)
class Facet:
    """One property. `name` is what it is called in a query string.

    Of several chosen values a record needs any, or all where `needs_all`. `order` fixes the order of values
    that have one; others go by how many records have them. `condition` is the filter of the search index that
    means the same, where there is one.
    """

    name: str
    label: str
    values_of: Callable[[Record], Values]
    label_of: Callable[[str], str] = str
    order: Values = ()
    needs_all: bool = False
    condition: Callable[[str], tuple[str, Hashable]] | None = None


def _single(field: str) -> Callable[[Record], Values]:
    def values_of(record: Record) -> Values:
        value = text(record, field)
        return (value,) if value else ()

    return values_of


def _rating(record: Record) -> Values:
    nsfw = record.get("nsfw")
    return ((NSFW if nsfw else SAFE),) if isinstance(nsfw, bool) else ()


def _parameters(record: Record) -> Values:
    label = parameters_label(parameters(record))
    return (label,) if label else ()


def _size(record: Record) -> Values:
    label = size_label(size_on_disk(record))
    return (label,) if label else ()


FACETS: dict[str, Facet] = {
    facet.name: facet
    for facet in (
        Facet("parameters", "Parameters", _parameters, range_words, order=PARAMETER_LABELS),
        Facet("baseline", "Baseline", _single("baseline"), baseline_label),
        Facet("style", "Style", _single("style")),
        Facet("controlnet_style", "Reads", _single("controlnet_style")),
        Facet(
            "nsfw",
            "Rating",
            _rating,
            lambda value: _RATINGS.get(value, value),
            order=(SAFE, NSFW),
            condition=lambda value: ("nsfw", value == NSFW),
        ),
        Facet("size", "Size on disk", _size, order=SIZE_LABELS),
        Facet("format", "Prompt format", _single("instruct_format")),
        Facet(
            "tag",
            "Tags",
            lambda record: tuple(dict.fromkeys(texts(record, "tags"))),
            needs_all=True,
            condition=lambda value: ("tags_all", (value,)),
        ),
        Facet(
            "with",
            "With",
            lambda record: tuple(name for name, trait in TRAITS.items() if trait.test(record)),
            lambda value: TRAITS[value].label if value in TRAITS else value,
            order=tuple(TRAITS),
            needs_all=True,
        ),
        Facet("host", "File host", lambda record: tuple(hosts(record))),
    )
}
