"""The models of a list: which ones, in which order, and what is shown of each."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress

from references.categories import TEXT_CATEGORY
from references.downloads import Record, size_on_disk
from references.pages.columns import Columns
from references.pages.list_query import ListQuery
from references.pages.panels import Badge
from references.pages.pictures import first_picture
from references.pages.values import is_true, metadata_time, parameters, text, texts
from references.popularity import ModelStats

# What the search index can order by, named by the page's name for it.
INDEX_SORTS = {
    "size": "size_on_disk_bytes",
    "parameters": "parameters",
    "updated": "metadata__updated_at",
}
# A few groups have dozens; the table of the group shows them all.
MOST_VARIANTS = 8
USAGE_SORTS = {
    "workers": lambda stats: stats.worker_count,
    "month": lambda stats: stats.usage.month,
}


@dataclass(frozen=True, slots=True)
class ModelRow:
    """One model as lists show it; `month` is its requests in the last month, None where that is not known."""

    name: str
    short_name: str
    author: str
    description: str
    baseline: str
    style: str
    tags: Sequence[str]
    is_nsfw: bool
    is_inpainting: bool
    size: float | None
    parameters: float | None
    updated_at: float | None
    picture: str
    has_pictures: bool
    workers: int | None = None
    month: int | None = None
    badges: Sequence[Badge] = ()


@dataclass(frozen=True, slots=True)
class ModelGroup:
    """The variants of one text model that fit the query; `size` counts those that do not, too."""

    name: str
    size: int
    rows: Sequence[ModelRow]

    @property
    def shown(self) -> Sequence[ModelRow]:
        return self.rows[:MOST_VARIANTS]

    @property
    def left_out(self) -> int:
        return len(self.rows) - len(self.shown)

    @property
    def smallest(self) -> float | None:
        return min((row.parameters for row in self.rows if row.parameters), default=None)

    @property
    def largest(self) -> float | None:
        return max((row.parameters for row in self.rows if row.parameters), default=None)

    @property
    def workers(self) -> int | None:
        return _sum(row.workers for row in self.rows)

    @property
    def month(self) -> int | None:
        return _sum(row.month for row in self.rows)


def _sum(numbers: Iterable[int | None]) -> int | None:
    known = [number for number in numbers if number is not None]
    return sum(known) if known else None


def sort_fields(known: Columns, stats: Sequence[ModelStats] | None) -> frozenset[str]:
    """What the category can be ordered by now."""
    by_index = {name for name, path in INDEX_SORTS.items() if path in known.index.sortable}
    # Sizes are declared for every category, but only some tell them.
    if not any(known.sizes):
        by_index.discard("size")
    return frozenset({"name", "order", *by_index, *(USAGE_SORTS if stats else ())})


def matching(known: Columns, query: ListQuery, stats: Sequence[ModelStats] | None) -> list[int]:
    """The positions of all records that fit, in order."""
    flags = known.flags(known.mask(query.selection))
    ordered = _ordered(known, query, stats)
    return list(compress(ordered, map(flags.__getitem__, ordered)))


def _ordered(known: Columns, query: ListQuery, stats: Sequence[ModelStats] | None) -> Sequence[int]:
    wanted, descending = query.sort_field, query.is_descending
    if wanted == "order":
        return range(len(known))[:: -1 if descending else 1]
    if stats and wanted in USAGE_SORTS:
        figure = USAGE_SORTS[wanted]
        return sorted(known.by_name, key=lambda position: figure(stats[position]), reverse=descending)
    if wanted in INDEX_SORTS:
        ordering = known.index.ordering(INDEX_SORTS[wanted], descending)
        return [*ordering.valued, *ordering.valueless]
    return known.by_name[:: -1 if descending else 1]


def rows_of(known: Columns, positions: Sequence[int], stats: Sequence[ModelStats] | None) -> list[ModelRow]:
    # Elsewhere a slash is part of the name, as in ViT-L/14.
    has_authors = known.index.category == TEXT_CATEGORY
    return [
        _row(known.names[position], known.records[position], stats[position] if stats else None, has_authors)
        for position in positions
    ]


def _row(name: str, record: Record, stats: ModelStats | None, has_authors: bool) -> ModelRow:
    author, _, short_name = name.rpartition("/") if has_authors else ("", "", name)
    is_nsfw = is_true(record, "nsfw")
    return ModelRow(
        name=name,
        short_name=short_name,
        author=author,
        description=text(record, "description"),
        baseline=text(record, "baseline"),
        style=text(record, "style"),
        tags=texts(record, "tags"),
        is_nsfw=is_nsfw,
        is_inpainting=is_true(record, "inpainting"),
        size=size_on_disk(record),
        parameters=parameters(record),
        updated_at=metadata_time(record, "updated_at"),
        picture="" if is_nsfw else first_picture(record),
        has_pictures=bool(texts(record, "showcases")),
        workers=stats.worker_count if stats else None,
        month=stats.usage.month if stats else None,
    )


def grouped(known: Columns, positions: Sequence[int]) -> dict[str, list[int]]:
    """The positions by group, each group where its first member stands."""
    groups: dict[str, list[int]] = {}
    for position in positions:
        groups.setdefault(known.groups[position], []).append(position)
    return groups


def groups_sorted(
    known: Columns, groups: Mapping[str, list[int]], query: ListQuery, stats: Sequence[ModelStats] | None
) -> list[str]:
    """Group names by the group's own figure where it has one, else in the order of first members."""
    if query.sort_field == "name":
        labels = {name: _group_label(known, name, groups[name]) for name in groups}
        return sorted(groups, key=lambda name: (labels[name].casefold(), name), reverse=query.is_descending)
    if stats and query.sort_field in USAGE_SORTS:
        figure = USAGE_SORTS[query.sort_field]
        sums = {name: sum(figure(stats[position]) for position in groups[name]) for name in groups}
        return sorted(groups, key=sums.__getitem__, reverse=query.is_descending)
    return list(groups)


def _group_label(known: Columns, group: str, positions: Sequence[int]) -> str:
    """What a list shows for a group: its name, or that of its model where there is but one."""
    return group if known.group_sizes[group] > 1 else known.names[positions[0]].rpartition("/")[2]
