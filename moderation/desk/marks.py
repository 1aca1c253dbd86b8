"""What every open change is marked with: critical, stale, competing.

Whether a change is critical or stale follows from its payload, which never changes, and from the live record,
which is known by the revision of its last write. So both are kept in the cache beside that revision, and are
computed for those changes only that are new or whose record moved.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from django.core.cache import cache
from django.db.models import OuterRef, Subquery

from moderation.conflicts import digest
from moderation.diffs import CRITICAL_FIELDS
from moderation.live import Live, ModelKey, live_form
from moderation.models import PendingChange
from moderation.problems import PendingChangePayloadError
from moderation.review import proposed_record
from moderation.telling import tells_critical
from moderation.verdicts import verdict
from references.models import ModelRecord

_KEPT = "desk:marks"
_KEPT_SECONDS = 24 * 3600


@dataclass(frozen=True, slots=True)
class OpenChange:
    """A change that is pending or approved, with its marks."""

    change_id: int
    status: str
    requested_by: str
    key: ModelKey
    is_critical: bool
    is_stale: bool
    is_competing: bool


@dataclass(frozen=True, slots=True)
class _Marks:
    """`revision` is that of the live record's last write; None where there is no record."""

    revision: int | None
    is_critical: bool
    is_stale: bool


def open_changes() -> dict[int, OpenChange]:
    """All open changes by id, in one read; further two for those whose marks are not known."""
    live = ModelRecord.objects.filter(category=OuterRef("category"), name=OuterRef("model_name"))
    rows = list(
        PendingChange.objects.open()
        .order_by("change_id")
        .annotate(revision=Subquery(live.values("revision")[:1]))
        .values_list("change_id", "status", "requested_by", "category", "model_name", "revision")
    )
    marks = _marks({row[0]: row[5] for row in rows})
    rivals = Counter((category, name) for *_, category, name, _ in rows)
    return {
        change_id: OpenChange(
            change_id,
            status,
            requested_by,
            (category, name),
            is_critical=marks[change_id].is_critical,
            is_stale=marks[change_id].is_stale,
            is_competing=rivals[category, name] > 1,
        )
        for change_id, status, requested_by, category, name, _ in rows
        if change_id in marks
    }


def lives_of(changes: Iterable[PendingChange]) -> dict[ModelKey, Live]:
    """The live records of these changes, of whatever categories, in one read."""
    keys = {(change.category, change.model_name) for change in changes}
    stored = ModelRecord.objects.filter(
        category__in={category for category, _ in keys}, name__in={name for _, name in keys}
    )
    found = {(each.category_id, each.name): each for each in stored.iterator()}
    return {key: Live(found[key].as_dict(), found[key].legacy_as_dict()) for key in keys if key in found}


def _marks(revisions: Mapping[int, int | None]) -> dict[int, _Marks]:
    kept: dict[int, _Marks] = cache.get(_KEPT, {})
    known = {
        change_id: kept[change_id]
        for change_id, revision in revisions.items()
        if change_id in kept and kept[change_id].revision == revision
    }
    missing = [change_id for change_id in revisions if change_id not in known]
    if missing:
        known.update(_marks_computed(missing, revisions))
    if missing or len(known) < len(kept):
        cache.set(_KEPT, known, _KEPT_SECONDS)
    return known


def _marks_computed(ids: list[int], revisions: Mapping[int, int | None]) -> Iterator[tuple[int, _Marks]]:
    changes = list(PendingChange.objects.open().with_ids(ids).defer("live_before", "live_after"))
    lives = lives_of(changes)
    for change in changes:
        live = lives.get((change.category, change.model_name))
        yield (
            change.change_id,
            _Marks(revisions[change.change_id], touches_critical(change, live), is_outdated(change, live)),
        )


def is_outdated(change: PendingChange, live: Live | None) -> bool:
    if digest(live_form(change.domain, change.category, live)) == change.base_digest:
        # So it is with most of them, and then there is no need to look at the payload.
        return False
    try:
        return verdict(change, live, at=change.requested_at).staleness is not None
    except PendingChangePayloadError:
        return False


def touches_critical(change: PendingChange, live: Live | None) -> bool:
    """Whether the change has a difference of consequence that says something."""
    if change.category not in CRITICAL_FIELDS:
        return False
    current = live_form(change.domain, change.category, live)
    return tells_critical(change.category, current, proposed_record(change, live))
