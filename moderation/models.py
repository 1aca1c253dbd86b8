"""What is stored: proposed changes, the batches they are approved in, and the log of all that was done."""

import json
from collections.abc import Iterable

from django.db import models
from django.db.models import F, Q

from moderation.actors import Actor
from moderation.problems import PendingChangeStateError
from moderation.querysets import AuditEventQuerySet, PendingChangeQuerySet, QueueManager
from moderation.states import STORED_STATUSES, TRANSITIONS, Action, Operation, Status
from moderation.webhooks.models import Webhook, WebhookDelivery  # noqa: F401 - where Django looks for models
from references.services import json_text
from references.vocabulary import CanonicalFormat

APPROVAL = ("approved_by", "approved_username", "approved_at")
REJECTION = ("rejected_by", "rejected_username", "rejected_at", "reject_reason")
APPLICATION = ("applied_by", "applied_username", "applied_at", "applied_job_id")


# Plain strings, so that migrations hold values and not names of this code.
STATUSES = [one.value for one in STORED_STATUSES]
OPERATIONS = [one.value for one in Operation]
DOMAINS = [one.value for one in CanonicalFormat]


def _is(status: Status) -> Q:
    return Q(status=status.value)


def _all_null(*fields: str) -> Q:
    return Q(**{f"{field}__isnull": True for field in fields})


def _all_set(*fields: str) -> Q:
    return Q(**{f"{field}__isnull": False for field in fields})


