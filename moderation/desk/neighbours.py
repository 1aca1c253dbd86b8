"""The changes before and after one, in the list that it was opened from."""

from collections.abc import Mapping
from dataclasses import dataclass

from moderation.actors import Actor
from moderation.desk.filters import QueueQuery
from moderation.desk.marks import OpenChange


@dataclass(frozen=True, slots=True)
class Neighbours:
    """`place` counts from one; None where the change itself is not, or no longer, in the list."""

    previous: int | None
    next: int | None
    place: int | None
    total: int


def neighbours(
    asked: QueueQuery, actor: Actor, marked: Mapping[int, OpenChange], change_id: int
) -> Neighbours:
    found = asked.narrowed(asked.shown(marked, actor)).order_by()
    smaller, larger = found.filter(change_id__lt=change_id), found.filter(change_id__gt=change_id)
    below = smaller.order_by("-change_id").values_list("change_id", flat=True).first()
    above = larger.order_by("change_id").values_list("change_id", flat=True).first()
    count_below, count_above = smaller.count(), larger.count()
    is_in_list = found.filter(change_id=change_id).exists()
    before = count_below if asked.is_oldest_first else count_above
    return Neighbours(
        previous=below if asked.is_oldest_first else above,
        next=above if asked.is_oldest_first else below,
        place=before + 1 if is_in_list else None,
        total=count_below + count_above + is_in_list,
    )
