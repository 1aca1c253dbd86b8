"""Reading the log from its end, narrowed down, a bounded number of events at a time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.db.models import BigIntegerField, Case, Exists, OuterRef, Q, When
from django.db.models.functions import Cast
from django.http import QueryDict

from moderation.audit import last_event_id
from moderation.desk.audit_words import ACTS, WRITES
from moderation.models import AuditEvent, PendingChange
from moderation.querysets import AuditEventQuerySet, name_contains
from references.categories import CATEGORIES
from references.pages.links import Query

ACT, CATEGORY, MODEL, USER, BEFORE = "act", "category", "model", "user", "before"
PAGE_SIZE = 30
# Conditions have no index that goes by event, so one request looks at no more events than this. Their ids have
# no gaps: so many ids are so many rows.
WINDOW = 10_000
EXPORT_WINDOW = 1000
LONGEST = 200
LARGEST_ID = 10**15


@dataclass(frozen=True, slots=True)
class EventQuery:
    """Conditions on events; empty ones let all through. `before` is an event that only older ones are shown of.

    `category` is that of the record, for acts on the queue that of the change. `model` is a part of a name, in
    any case; `user` is a whole id.
    """

    act: str = ""
    category: str = ""
    model: str = ""
    user: str = ""
    before: int | None = None

    @property
    def state(self) -> Query:
        """As parameters of an address."""
        values = {ACT: self.act, CATEGORY: self.category, MODEL: self.model, USER: self.user}
        return {name: (value,) for name, value in values.items() if value}

    @property
    def is_narrow(self) -> bool:
        return bool(self.state)


@dataclass(frozen=True, slots=True)
class EventPage:
    """Events that fit, from the newest down; `older` is where to go on, None at the beginning of the log.

    `looked_back_to` is the oldest event that was looked at, where that was where the looking had to end.
    """

    events: Sequence[AuditEvent]
    older: int | None
    looked_back_to: int | None = None


def event_query_parse(asked: QueryDict) -> EventQuery:
    """What means nothing counts as not asked for."""
    act, category = asked.get(ACT, ""), asked.get(CATEGORY, "")
    return EventQuery(
        act=act if act in ACTS or act in WRITES else "",
        category=category if category in CATEGORIES or category == AuditEvent.STRUCTURE else "",
        model=asked.get(MODEL, "").strip()[:LONGEST],
        user=asked.get(USER, "").strip()[:LONGEST],
        before=event_id_parse(asked.get(BEFORE, "")),
    )


def event_id_parse(text: str) -> int | None:
    return min(int(text), LARGEST_ID) if text.isascii() and text.isdigit() and len(text) < 19 else None


def events_page(query: EventQuery, *, limit: int = PAGE_SIZE, window: int = WINDOW) -> EventPage:
    top = last_event_id() + 1
    before = top if query.before is None else min(query.before, top)
    floor = max(1, before - window)
    found = list(_between(query, floor, before)[: limit + 1])
    shown = found[:limit]
    if len(found) > limit:
        return EventPage(shown, older=shown[-1].event_id)
    if floor > 1:
        return EventPage(shown, older=floor, looked_back_to=floor)
    return EventPage(shown, older=None)


def events_all(query: EventQuery) -> Iterator[list[AuditEvent]]:
    """All that fit, from the newest down, some at a time."""
    before = last_event_id() + 1 if query.before is None else query.before
    while before > 1:
        floor = max(1, before - EXPORT_WINDOW)
        yield list(_between(query, floor, before))
        before = floor


def _between(query: EventQuery, first: int, before: int) -> AuditEventQuerySet:
    events = _matching(query).filter(event_id__gte=first, event_id__lt=before)
    return events.order_by("-event_id")


def _matching(query: EventQuery) -> AuditEventQuerySet:
    events = AuditEvent.objects.all()
    if query.act in WRITES:
        events = events.filter(operation=query.act).exclude(category=AuditEvent.QUEUE)
    elif query.act:
        # The act is what a payload of the queue begins with.
        events = events.filter(
            category=AuditEvent.QUEUE, payload__startswith=f'{{"after":{{"action":"{query.act}"'
        )
    if query.user:
        events = events.filter(logical_user_id=query.user)
    if query.category or query.model:
        events = _about(events, query.category, query.model)
    return events


def _about(events: AuditEventQuerySet, category: str, model: str) -> AuditEventQuerySet:
    """Writes of these records, and acts on changes of them."""
    writes, changes = ~Q(category=AuditEvent.QUEUE), Q()
    if category:
        writes &= Q(category=category)
        changes &= Q(category=category)
    if model:
        writes &= name_contains(model)
        changes &= name_contains(model)
    is_about_one_change = Q(category=AuditEvent.QUEUE) & ~Q(model_name=AuditEvent.WHOLE_QUEUE)
    change_id = Case(When(is_about_one_change, then=Cast("model_name", BigIntegerField())))
    acts = Exists(PendingChange.recorded.filter(changes, pk=OuterRef("change_id")))
    return events.annotate(change_id=change_id).filter(writes | acts)
