"""How far a REPLICA is behind, as last noted; told without asking anybody."""

import time
from dataclasses import dataclass

from references.categories import CATEGORIES
from references.following.services import STRUCTURE
from references.following_models import FollowedPart, PrimaryLink
from references.models import Category


@dataclass(frozen=True, slots=True)
class PartState:
    """A category, or the text structure. `lag` is how long ago, in seconds, it was last known to be current.

    `revision` is the PRIMARY's at that time. Both are None where that is not known; `models` is None for the
    text structure.
    """

    name: str
    source: str
    models: int | None
    revision: int | None
    lag: float | None
    failures: int
    last_error: str


@dataclass(frozen=True, slots=True)
class FollowState:
    """`primary` is its address without credentials; `lag` that of the category furthest behind."""

    primary: str
    failures: int
    last_error: str
    parts: list[PartState]

    @property
    def lag(self) -> float | None:
        lags = [part.lag for part in self.parts if part.models is not None]
        return None if None in lags else max(lags)


def follow_state(*, at: float | None = None) -> FollowState:
    now = time.time() if at is None else at
    link = PrimaryLink.objects.first() or PrimaryLink()
    parts = FollowedPart.objects.in_bulk()
    counts = dict(Category.objects.with_model_count().values_list("name", "model_count"))
    names = [*CATEGORIES, STRUCTURE]
    states = [
        _part_state(parts.get(name) or FollowedPart(name=name), counts.get(name), now) for name in names
    ]
    return FollowState(link.primary, link.failures, link.last_error, states)


def _part_state(part: FollowedPart, models: int | None, now: float) -> PartState:
    lag = None if part.confirmed_at is None else max(0.0, now - part.confirmed_at)
    return PartState(part.name, part.source, models, part.revision, lag, part.failures, part.last_error)
