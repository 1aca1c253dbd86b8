"""What the queue is asked to show, read from a query string. What means nothing there counts as not asked for."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time

from django.http import QueryDict
from django.utils.http import urlencode

from moderation.actors import Actor
from moderation.desk.marks import OpenChange
from moderation.models import PendingChange
from moderation.querysets import MAX_ID, PendingChangeQuerySet
from moderation.states import STORED_STATUSES, Operation, Status
from references.categories import CATEGORIES
from references.pages.links import PAGE, PageLinks, Query
from references.pages.list_query import MOST_CHOSEN, SEARCH, SORT, page_number, search_text

SHOW, STATUS, KIND, CATEGORY, PROPOSER = "show", "status", "kind", "category", "by"
BATCH, SINCE, UNTIL = "batch", "since", "until"
NEWEST, OLDEST = "newest", "oldest"
SORTS = {NEWEST: "Newest first", OLDEST: "Oldest first"}

SECONDS_A_DAY = 24 * 3600

Test = Callable[[OpenChange, Actor], bool]


@dataclass(frozen=True, slots=True)
class Preset:
    """A selection of changes: those of one status, or open ones that pass a test; all where it has neither.

    `is_undecided` where only pending ones can be among them, which are in no batch.
    """

    name: str
    label: str
    status: Status | None = None
    test: Test | None = None
    is_undecided: bool = False


REVIEW, ALL = "review", "all"
PRESETS: dict[str, Preset] = {
    preset.name: preset
    for preset in (
        Preset(REVIEW, "To review", Status.PENDING, is_undecided=True),
        Preset(
            "others",
            "Not mine",
            test=lambda change, actor: (
                change.status == Status.PENDING and change.requested_by != actor.user_id
            ),
            is_undecided=True,
        ),
        Preset(
            "critical",
            "Critical",
            test=lambda change, actor: change.status == Status.PENDING and change.is_critical,
            is_undecided=True,
        ),
        Preset(
            "stale",
            "Stale",
            test=lambda change, actor: change.status == Status.PENDING and change.is_stale,
            is_undecided=True,
        ),
        Preset("competing", "Competing", test=lambda change, actor: change.is_competing),
        Preset("approved", "To apply", Status.APPROVED),
        Preset(ALL, "All"),
    )
}


@dataclass(frozen=True, slots=True)
class QueueQuery:
    """A preset, and what it is narrowed down by; any of several values of one filter will do.

    `since` and `until` are the first and the last day on which it may have been proposed, in UTC.
    """

    show: str = REVIEW
    text: str = ""
    statuses: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    proposers: tuple[str, ...] = ()
    batch: int | None = None
    since: date | None = None
    until: date | None = None
    sort: str = NEWEST
    page: int = 1

    @property
    def preset(self) -> Preset:
        return PRESETS[self.show]

    @property
    def is_oldest_first(self) -> bool:
        return self.sort == OLDEST

    def state(self) -> Query:
        """The query string's parameters, those left out that change nothing."""
        single = {
            SHOW: "" if self.show == REVIEW else self.show,
            SEARCH: self.text,
            BATCH: "" if self.batch is None else str(self.batch),
            SINCE: "" if self.since is None else self.since.isoformat(),
            UNTIL: "" if self.until is None else self.until.isoformat(),
            SORT: "" if self.sort == NEWEST else self.sort,
        }
        several = {
            STATUS: self.statuses,
            KIND: self.kinds,
            CATEGORY: self.categories,
            PROPOSER: self.proposers,
        }
        return {
            **{name: (value,) for name, value in single.items() if value},
            **{name: values for name, values in several.items() if values},
            **({PAGE: (str(self.page),)} if self.page > 1 else {}),
        }

    def links(self, path: str) -> PageLinks:
        return PageLinks(path, self.state())

    def encoded(self) -> str:
        """The query string, with its question mark if there is anything to ask; pages are no part of it."""
        pairs = [(name, value) for name, values in replace(self, page=1).state().items() for value in values]
        return f"?{urlencode(pairs)}" if pairs else ""

    def shown(self, marked: Mapping[int, OpenChange], actor: Actor) -> PendingChangeQuerySet:
        """The preset, narrowed by text, batch and days alone."""
        found = PendingChange.objects.matching(model_name=self.text, batch_id=self.batch)
        if self.since is not None:
            found = found.filter(requested_at__gte=_midnight(self.since))
        if self.until is not None:
            found = found.filter(requested_at__lt=_midnight(self.until) + SECONDS_A_DAY)
        if self.preset.status is not None:
            return found.filter(status=self.preset.status)
        if (test := self.preset.test) is not None:
            return found.with_ids(change_id for change_id, each in marked.items() if test(each, actor))
        return found

    def narrowed(self, changes: PendingChangeQuerySet) -> PendingChangeQuerySet:
        found = changes.matching(
            statuses=self.statuses, categories=self.categories, requested_by=self.proposers
        )
        return found.filter(operation__in=self.kinds) if self.kinds else found

    def in_order(self, changes: PendingChangeQuerySet) -> PendingChangeQuerySet:
        return changes.order_by("change_id" if self.is_oldest_first else "-change_id")


def queue_query_parse(asked: QueryDict) -> QueueQuery:
    sort, batch = asked.get(SORT, ""), _number(asked.get(BATCH, "").strip())
    statuses = tuple(status.value for status in STORED_STATUSES if status in asked.getlist(STATUS))
    return QueueQuery(
        show=_show(asked.get(SHOW, ""), statuses, batch),
        text=search_text(asked),
        statuses=statuses,
        kinds=tuple(kind.value for kind in Operation if kind in asked.getlist(KIND)),
        categories=tuple(name for name in CATEGORIES if name in asked.getlist(CATEGORY)),
        proposers=tuple(dict.fromkeys(filter(None, map(str.strip, asked.getlist(PROPOSER)))))[:MOST_CHOSEN],
        batch=batch,
        since=_day(asked.get(SINCE, "")),
        until=_day(asked.get(UNTIL, "")),
        sort=sort if sort in SORTS else NEWEST,
        page=page_number(asked),
    )


def _show(wanted: str, statuses: tuple[str, ...], batch: int | None) -> str:
    """The preset asked for; all where it could have nothing in it of that batch, or has a status of its own."""
    preset = PRESETS.get(wanted, PRESETS[REVIEW])
    has_none = batch is not None and preset.is_undecided
    return ALL if has_none or (statuses and preset.status) else preset.name


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        return None


def _midnight(day: date) -> int:
    return int(datetime.combine(day, time(), UTC).timestamp())


def _number(text: str) -> int | None:
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        return None
    return int(text) if 0 < int(text) <= MAX_ID else None
