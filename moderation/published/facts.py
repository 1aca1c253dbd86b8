"""What can be read off the events of a published log."""

from collections.abc import Iterable, Sequence

from moderation.live import ModelKey
from moderation.published.changes import PARTS, PublishedChange
from moderation.published.events import PublishedEvent
from moderation.states import Action

ACTIONS = (Action.ENQUEUE, Action.APPROVE, Action.REJECT, Action.APPLY, Action.PURGE, Action.SPLIT)


def event_action(event: PublishedEvent) -> Action | None:
    """The act on the queue that the event tells of, if it is one and known."""
    if not event.is_of_queue:
        return None
    name = event.payload.inner("after").members.get("action")
    return next((action for action in ACTIONS if action == name), None)


def event_change_id(event: PublishedEvent) -> int:
    return event.payload.inner("after").number("change_id")


def writes_of_applies(events: Sequence[PublishedEvent]) -> dict[int, int]:
    """The event of the write that belongs to an apply, by the event of the apply.

    It is the last one about the model before the apply, and names the same job.
    """
    models: dict[int, ModelKey] = {}
    latest: dict[ModelKey, PublishedEvent] = {}
    found = {}
    for event in events:
        if not event.is_of_queue:
            latest[event.model] = event
            continue
        after, action = event.payload.inner("after"), event_action(event)
        if action is Action.ENQUEUE:
            models[event_change_id(event)] = after.text("category"), after.text("model")
        elif action is Action.APPLY:
            write = latest.pop(models.get(event_change_id(event)), None)
            if write is not None and write.request_id == after.members.get("job_id"):
                found[event.event_id] = write.event_id
    return found


def usernames(changes: Iterable[PublishedChange]) -> dict[str, str]:
    """The name each user went by, by id."""
    names = {}
    for change in changes:
        for part in ("requested", *PARTS.values()):
            user_id, name = getattr(change, f"{part}_by"), getattr(change, f"{part}_username")
            if user_id and name:
                names[user_id] = name
    return names
