"""Makes the deliveries that are due, several at a time; one webhook's never hold up another's.

Only the calling thread uses the database. The others wait for answers.
"""

import logging
import time
from collections import Counter
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from django.db import InterfaceError, OperationalError, close_old_connections

from moderation.webhooks.deliveries import deliveries_claim, deliveries_prune, delivery_settle
from moderation.webhooks.models import WebhookDelivery
from moderation.webhooks.payloads import CHANGED, changed_body
from moderation.webhooks.sending import Answer, post
from moderation.webhooks.signing import signed_headers
from references.management.bell import Bell

logger = logging.getLogger(__name__)

PARALLEL = 8
POLL_SECONDS = 2.0
PRUNE_SECONDS = 3600.0
FAILURE_PAUSE = 10.0


def send_forever(stopping: Bell) -> None:
    """Delivers until it is told to stop, and then finishes what it has begun."""
    prune_at = time.monotonic()
    pause = 0.0
    while not stopping.wait(pause):
        close_old_connections()
        pause = POLL_SECONDS
        try:
            send_due(stopping)
            if time.monotonic() >= prune_at:
                deliveries_prune()
                prune_at = time.monotonic() + PRUNE_SECONDS
        except (OperationalError, InterfaceError) as error:
            logger.error("delivering to webhooks: the database failed: %s", error)
            pause = FAILURE_PAUSE


def send_due(stopping: Bell | None = None) -> Counter[bool]:
    """Makes all deliveries that are due; returns how many attempts went well and how many did not."""
    counts: Counter[bool] = Counter()
    begun: dict[Future[Answer], WebhookDelivery] = {}
    with ThreadPoolExecutor(PARALLEL, thread_name_prefix="webhook") as pool:
        while True:
            if stopping is None or not stopping.is_set():
                busy = {delivery.webhook_id for delivery in begun.values()}
                for delivery in deliveries_claim(limit=PARALLEL - len(begun), busy=busy):
                    begun[pool.submit(post, *_request(delivery))] = delivery
            if not begun:
                return counts
            for done in wait(begun, return_when=FIRST_COMPLETED).done:
                answer = done.result()
                _note(begun.pop(done), answer)
                counts[answer.is_good] += 1


def _request(delivery: WebhookDelivery) -> tuple[str, bytes, dict[str, str]]:
    body = changed_body(delivery)
    webhook = delivery.webhook
    headers = signed_headers(CHANGED, str(delivery.pk), webhook.secret, body, at=int(time.time()))
    return webhook.url, body, headers


def _note(delivery: WebhookDelivery, answer: Answer) -> None:
    if not delivery_settle(delivery=delivery, answer=answer):
        logger.warning(
            "what came of delivery %s is not noted: its claim lapsed, or its webhook has ended", delivery.pk
        )
    elif not answer.is_good:
        # What the other side says is for `webhook list`; here its status will do.
        came = answer.text if answer.status is None else f"status {answer.status}"
        logger.warning(
            "webhook %d: attempt %d of delivery %s failed: %s",
            delivery.webhook_id,
            delivery.attempts,
            delivery.pk,
            came,
        )
