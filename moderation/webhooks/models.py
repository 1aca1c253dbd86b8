"""Who is told of writes to live records, and what each of them has still to be told."""

from urllib.parse import urlsplit
from uuid import uuid4

from django.db import models
from django.db.models import Count, Min, Q


class WebhookQuerySet(models.QuerySet):
    def enabled(self) -> "WebhookQuerySet":
        return self.filter(disabled_at=None)

    def with_queue(self) -> "WebhookQuerySet":
        """Adds `waiting`, the number of deliveries not yet made, `oldest`, when the first of them was written,
        and `oldest_untried`, the same of those that nobody has tried to make."""
        waiting = Q(deliveries__status=WebhookDelivery.Status.WAITING)
        return self.annotate(
            waiting=Count("deliveries", filter=waiting),
            oldest=Min("deliveries__created_at", filter=waiting),
            oldest_untried=Min("deliveries__created_at", filter=waiting & Q(deliveries__attempts=0)),
        )


class Webhook(models.Model):
    """An address that is told of every write to live records. Times are UNIX seconds.

    `secret` signs what is sent and is shown once, when it is set. `failing_since` is when the first attempt
    failed after which none has gone well; `last_error` is what came of the last one, empty if it went well.
    """

    url = models.CharField(max_length=500)
    secret = models.CharField(max_length=200)
    created_at = models.BigIntegerField()
    disabled_at = models.BigIntegerField(null=True)
    delivered_at = models.BigIntegerField(null=True)
    failing_since = models.BigIntegerField(null=True)
    last_error = models.CharField(max_length=300, blank=True)

    objects = WebhookQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(condition=~Q(secret=""), name="webhook_has_a_secret"),
            models.UniqueConstraint(fields=["url"], name="one_webhook_per_url"),
        ]

    def __str__(self) -> str:
        return f"{self.pk}: {self.shown_url}"

    @property
    def shown_url(self) -> str:
        """The address without its query, which may hold a token."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}{parts.path}{'?…' if parts.query else ''}"


class WebhookDelivery(models.Model):
    """What one transaction wrote, for one webhook. Times are UNIX seconds.

    It is about the events after `since`, up to `last_event_id`. `claim` is of the process that makes the delivery
    now, until `claimed_until` at the latest.
    """

    class Status(models.TextChoices):
        WAITING = "waiting"
        DELIVERED = "delivered"
        FAILED = "failed"

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    webhook = models.ForeignKey(Webhook, models.CASCADE, related_name="deliveries")
    since = models.BigIntegerField()
    last_event_id = models.BigIntegerField()
    created_at = models.BigIntegerField()
    status = models.CharField(max_length=10, choices=Status, default=Status.WAITING)
    attempts = models.PositiveIntegerField(default=0)
    next_attempt_at = models.FloatField()
    claim = models.CharField(max_length=32, blank=True)
    claimed_until = models.FloatField(default=0)
    finished_at = models.BigIntegerField(null=True)
    last_status = models.PositiveSmallIntegerField(null=True)
    last_error = models.CharField(max_length=300, blank=True)

    class Meta:
        verbose_name_plural = "webhook deliveries"
        constraints = [
            models.CheckConstraint(
                condition=Q(status="waiting") ^ Q(finished_at__isnull=False),
                name="delivery_ends_when_it_is_finished",
            ),
            models.UniqueConstraint(fields=["webhook", "since"], name="one_delivery_per_webhook_and_write"),
        ]
        indexes = [
            models.Index(
                fields=["webhook", "next_attempt_at"],
                condition=Q(status="waiting"),
                name="delivery_is_due",
            ),
            models.Index(fields=["finished_at"], name="delivery_finished"),
        ]

    def __str__(self) -> str:
        return f"{self.pk} to webhook {self.webhook_id}"
