"""Whose turn it is to follow the PRIMARY, and when the next round is due: one process at a time, on any machine."""

import os
import secrets
import socket
import time

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet

from references.following.client import primary_name
from references.following_models import FollowedPart, PrimaryLink
from references.pauses import backed_off, jittered

LONGEST_PAUSE = 300.0
# What a round may take on top of the attempts at one view.
CLAIM_MARGIN = 30.0
RENEWAL_SECONDS = CLAIM_MARGIN / 2


class PlaceLost(Exception):
    """Another process follows the PRIMARY by now."""


class Place:
    """This process's place as the one that follows the PRIMARY, once it is claimed."""

    def __init__(self) -> None:
        self.holder = f"{socket.gethostname()[:60]}:{os.getpid()}:{secrets.token_hex(8)}"
        self._kept_at = time.monotonic()

    def claim(self, *, forced: bool = False) -> bool:
        """Takes the place if nobody has it and a round is due, or `forced`; returns whether it did."""
        now = time.time()
        _link_sync()
        free = Q(holder="") | ~Q(held_until__range=(now, _lapse(_lapse(now))))
        # A time further ahead than any pause was set by a wrong clock.
        due = Q() if forced else Q(due_at__lte=now) | Q(due_at__gt=now + 2 * LONGEST_PAUSE + poll_seconds())
        return _links().filter(free, due).update(holder=self.holder, held_until=_lapse(now)) == 1

    def renew(self) -> None:
        """Puts off the lapse of the claim now and then, for what may outlast it; raises PlaceLost."""
        if time.monotonic() > self._kept_at + RENEWAL_SECONDS:
            self.keep()

    def keep(self) -> None:
        """Puts off the lapse of the claim; raises PlaceLost."""
        self._kept_at = time.monotonic()
        if not _links().filter(holder=self.holder).update(held_until=_lapse(time.time())):
            raise PlaceLost

    def lock(self) -> PrimaryLink:
        """The row of the PRIMARY, locked until the end of the transaction; raises PlaceLost."""
        link = _links().select_for_update().filter(holder=self.holder).first()
        if link is None:
            raise PlaceLost
        return link

    def leave(self, *, error: str | None, answered: bool) -> None:
        """Ends the round: says how it went, and when the next one is due. Nothing if the place is lost."""
        now = time.time()
        with transaction.atomic():
            link = _links().select_for_update().filter(holder=self.holder).first()
            if link is None:
                return
            if error is None:
                link.failures, link.last_error = 0, ""
            else:
                link.failures, link.last_error, link.failed_at = link.failures + 1, error, now
            if answered:
                link.answered_at = now
            link.due_at = now + (pause_after(link.failures) if link.failures else jittered(poll_seconds()))
            link.holder, link.held_until = "", 0
            link.save()


def _link_sync() -> None:
    """Sees to the one row of the PRIMARY. What was known of another PRIMARY is forgotten, not its records."""
    primary = primary_name() if settings.PRIMARY_API_URL else ""
    if _links().filter(primary=primary).exists():
        return
    PrimaryLink.objects.bulk_create([PrimaryLink(pk=PrimaryLink.ROW)], ignore_conflicts=True)
    with transaction.atomic():
        _links().update(primary=primary, due_at=0, answered_at=None, failures=0, last_error="")
        FollowedPart.objects.update(
            revision=None, last_updated=None, v2_tag="", v1_tag="", failures=0, retry_at=0, last_error=""
        )


def poll_seconds() -> float:
    return max(1.0, settings.CACHE_TTL_SECONDS)


def pause_after(failures: int) -> float:
    """Seconds until what failed so often in a row is tried again."""
    return jittered(backed_off(failures, first=settings.PRIMARY_API_BACKOFF_SECONDS, longest=LONGEST_PAUSE))


def _lapse(now: float) -> float:
    """When a claim that is put off now lapses: long after all attempts at one view."""
    return now + CLAIM_MARGIN + 6 * settings.PRIMARY_API_TIMEOUT + 2 * settings.PRIMARY_API_BACKOFF_SECONDS


def _links() -> QuerySet[PrimaryLink]:
    return PrimaryLink.objects.filter(pk=PrimaryLink.ROW)
