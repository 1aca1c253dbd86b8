"""What webhooks are told: the writes of a transaction, each as the feed of changes tells it."""

from moderation.api.feed import PUBLIC_FIELDS, record_events
from moderation.webhooks.models import WebhookDelivery
from references.models import Category
from references.services import json_text

CHANGED, PING = "records.changed", "ping"
MAX_CHANGES = 100


def changed_body(delivery: WebhookDelivery) -> bytes:
    """`revision` is one of the category that has the changes; `since` is the last event that is listed.

    The feed of changes goes on after that event, wherever the list ends.
    """
    events = record_events().filter(event_id__gt=delivery.since, event_id__lte=delivery.last_event_id)
    found = list(events.in_order().values(*PUBLIC_FIELDS)[: MAX_CHANGES + 1])
    listed = found[:MAX_CHANGES]
    names = events.order_by().values("category").distinct()
    revisions = Category.objects.filter(pk__in=names).order_by("pk").values_list("pk", "revision")
    body = {
        "event": CHANGED,
        "delivery": str(delivery.pk),
        "created_at": delivery.created_at,
        "categories": {
            name: {
                "revision": revision,
                "changes": [each for each in listed if each["category"] == name],
            }
            for name, revision in revisions
        },
        "truncated": len(found) > MAX_CHANGES,
        "since": listed[-1]["event_id"],
    }
    return json_text(body).encode()


def ping_body(delivery: str, *, at: int) -> bytes:
    return json_text({"event": PING, "delivery": delivery, "created_at": at}).encode()
