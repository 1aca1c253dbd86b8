"""Reads of the queue that have names."""

import re
from collections.abc import Collection, Iterable

from django.db import models
from django.db.models import Q

from moderation.states import OPEN_STATUSES, Operation, Status

# Larger numbers are no ids; databases refuse to compare with them.
MAX_ID = 2**63 - 1


def name_contains(part: str) -> Q:
    """Rows whose model name holds the part, in any case.

    As a pattern, because the LIKE of SQLite knows the cases of ASCII letters alone.
    """
    return Q(model_name__iregex=re.escape(part))


class PendingChangeQuerySet(models.QuerySet):
    def with_ids(self, ids: Iterable[int]) -> "PendingChangeQuerySet":
        return self.filter(pk__in=[number for number in ids if 0 < number <= MAX_ID])

    def with_id(self, number: int) -> "PendingChangeQuerySet":
        return self.with_ids([number])

    def matching(
        self,
        *,
        statuses: Collection[str] = (),
        categories: Collection[str] = (),
        requested_by: Collection[str] = (),
        model_name: str = "",
        batch_id: int | None = None,
        change_ids: Collection[int] | None = None,
    ) -> "PendingChangeQuerySet":
        """The changes that every given filter lets through; one that is empty lets all through.

        `model_name` is a part of the name, in any case.
        """
        found = self
        if statuses:
            found = found.filter(status__in=statuses)
        if categories:
            found = found.filter(category__in=categories)
        if requested_by:
            found = found.filter(requested_by__in=requested_by)
        if model_name := model_name.strip():
            found = found.filter(name_contains(model_name))
        if batch_id is not None:
            found = found.filter(batch_id=batch_id)
        if change_ids:
            found = found.with_ids(change_ids)
        return found

    def pending(self) -> "PendingChangeQuerySet":
        return self.filter(status=Status.PENDING)

    def approved(self) -> "PendingChangeQuerySet":
        return self.filter(status=Status.APPROVED)

    def applied(self) -> "PendingChangeQuerySet":
        return self.filter(status=Status.APPLIED)

    def open(self) -> "PendingChangeQuerySet":
        """Changes that may still change their model."""
        return self.filter(status__in=OPEN_STATUSES)

    def undoing(self) -> "PendingChangeQuerySet":
        """Changes that were proposed to undo others; which ones, `reverted_ids` reads from each."""
        return self.filter(request_metadata__contains='"reverts":')

    def in_batch(self, batch_id: int) -> "PendingChangeQuerySet":
        return self.filter(batch_id=batch_id)

    def in_domain(self, domain: str) -> "PendingChangeQuerySet":
        """Changes whose payload is in this form."""
        return self.filter(domain=domain)

    def of_model(self, category: str, name: str) -> "PendingChangeQuerySet":
        return self.filter(category=category, model_name=name)

    def overlaying(self, category: str) -> "PendingChangeQuerySet":
        """What the open changes would put into the category, the latest word on each model last."""
        writing = (Operation.CREATE, Operation.UPDATE)
        writes = self.open().filter(category=category, operation__in=writing)
        return writes.order_by("updated_at", "change_id")

    def without_states(self) -> "PendingChangeQuerySet":
        """For lists: leaves the records that only diffs and audit views show in the database."""
        return self.defer("base_record", "live_before", "live_after")

    def oldest_first(self) -> "PendingChangeQuerySet":
        return self.order_by("change_id")

    def newest_first(self) -> "PendingChangeQuerySet":
        return self.order_by("-requested_at", "-change_id")


class QueueManager(models.Manager.from_queryset(PendingChangeQuerySet)):
    """The changes that are in the queue: all but the purged."""

    def get_queryset(self) -> PendingChangeQuerySet:
        return super().get_queryset().filter(purged_at=None)


class AuditEventQuerySet(models.QuerySet):
    def of_changes(self, ids: Iterable[int]) -> "AuditEventQuerySet":
        """What was done to these changes, apart from splits."""
        return self.filter(category=self.model.QUEUE, model_name__in=[str(number) for number in ids])

    def of_model(self, category: str, name: str) -> "AuditEventQuerySet":
        return self.filter(category=category, model_name=name)

    def in_order(self) -> "AuditEventQuerySet":
        return self.order_by("event_id")
