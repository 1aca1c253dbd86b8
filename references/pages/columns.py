"""A category turned into columns that pages search, count and sort by; made once per revision.

A selection of records is a number with one byte a record, 1 where the record is in: as in the search index,
whose filters and orderings are used wherever they do.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import chain, compress
from typing import Any

from references.documents import Snapshot, snapshot
from references.downloads import Record, size_on_disk
from references.pages.facets import FACETS, Facet, Values
from references.pages.terms import Term, amount_parse, terms_parse
from references.pages.values import hosts, model_files, parameters, text, texts

# At 100,000 records a mask takes about 100 kB.
_MASKS_KEPT = 64
# Hexadecimal digits in a row that can hardly be a word.
_HASH_PART = re.compile(r"[0-9a-f]{10,64}\Z")

TEXT_FIELDS: dict[str, Callable[[Record], str]] = {
    "name": lambda record: text(record, "name"),
    "description": lambda record: text(record, "description"),
    "tag": lambda record: "\n".join(texts(record, "tags")),
    "baseline": lambda record: text(record, "baseline"),
    "style": lambda record: text(record, "style"),
    "trigger": lambda record: "\n".join(texts(record, "trigger")),
    "group": lambda record: text(record, "text_model_group"),
    "file": lambda record: "\n".join(file.name for file in model_files(record)),
    "host": lambda record: "\n".join(hosts(record)),
    "hash": lambda record: "\n".join(file.sha256 for file in model_files(record)),
}
NUMBER_FIELDS: dict[str, Callable[[Record], float | None]] = {"size": size_on_disk, "parameters": parameters}
SEARCH_FIELDS = frozenset({*TEXT_FIELDS, *NUMBER_FIELDS})
# Fields that are looked up by their whole text.
_WHOLE = frozenset({"group"})
_ANYWHERE = ("name", "description", "tag", "trigger")


@dataclass(frozen=True, slots=True)
class Selection:
    """What was asked for: the text of the search box, and the chosen values of each facet."""

    query: str = ""
    chosen: Mapping[str, Values] = field(default_factory=dict)


class Columns:
    def __init__(self, held: Snapshot) -> None:
        self.snapshot = held
        self.index = held.index
        self.records: Sequence[Record] = held.index.records
        self._lowered: dict[str, list[str]] = {}
        self._facet_mask = lru_cache(_MASKS_KEPT)(self._made_facet_mask)
        self._term_mask = lru_cache(_MASKS_KEPT)(self._made_term_mask)

    def __len__(self) -> int:
        return len(self.records)

    @cached_property
    def names(self) -> list[str]:
        """The names that records are found by; an imported record may hold another one."""
        return [row.name for row in self.snapshot.rows]

    @cached_property
    def _other_names(self) -> dict[int, str]:
        """By position, the names that records are found by, in lower case, where these hold another one."""
        lowered = [name.lower() for name in self.names]
        pairs = enumerate(zip(lowered, self.lowered("name"), strict=True))
        return {position: name for position, (name, told) in pairs if name != told}

    @cached_property
    def sizes(self) -> list[float | None]:
        """The size on disk of each record, in bytes."""
        return self._told["size"]

    def values(self, facet_name: str) -> list[Values]:
        return self._told[f"facet {facet_name}"]

    def lowered(self, field_name: str) -> list[str]:
        """The texts of a field, in lower case."""
        if field_name not in self._lowered:
            # A word is looked for in all of these, and to read the records costs more than to keep their texts.
            names = _ANYWHERE if field_name in _ANYWHERE else (field_name,)
            self._lowered |= self._read({name: _lowered_by(name) for name in names})
        return self._lowered[field_name]

    @cached_property
    def groups(self) -> list[str]:
        """The stored group of each text model; one without has its name for itself."""
        return [group or name for group, name in zip(self._told["group"], self.names, strict=True)]

    @cached_property
    def group_sizes(self) -> Counter[str]:
        return Counter(self.groups)

    @cached_property
    def everything(self) -> int:
        return int.from_bytes(b"\1" * len(self), "little")

    @cached_property
    def facets(self) -> list[Facet]:
        """The facets that tell some records of the category from others."""
        return [facet for facet in FACETS.values() if len(set(self.values(facet.name))) > 1]

    @cached_property
    def by_name(self) -> list[int]:
        """All positions in the order of names, upper and lower case alike."""
        keys = [(name.casefold(), name) for name in self.names]
        return sorted(range(len(self)), key=keys.__getitem__)

    def mask(self, selection: Selection, *, without: str = "") -> int:
        """The records that fit the selection; `without` leaves the choices of one facet out of it."""
        mask = self.everything
        for term in terms_parse(selection.query, SEARCH_FIELDS):
            mask &= self._term_mask(term)
        for name, values in selection.chosen.items():
            if values and name != without:
                mask &= self._chosen_mask(FACETS[name], values)
        return mask

    def counts(self, selection: Selection, facet: Facet) -> Counter[str]:
        """How many records each value of the facet would leave, were it chosen."""
        flags = self.flags(self.open_to(selection, facet))
        return Counter(chain.from_iterable(compress(self.values(facet.name), flags)))

    def open_to(self, selection: Selection, facet: Facet) -> int:
        """The records that fit the selection, or would with another choice of the facet's values."""
        return self.mask(selection, without="" if facet.needs_all else facet.name)

    def flags(self, mask: int) -> bytes:
        return mask.to_bytes(len(self), "little")

    def _chosen_mask(self, facet: Facet, values: Values) -> int:
        masks = [self._facet_mask(facet.name, value) for value in values]
        combined = masks[0]
        for mask in masks[1:]:
            combined = combined & mask if facet.needs_all else combined | mask
        return combined

    def _made_facet_mask(self, name: str, value: str) -> int:
        facet = FACETS[name]
        if facet.condition and (mask := self.index.mask([facet.condition(value)])) is not None:
            return mask
        return _as_mask(value in values for values in self.values(name))

    def _made_term_mask(self, term: Term) -> int:
        if term.field in NUMBER_FIELDS and (amount := amount_parse(term.value)):
            numbers = self._told[term.field]
            return _as_mask(number is not None and amount.holds(number) for number in numbers)
        if term.field in TEXT_FIELDS:
            return self._text_mask(term.field, term.value)
        fields = (*_ANYWHERE, "hash") if _HASH_PART.match(term.value) else _ANYWHERE
        combined = 0
        for field_name in () if term.field else fields:
            combined |= self._text_mask(field_name, term.value)
        return combined

    def _text_mask(self, field_name: str, value: str) -> int:
        if field_name == "name":
            mask = self.index.mask([("name_contains", value)]) or 0
            for position, name in self._other_names.items():
                mask |= (value in name) << (8 * position)
            return mask
        if field_name in _WHOLE:
            return _as_mask(value == lowered for lowered in self.lowered(field_name))
        return _as_mask(value in lowered for lowered in self.lowered(field_name))

    @cached_property
    def _told(self) -> dict[str, list[Any]]:
        """What every list asks of the records."""
        facets = {f"facet {facet.name}": facet.values_of for facet in FACETS.values()}
        return self._read({**facets, **NUMBER_FIELDS, "group": TEXT_FIELDS["group"]})

    def _read(self, functions: Mapping[str, Callable[[Record], Any]]) -> dict[str, list[Any]]:
        """A column of what each function makes of the records, which are gone through once.

        Most values occur many times, and are held once.
        """
        columns: dict[str, list[Any]] = {name: [] for name in functions}
        held: dict[Any, Any] = {}
        pairs = [(columns[name].append, function) for name, function in functions.items()]
        for record in self.records:
            for keep, function in pairs:
                value = function(record)
                keep(held.setdefault(value, value))
        return columns


def _lowered_by(field_name: str) -> Callable[[Record], str]:
    return lambda record: TEXT_FIELDS[field_name](record).lower()


def _as_mask(verdicts: Iterable[bool]) -> int:
    return int.from_bytes(bytes(verdicts), "little")


_held: dict[str, Columns] = {}


def columns(category: str) -> Columns:
    """The columns of the category as it is now."""
    held = snapshot(category)
    known = _held.get(category)
    if known is None or known.snapshot is not held:
        known = _held[category] = Columns(held)
    return known