class PendingChange(models.Model):
    """A proposal to create, replace or delete one model, and what became of it. Times are whole UNIX seconds.

    `payload`, `base_record` (the live record at proposal), `live_before` and `live_after` (as the change was
    applied) are JSON text in the form that `domain` names, null where there is no record.

    A purged change has left the queue for good; its row stays for the audit views alone.
    """

    change_id = models.BigAutoField(primary_key=True)
    category = models.CharField(max_length=64)
    model_name = models.CharField(max_length=255)
    operation = models.CharField(max_length=10, choices=[(one, one) for one in OPERATIONS])
    domain = models.CharField(max_length=10, choices=[(one, one) for one in DOMAINS])
    payload = models.TextField(null=True)  # noqa: DJ001 - in this table null is what the API answers
    status = models.CharField(
        max_length=10, choices=[(one, one) for one in STATUSES], default=Status.PENDING.value
    )
    requested_by = models.CharField(max_length=255)
    requested_username = models.CharField(max_length=255)
    requested_at = models.BigIntegerField()
    notes = models.TextField(null=True)  # noqa: DJ001
    request_metadata = models.TextField(null=True)  # noqa: DJ001
    related_models = models.TextField(null=True)  # noqa: DJ001
    base_record = models.TextField(null=True)  # noqa: DJ001
    base_digest = models.CharField(max_length=64, null=True)  # noqa: DJ001
    batch_id = models.BigIntegerField(null=True)
    batch_title = models.CharField(max_length=120, null=True)  # noqa: DJ001
    approved_by = models.CharField(max_length=255, null=True)  # noqa: DJ001
    approved_username = models.CharField(max_length=255, null=True)  # noqa: DJ001
    approved_at = models.BigIntegerField(null=True)
    rejected_by = models.CharField(max_length=255, null=True)  # noqa: DJ001
    rejected_username = models.CharField(max_length=255, null=True)  # noqa: DJ001
    rejected_at = models.BigIntegerField(null=True)
    reject_reason = models.CharField(max_length=500, null=True)  # noqa: DJ001
    applied_by = models.CharField(max_length=255, null=True)  # noqa: DJ001
    applied_username = models.CharField(max_length=255, null=True)  # noqa: DJ001
    applied_at = models.BigIntegerField(null=True)
    applied_job_id = models.CharField(max_length=120, null=True)  # noqa: DJ001
    applied_event_id = models.BigIntegerField(null=True)
    live_before = models.TextField(null=True)  # noqa: DJ001
    live_after = models.TextField(null=True)  # noqa: DJ001
    purged_at = models.BigIntegerField(null=True)
    updated_at = models.BigIntegerField()

    objects = QueueManager()
    recorded = PendingChangeQuerySet.as_manager()

    class Meta:
        ordering = ["change_id"]
        constraints = [
            models.CheckConstraint(condition=Q(status__in=STATUSES), name="change_status_known"),
            models.CheckConstraint(condition=Q(operation__in=OPERATIONS), name="change_operation_known"),
            models.CheckConstraint(condition=Q(domain__in=DOMAINS), name="change_domain_known"),
            models.CheckConstraint(condition=~Q(model_name=""), name="change_names_a_model"),
            models.CheckConstraint(
                condition=Q(operation=Operation.CREATE.value) ^ Q(base_record__isnull=False),
                name="change_has_a_base_unless_create",
            ),
            models.CheckConstraint(
                condition=~_is(Status.PENDING)
                | _all_null("batch_id", "batch_title", *APPROVAL, *REJECTION, *APPLICATION),
                name="pending_change_is_undecided",
            ),
            models.CheckConstraint(
                condition=~_is(Status.APPROVED)
                | (_all_set("batch_id", "batch_title", *APPROVAL) & _all_null(*REJECTION, *APPLICATION)),
                name="approved_change_has_a_batch",
            ),
            models.CheckConstraint(
                condition=~_is(Status.APPLIED)
                | (
                    _all_set("batch_id", "batch_title", *APPROVAL, *APPLICATION)
                    & _all_null(*REJECTION)
                    & ~Q(applied_job_id="")
                ),
                name="applied_change_was_approved",
            ),
            models.CheckConstraint(
                condition=~_is(Status.REJECTED)
                | (_all_set(*REJECTION) & _all_null(*APPROVAL, *APPLICATION) & ~Q(reject_reason="")),
                name="rejected_change_has_a_reason",
            ),
        ]
        indexes = [
            models.Index(fields=["status", "change_id"], name="change_by_status"),
            models.Index(fields=["requested_by", "change_id"], name="change_by_requestor"),
            models.Index(fields=["batch_id", "status"], name="change_by_batch"),
            models.Index(fields=["category", "model_name"], name="change_by_model"),
        ]

    def __str__(self) -> str:
        return f"{self.operation} {self.category}/{self.model_name}"

    @property
    def is_legacy(self) -> bool:
        """Whether the change speaks of legacy objects."""
        return self.domain == CanonicalFormat.LEGACY

    @property
    def comments(self) -> "models.QuerySet[ChangeComment]":
        """What approvers said about it, first things first."""
        return ChangeComment.objects.filter(change_id=self.change_id)

    def payload_as_dict(self) -> dict | None:
        return _parsed(self.payload)

    def base_as_dict(self) -> dict | None:
        return _parsed(self.base_record)

    def live_before_as_dict(self) -> dict | None:
        return _parsed(self.live_before)

    def live_after_as_dict(self) -> dict | None:
        return _parsed(self.live_after)

    def request_metadata_as_dict(self) -> dict | None:
        return _parsed(self.request_metadata)

    def related_models_as_list(self) -> list[str] | None:
        return _parsed(self.related_models)

    # The transitions below guard and set, and leave saving and logging to the services. Replaying the log
    # goes through them too, so that both come to the same row.

    def mark_approved(self, *, by: Actor, at: int, batch_id: int, batch_title: str) -> None:
        self._move(Action.APPROVE, at)
        self.batch_id, self.batch_title = batch_id, batch_title
        self.approved_by, self.approved_username, self.approved_at = by.user_id, by.username, at

    def mark_rejected(
        self, *, by: Actor, at: int, reason: str, batch_id: int | None, batch_title: str
    ) -> None:
        self._move(Action.REJECT, at)
        self.batch_id, self.batch_title = batch_id, batch_title
        self._set_rejection(by, at, reason)

    def mark_withdrawn(self, *, by: Actor, at: int, reason: str) -> None:
        self._move(Action.WITHDRAW, at)
        self._set_rejection(by, at, reason)

    def mark_reopened(self, *, at: int) -> None:
        self._move(Action.REOPEN, at)
        for name in ("batch_id", "batch_title", *APPROVAL):
            setattr(self, name, None)

    def mark_applied(
        self,
        *,
        by: Actor,
        at: int,
        job_id: str,
        event_id: int | None,
        before: dict | None,
        after: dict | None,
    ) -> None:
        """`before` and `after` are the live record on both sides of the write, in the form of the change."""
        self._move(Action.APPLY, at)
        self.applied_by, self.applied_username, self.applied_at = by.user_id, by.username, at
        self.applied_job_id, self.applied_event_id = job_id, event_id
        self.live_before, self.live_after = json_text_or_null(before), json_text_or_null(after)

    def require(self, action: Action) -> None:
        """Raises PendingChangeStateError where the action cannot start from the status."""
        needed = TRANSITIONS[action].source
        if self.status != needed:
            raise PendingChangeStateError(self.change_id, needed=needed, status=self.status)

    def _move(self, action: Action, at: int) -> None:
        self.require(action)
        self.status = TRANSITIONS[action].target
        self.updated_at = at

    def _set_rejection(self, by: Actor, at: int, reason: str) -> None:
        self.rejected_by, self.rejected_username, self.rejected_at = by.user_id, by.username, at
        self.reject_reason = reason


