"""Deliveries that are due: claimed by one process each, tried, tried again, and forgotten in the end.

Any number of processes may do this over one database. A claim lapses, so that what a process held that died is
made by another: a webhook may be told twice, and knows that by the id of the delivery.
"""

import time
from collections.abc import Collection
from http import HTTPStatus
from uuid import uuid4

from django.db import transaction
from django.db.models import F, Min, Q, QuerySet, Value
from django.db.models.functions import Coalesce

from moderation.webhooks.models import Webhook, WebhookDelivery
from moderation.webhooks.sending import Answer
from references.pauses import JITTER, backed_off, jittered

# Longer than an attempt takes, with the search for the address before it.
CLAIM_SECONDS = 120.0
# Twenty attempts with these pauses between them take a day.
FIRST_PAUSE, LONGEST_PAUSE = 30.0, 7200.0
MAX_ATTEMPTS = 20
KEPT_SECONDS = 30 * 86400
PRUNE_BATCH = 1000

Status = WebhookDelivery.Status


def deliveries_claim(
    *, limit: int, busy: Collection[int] = (), at: float | None = None
) -> list[WebhookDelivery]:
    """Deliveries for the caller to make, one at most for each webhook that is not `busy`, the first due first."""
    now = time.time() if at is None else at
    due = _due(now).exclude(webhook__in=busy)
    # Most of the time there are none, and no lock is needed to see that.
    if limit < 1 or not due.exists():
        return []
    with transaction.atomic():
        webhooks = due.values("webhook").annotate(first=Min("next_attempt_at")).order_by("first")
        # Another process may have the first of a webhook at this moment.
        taken = (_claimed(_due(now).filter(webhook=row["webhook"]), now) for row in webhooks[:limit])
        return [delivery for delivery in taken if delivery is not None]


def delivery_settle(*, delivery: WebhookDelivery, answer: Answer, at: float | None = None) -> bool:
    """Notes what came of an attempt. False where the delivery is no longer the caller's.

    The claim had lapsed and somebody else has it, or the webhook was removed or switched off meanwhile.
    """
    now = time.time() if at is None else at
    outcome = {"claim": "", "claimed_until": 0, "last_status": answer.status, "last_error": ""}
    if answer.is_good:
        outcome |= {"status": Status.DELIVERED, "finished_at": int(now)}
    else:
        outcome["last_error"] = _short(str(answer))
        if answer.status == HTTPStatus.GONE or delivery.attempts >= MAX_ATTEMPTS:
            outcome |= {"status": Status.FAILED, "finished_at": int(now)}
        else:
            outcome["next_attempt_at"] = now + pause_after(delivery.attempts)
    with transaction.atomic():
        mine = WebhookDelivery.objects.filter(pk=delivery.pk, claim=delivery.claim, status=Status.WAITING)
        if not mine.update(**outcome):
            return False
        _webhook_note(delivery.webhook_id, answer, int(now))
    return True


def deliveries_prune(*, at: float | None = None) -> int:
    """Removes what was finished long ago; returns how many deliveries that were."""
    now = time.time() if at is None else at
    finished = WebhookDelivery.objects.filter(finished_at__lt=now - KEPT_SECONDS)
    removed = 0
    while old := list(finished.values_list("pk", flat=True)[:PRUNE_BATCH]):
        removed += WebhookDelivery.objects.filter(pk__in=old).delete()[0]
    return removed


def pause_after(attempts: int) -> float:
    """Seconds until what failed so often is tried again."""
    return jittered(backed_off(attempts, first=FIRST_PAUSE, longest=LONGEST_PAUSE), least=1 - JITTER)


def _due(now: float) -> QuerySet[WebhookDelivery]:
    return WebhookDelivery.objects.filter(
        status=Status.WAITING, webhook__disabled_at=None, next_attempt_at__lte=now, claimed_until__lte=now
    )


def _claimed(due: QuerySet[WebhookDelivery], now: float) -> WebhookDelivery | None:
    locked = due.select_for_update(skip_locked=True, of=("self",)).select_related("webhook")
    delivery = locked.order_by("next_attempt_at", "since").first()
    if delivery is not None:
        delivery.claim, delivery.claimed_until = uuid4().hex, now + CLAIM_SECONDS
        delivery.attempts += 1
        delivery.save(update_fields=["claim", "claimed_until", "attempts"])
    return delivery


def _webhook_note(pk: int, answer: Answer, now: int) -> None:
    webhooks = Webhook.objects.filter(pk=pk)
    if answer.is_good:
        webhooks.update(delivered_at=now, failing_since=None, last_error="")
        return
    webhooks.update(failing_since=Coalesce(F("failing_since"), Value(now)), last_error=_short(str(answer)))
    if answer.status == HTTPStatus.GONE:
        webhooks.update(disabled_at=now)
        left = WebhookDelivery.objects.filter(Q(webhook=pk), status=Status.WAITING)
        left.update(status=Status.FAILED, finished_at=now, claim="", last_error="The webhook is gone.")


def _short(text: str) -> str:
    return text[: WebhookDelivery._meta.get_field("last_error").max_length]
