"""Webhooks are added, changed and removed here, and here writes become deliveries.

A delivery is written in the transaction of the write it tells of. It is made later, by `deliver_webhooks`.
"""

import time
from collections.abc import Sequence

from django.conf import settings
from django.db import transaction

from moderation.events import head_lock, is_logging
from moderation.models import AuditHead
from moderation.webhooks.models import Webhook, WebhookDelivery
from references.journal import RecordWrite
from references.remembered import remember, remembered_in_transaction
from references.vocabulary import ReplicateMode

_OPEN_DELIVERIES = "webhook deliveries of this transaction"


def webhooks_possible() -> bool:
    """Whether this deployment tells anybody of writes: a REPLICA leaves it to its PRIMARY."""
    return settings.REPLICATE_MODE is ReplicateMode.PRIMARY and settings.AUDIT_ENABLED


def sender_needed() -> bool:
    """Whether there is anything to deliver, or there will be once something is written."""
    return webhooks_possible() and Webhook.objects.enabled().exists()


def deliveries_add(writes: Sequence[RecordWrite]) -> None:
    """For the journal of the reference: adds the writes to what this transaction has every webhook told.

    Comes after the log was written. Its end is locked by now, so that all events of a transaction follow one
    another, and nobody removes a webhook meanwhile.
    """
    if writes and is_logging():
        deliveries_extend(appended=len(writes))


def deliveries_extend(*, appended: int) -> None:
    """Has every webhook told of what this transaction wrote, to the end of the log; nothing where nobody is told.

    For whoever appends writes of live records to the log: `appended` is how many events that were, the last ones
    of the log, with a write among them.
    """
    if not webhooks_possible():
        return
    opened = remembered_in_transaction(_OPEN_DELIVERIES)
    if opened is None:
        _deliveries_open(appended)
    elif opened:
        WebhookDelivery.objects.filter(pk__in=opened).update(last_event_id=_last_event_id())


def webhook_add(*, url: str, secret: str, at: int | None = None) -> Webhook:
    return Webhook.objects.create(url=url, secret=secret, created_at=_now(at))


@transaction.atomic
def webhook_remove(*, webhook: Webhook) -> None:
    """Removes it with all its deliveries, once no transaction under way has any to add."""
    head_lock()
    webhook.delete()


def webhook_rotate(*, webhook: Webhook, secret: str) -> None:
    """Signs with another secret from now on, at further attempts of waiting deliveries too."""
    webhook.secret = secret
    webhook.save(update_fields=["secret"])


def webhook_enable(*, webhook: Webhook) -> None:
    """Has it told of writes again, from now on."""
    webhook.disabled_at = webhook.failing_since = None
    webhook.last_error = ""
    webhook.save(update_fields=["disabled_at", "failing_since", "last_error"])


def _deliveries_open(appended: int) -> None:
    last, now = _last_event_id(), time.time()
    deliveries = [
        WebhookDelivery(
            webhook_id=pk,
            since=last - appended,
            last_event_id=last,
            created_at=int(now),
            next_attempt_at=now,
        )
        for pk in Webhook.objects.enabled().values_list("pk", flat=True)
    ]
    WebhookDelivery.objects.bulk_create(deliveries)
    remember(_OPEN_DELIVERIES, [delivery.pk for delivery in deliveries], lambda committed: None)


def _last_event_id() -> int:
    return AuditHead.objects.values_list("last_event_id", flat=True).get(pk=AuditHead.ROW)


def _now(at: int | None) -> int:
    return int(time.time()) if at is None else at