class Batch(models.Model):
    """Changes that were approved to go live together. Which they are, the changes say.

    `title` is that of the latest approval, `approved_by` and `approved_at` are those of the first. A batch
    that was split off another one begins with what that one had; the other one keeps the title of its members.
    """

    number = models.BigIntegerField(primary_key=True)
    title = models.CharField(max_length=120)
    approved_by = models.CharField(max_length=255)
    approved_at = models.BigIntegerField()
    last_event_id = models.BigIntegerField(null=True)

    class Meta:
        verbose_name_plural = "batches"
        constraints = [
            models.CheckConstraint(condition=Q(number__gte=1), name="batch_numbers_begin_at_one"),
        ]

    def __str__(self) -> str:
        return f"{self.number}: {self.title}"

    def retitle(self, members: Iterable[PendingChange]) -> None:
        """Takes the title of the latest approval among the members; keeps its own where none was approved."""
        approved = [member for member in members if member.approved_at is not None]
        if approved:
            latest = max(approved, key=lambda member: (member.approved_at, member.change_id))
            self.title = latest.batch_title


class QueueState(models.Model):
    """The one row that whoever decides, applies or removes changes locks first."""

    ROW = 1

    last_batch_id = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.last_batch_id} batches"


class ChangeComment(models.Model):
    """What somebody said about a change. It decides nothing, so the log does not hold it.

    A rebuild of the queue from the log writes its rows anew; comments find theirs again by the number alone.
    """

    change_id = models.BigIntegerField()
    author_id = models.CharField(max_length=255)
    author_username = models.CharField(max_length=255)
    text = models.TextField()
    written_at = models.BigIntegerField()

    class Meta:
        ordering = ["pk"]
        constraints = [models.CheckConstraint(condition=~Q(text=""), name="comment_says_something")]
        indexes = [models.Index(fields=["change_id", "id"], name="comment_by_change")]

    def __str__(self) -> str:
        return f"{self.author_username} on change {self.change_id}"


class SavedReason(models.Model):
    """A reason for rejecting changes that is needed again and again."""

    text = models.CharField(max_length=500, unique=True)

    class Meta:
        ordering = ["text"]
        constraints = [models.CheckConstraint(condition=~Q(text=""), name="saved_reason_says_something")]

    def __str__(self) -> str:
        return self.text


class AuditEvent(models.Model):
    """One thing that was done, to a record or to the queue. Triggers refuse to change or remove a row.

    `category` and `model_name` are those of the record; for the queue they are QUEUE and the id of the change
    as text, or WHOLE_QUEUE; for aliases, families and naming schemas of text groups they are STRUCTURE and the
    name of what was written; for records that changed places they are ORDER and the category. `hash` covers the
    row and the hash of the one before it.
    """

    QUEUE = "pending_queue"
    STRUCTURE = "text_structure"
    ORDER = "record_order"
    WHOLE_QUEUE = "queue"

    event_id = models.BigIntegerField(primary_key=True)
    timestamp = models.BigIntegerField()
    domain = models.CharField(max_length=10)
    category = models.CharField(max_length=64)
    model_name = models.CharField(max_length=255)
    operation = models.CharField(max_length=10)
    logical_user_id = models.CharField(max_length=255)
    request_id = models.CharField(max_length=120, null=True)  # noqa: DJ001 - an absent id is not an empty one
    payload = models.TextField()
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)

    objects = AuditEventQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(event_id__gte=1), name="event_ids_begin_at_one"),
            models.CheckConstraint(condition=~Q(hash=F("previous_hash")), name="event_hash_moves_on"),
        ]
        indexes = [models.Index(fields=["category", "model_name", "event_id"], name="event_by_subject")]

    def __str__(self) -> str:
        return f"{self.event_id}: {self.operation} {self.category}/{self.model_name}"

    def payload_as_dict(self) -> dict:
        return json.loads(self.payload)


class AuditHead(models.Model):
    """The one row that whoever writes events locks last: where the log ends."""

    ROW = 1

    last_event_id = models.BigIntegerField(default=0)
    last_hash = models.CharField(max_length=64, default="")

    def __str__(self) -> str:
        return f"{self.last_event_id} events"


def json_text_or_null(value: dict | list | None) -> str | None:
    return None if value is None else json_text(value)


def _parsed(text: str | None) -> dict | list | None:
    return None if text is None else json.loads(text)
