"""What would miss a model that is removed: its use, its group, and proposals that are under way."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from moderation.models import PendingChange
from references.analytics import category_stats
from references.categories import CATEGORIES, TEXT_CATEGORY
from references.documents import Snapshot
from references.downloads import size_on_disk
from references.horde import HordeError, usage_data
from references.pages.columns import columns
from references.popularity import ModelStats
from references.rows import Row
from references.text import related_models

MOST_MEMBERS = 30


@dataclass(frozen=True, slots=True)
class Figures:
    """The stored figures of a category, by model name."""

    models: dict[str, ModelStats]
    fetched_at: float


@dataclass(frozen=True, slots=True)
class Dependents:
    """`stats` is None where no figures are stored, `members` are the other models of its group."""

    stats: ModelStats | None
    fetched_at: float | None
    backend_names: Sequence[str]
    group: str
    members: Sequence[str]
    members_left_out: int


@dataclass(frozen=True, slots=True)
class Removal:
    """One of the models that are to be removed together."""

    name: str
    size: int | None
    stats: ModelStats | None
    open_changes: int


def figures_stored(held: Snapshot) -> Figures | None:
    """The figures that are there; nothing is waited for."""
    kind = CATEGORIES[held.category].usage
    if kind is None:
        return None
    try:
        usage_data(kind, wait=0)
        stats = category_stats(held, with_variations=True)
    except HordeError:
        return None
    names = (row.name for row in held.rows)
    return Figures(dict(zip(names, stats.models, strict=True)), stats.fetched_at)


def dependents(held: Snapshot, row: Row) -> Dependents:
    figures = figures_stored(held)
    group, members = _group(held, row)
    return Dependents(
        stats=figures.models.get(row.name) if figures else None,
        fetched_at=figures.fetched_at if figures else None,
        backend_names=related_models(row.name) if held.category == TEXT_CATEGORY else (),
        group=group,
        members=members[:MOST_MEMBERS],
        members_left_out=max(0, len(members) - MOST_MEMBERS),
    )


def removals(held: Snapshot, names: Sequence[str]) -> list[Removal]:
    figures = figures_stored(held)
    waiting = PendingChange.objects.open().filter(category=held.category, model_name__in=names)
    open_counts = Counter(waiting.values_list("model_name", flat=True))
    return [
        Removal(
            name,
            size_on_disk(held.by_name[name].record),
            figures.models.get(name) if figures else None,
            open_counts[name],
        )
        for name in names
    ]


def _group(held: Snapshot, row: Row) -> tuple[str, list[str]]:
    """The group of a text model and the names of the others in it."""
    if held.category != TEXT_CATEGORY:
        return "", []
    known = columns(held.category)
    groups = dict(zip(known.names, known.groups, strict=True))
    group = groups.get(row.name, "")
    return group, sorted(name for name, other in groups.items() if other == group and name != row.name)
