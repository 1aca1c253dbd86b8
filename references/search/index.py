"""The index of a category: built once per revision, it answers every query until the next one.

What a query needs is computed when first asked for and kept: columns for good, masks and orderings in bounded memos.
"""

from array import array
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache, partial
from itertools import compress
from typing import Any

from references.search.columns import Columns, MakeColumn, Ordering
from references.search.filters import FILTERS, Condition, filter_mask
from references.search.values import PATH_SEPARATOR, RecordReader, SortKey, field_paths, sort_key, value_at

# At 100,000 records a mask takes about 100 kB and an ordering 400 kB.
_MASKS_KEPT = 64
_ORDERINGS_KEPT = 32


class SearchIndex:
    """The records of one category, ready to be searched; immutable, shared by threads.

    `records` are in stored order and as clients see them: defaults filled in, nulls left out. `fields` is the
    category's schema as a tree: `{name: None}` for a scalar or a list, `{name: {member: None}}` for an object
    whose members are known, `{name: {}}` for an object with open members. It decides which filters the
    category has and what it can be sorted by, so it names every field of the records as presented (for text
    models both `parameters` and `parameters_count`). `column` gives what a function makes of each record; it may
    know that by the key of the function from before.
    """

    def __init__(
        self,
        category: str,
        records: Sequence[Mapping[str, Any]],
        fields: Mapping[str, Any],
        *,
        column: MakeColumn | None = None,
    ) -> None:
        self.category = category
        self.records = records
        self.fields = fields
        paths = {PATH_SEPARATOR.join(path): (path, members) for path, members in field_paths(fields)}
        self.sortable = {name: path for name, (path, members) in paths.items() if members is None}
        self.objects = paths.keys() - self.sortable.keys()
        columns = Columns(column or (lambda key, compute: list(map(compute, map(RecordReader, records)))))
        self._mask = lru_cache(_MASKS_KEPT)(partial(filter_mask, columns))
        self._ordering = lru_cache(_ORDERINGS_KEPT)(columns.ordering)
        self.matches = lru_cache(_ORDERINGS_KEPT)(self._made_matches)

    def __len__(self) -> int:
        return len(self.records)

    def mask(self, conditions: Iterable[Condition]) -> int | None:
        """The records that meet all conditions, one byte each; None stands for all of them, 0 for none."""
        combined = None
        for name, value in conditions:
            known = FILTERS[name]
            if known.applies_to(self.category, self.fields):
                mask = self._mask(name, value)
                combined = mask if combined is None else combined & mask
            elif not known.passes_elsewhere:
                return 0
        return combined

    def ordering(self, sort_by: str | None, descending: bool) -> Ordering:
        path = self.sortable.get(sort_by)
        if path is None:
            return Ordering((), range(len(self)))
        return self._ordering(path, descending)

    def _made_matches(
        self, conditions: tuple[Condition, ...], sort_by: str | None, descending: bool
    ) -> Ordering:
        mask = self.mask(conditions)
        ordering = self.ordering(sort_by, descending)
        if mask is None:
            return ordering
        flags = mask.to_bytes(len(self), "little")
        return Ordering(
            *(array("I", compress(positions, map(flags.__getitem__, positions))) for positions in ordering)
        )

    def sort_key(self, sort_by: str, position: int) -> SortKey | None:
        return sort_key(value_at(self.records[position], self.sortable[sort_by]))
