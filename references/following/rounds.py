"""Rounds: in each, every part of the reference that is due is brought in step with the PRIMARY."""

import logging
import time
from collections.abc import Collection
from dataclasses import dataclass

from django.conf import settings
from django.db import (
    DatabaseError,
    DataError,
    IntegrityError,
    InterfaceError,
    OperationalError,
    close_old_connections,
)

from references.categories import CATEGORIES
from references.following.client import PrimaryBusy, PrimaryClient, PrimaryError, PrimaryUnreachable
from references.following.copies import Marks
from references.following.place import Place, PlaceLost, pause_after, poll_seconds
from references.following.reading import PrimaryReader
from references.following.services import (
    STRUCTURE,
    category_mirror,
    category_refill,
    part_confirm,
    part_fail,
    structure_mirror,
)
from references.following_models import FollowedPart, PrimaryLink
from references.legacy import SourceError
from references.models import Category
from references.pauses import jittered
from references.sources import github_read

logger = logging.getLogger(__name__)

# Naming schemas cost a request each and tell nothing beforehand of whether they changed.
STRUCTURE_SECONDS = 300.0
# The legacy repositories change a few times a month.
GITHUB_SECONDS = 600.0
# What the store says of data that it does not take, however often.
STORE_REFUSALS = (DataError, IntegrityError)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a round went. `unreachable` says why the PRIMARY could not be reached, None where it could."""

    failed: Collection[str]
    unreachable: str | None


def follow() -> None:
    """Follows the PRIMARY until the process is told to end."""
    while True:
        close_old_connections()
        time.sleep(_turn())


def follow_once(*, accepted: Collection[str] = ()) -> Outcome:
    """One round at once over everything; raises PlaceLost while another process follows."""
    place = Place()
    if not place.claim(forced=True):
        raise PlaceLost(
            "Another process is following the PRIMARY at this moment, such as the one that serve runs by itself: "
            "all is well, and there is nothing to do by hand."
        )
    return _round(place, accepted=accepted, is_whole=True)


def _turn() -> float:
    """A round, if it is due and nobody else makes it; seconds until it makes sense to look again."""
    try:
        place = Place()
        if place.claim():
            _round(place)
        due_at = PrimaryLink.objects.values_list("due_at", flat=True).first() or 0
    except PlaceLost:
        logger.warning("another process took over to follow the PRIMARY")
        return jittered(poll_seconds())
    except (OperationalError, InterfaceError) as error:
        logger.error("following the PRIMARY: the database failed: %s", error)
        return pause_after(1)
    return jittered(min(poll_seconds(), max(poll_seconds() / 10, due_at - time.time())))


def _round(place: Place, *, accepted: Collection[str] = (), is_whole: bool = False) -> Outcome:
    """One round of the process that has the place, which it leaves at the end."""
    round_ = Round(place, accepted=accepted)
    try:
        for part in _parts(is_whole=is_whole):
            place.keep()
            round_.follow(part)
    finally:
        round_.close()
        place.leave(error=round_.unreachable, answered=round_.has_answer)
    return Outcome(round_.failed, round_.unreachable)


def _parts(*, is_whole: bool) -> list[FollowedPart]:
    """What is due, in the order of the categories; what failed of late comes last, to hold nothing up."""
    names = [*CATEGORIES, STRUCTURE]
    known = FollowedPart.objects.in_bulk(names)
    now = time.time()
    parts = [known.get(name) or FollowedPart(name=name) for name in names]
    # A time further ahead than any pause was set by a wrong clock.
    due = [part for part in parts if is_whole or not now < part.retry_at < now + 2 * STRUCTURE_SECONDS]
    return sorted(due, key=lambda part: part.failures)


def _client(place: Place) -> PrimaryClient:
    root = f"{settings.PRIMARY_API_URL.rstrip('/')}/model_references"
    return PrimaryClient(root, timeout=settings.PRIMARY_API_TIMEOUT, before_call=place.renew)


class Round:
    """What the parts of one round share.

    `has_answer` tells whether the PRIMARY gave anything usable, `unreachable` why it gave nothing at all.
    """

    def __init__(self, place: Place, *, accepted: Collection[str]) -> None:
        self.has_answer = False
        self.unreachable: str | None = None
        self.failed: list[str] = []
        self._place = place
        self._is_broken = False
        self._is_github_reachable = True
        self._client = _client(place) if settings.PRIMARY_API_URL else None
        self._reader = PrimaryReader(self._client, accepted=accepted) if self._client else None

    def close(self) -> None:
        if self._client:
            self._client.close()

    def follow(self, part: FollowedPart) -> None:
        """Brings a part in step with the PRIMARY, or else fills it from GitHub if it may."""
        if not self._is_in_step(part) and (not self._may_refill(part) or not self._refill(part)):
            self.failed.append(part.name)

    def _is_in_step(self, part: FollowedPart) -> bool:
        if self._reader is None or self._is_broken:
            return False
        try:
            if part.name == STRUCTURE:
                self._follow_structure(part)
            else:
                self._follow_category(part)
        except PrimaryError as error:
            self._note(part, error)
            return False
        except STORE_REFUSALS as error:
            self.has_answer = True
            self._note_refusal(part, error)
            return False
        self.has_answer = True
        return True

    def _note(self, part: FollowedPart, error: PrimaryError) -> None:
        """Where the connection is at fault, or all there was of an answer, the round asks for nothing more."""
        is_first = isinstance(error, PrimaryBusy) and not self.has_answer
        self._is_broken = is_first or isinstance(error, PrimaryUnreachable)
        if is_first:
            self.unreachable = str(error)
            logger.warning("the PRIMARY cannot be reached: %s", error)
        else:
            logger.warning("%s is not in step with the PRIMARY: %s", part.name, error)
        part_fail(place=self._place, part=part, error=str(error), waits=not is_first)

    def _note_refusal(self, part: FollowedPart, error: DatabaseError) -> None:
        """What the store refuses of one part is no reason to leave the others behind."""
        reason = f"cannot be stored: {str(error).partition(chr(10))[0]}"
        logger.error("%s is not in step with the PRIMARY: it %s", part.name, reason)
        # What was noted of the part in between was undone with the rest.
        stored = FollowedPart.objects.filter(pk=part.pk).first() or FollowedPart(name=part.name)
        part_fail(place=self._place, part=stored, error=reason, waits=True)

    def _follow_category(self, part: FollowedPart) -> None:
        row = Category.objects.with_model_count().get(pk=part.name)
        # Whatever else wrote to the category, the marks are not of what is held now.
        is_ours = part.source == FollowedPart.Source.PRIMARY and part.local_revision == row.revision
        held = Marks(part.revision, part.last_updated, part.v2_tag, part.v1_tag) if is_ours else Marks()
        found = self._reader.category(
            part.name, held, held_count=row.model_count, fetched_at=part.fetched_at if is_ours else None
        )
        if isinstance(found, Marks):
            part_confirm(place=self._place, part=part, marks=found)
            return
        done = category_mirror(place=self._place, part=part, copy=found)
        if done.changed:
            logger.info(
                "%s follows the PRIMARY: %d models created, %d updated, %d removed",
                part.name,
                done.created,
                done.updated,
                done.removed,
            )

    def _follow_structure(self, part: FollowedPart) -> None:
        retry_at = time.time() + STRUCTURE_SECONDS
        copy = self._reader.structure()
        if copy is None:
            part_confirm(place=self._place, part=part, marks=Marks(), retry_at=retry_at)
        else:
            structure_mirror(place=self._place, part=part, copy=copy, retry_at=retry_at)

    def _may_refill(self, part: FollowedPart) -> bool:
        """Whether GitHub may serve: where nothing is held, or only what came from there before.

        What came from the PRIMARY is newer than the legacy repositories, and says more.
        """
        spec = CATEGORIES.get(part.name)
        if not settings.ENABLE_GITHUB_FALLBACK or not self._is_github_reachable or not (spec and spec.source):
            return False
        if part.source == FollowedPart.Source.GITHUB:
            return abs(time.time() - part.fetched_at) > GITHUB_SECONDS
        return not part.source and Category.objects.filter(pk=part.name, revision=0).exists()

    def _refill(self, part: FollowedPart) -> bool:
        try:
            [source] = github_read([part.name])
        except SourceError as error:
            logger.warning("%s cannot be filled from GitHub: %s", part.name, error)
            self._is_github_reachable = False
            return False
        try:
            done = category_refill(place=self._place, part=part, source=source)
        except STORE_REFUSALS as error:
            self._note_refusal(part, error)
            return False
        logger.info(
            "%s is as on GitHub: %d models created, %d updated", part.name, done.created, done.updated
        )
        return True
