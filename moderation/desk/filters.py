"""What the queue is asked to show, read from a query string. What means nothing there counts as not asked for."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from django.http import QueryDict
from django.utils.http import urlencode

from moderation.actors import Actor
from moderation.desk.marks import OpenChange
from moderation.models import PendingChange
from moderation.querysets import MAX_ID, PendingChangeQuerySet
from moderation.states import STORED_STATUSES, Status
from references.categories import CATEGORIES
from references.pages.links import PAGE, PageLinks, Query
from references.pages.list_query import MOST_CHOSEN, SEARCH, SORT, page_number, search_text

SHOW, STATUS, CATEGORY, PROPOSER, BATCH = "show", "status", "category", "by", "batch"
NEWEST, OLDEST = "newest", "oldest"
SORTS = {NEWEST: "Newest first", OLDEST: "Oldest first"}

Test = Callable[[OpenChange, Actor], bool]


@dataclass(frozen=True, slots=True)
class Preset:
    """A selection of changes: those of one status, or open ones that pass a test; all where it has neither."""

    name: str
    label: str
    status: Status | None = None
    test: Test | None = None


REVIEW, ALL = "review", "all"
PRESETS: dict[str, Preset] = {
    preset.name: preset
    for preset in (
        Preset(REVIEW, "To review", Status.PENDING),
        Preset(
            "others",
            "Not mine",
            test=lambda change, actor: (
                change.status == Status.PENDING and change.requested_by != actor.user_id
            ),
        ),
        Preset(
            "critical",
            "Critical",
            test=lambda change, actor: change.status == Status.PENDING and change.is_critical,
        ),
        Preset(
            "stale", "Stale", test=lambda change, actor: change.status == Status.PENDING and change.is_stale
        ),
        Preset("competing", "Competing", test=lambda change, actor: change.is_competing),
        Preset("approved", "To apply", Status.APPROVED),
        Preset(ALL, "All"),
    )
}


@dataclass(frozen=True, slots=True)
class QueueQuery:
    """A preset, and what it is narrowed down by; any of several values of one filter will do."""

    show: str = REVIEW
    text: str = ""
    statuses: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    proposers: tuple[str, ...] = ()
    batch: int | None = None
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
            SORT: "" if self.sort == NEWEST else self.sort,
        }
        several = {STATUS: self.statuses, CATEGORY: self.categories, PROPOSER: self.proposers}
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
        """The preset, narrowed by text and batch alone."""
        found = PendingChange.objects.matching(model_name=self.text, batch_id=self.batch)
        if self.preset.status is not None:
            return found.filter(status=self.preset.status)
        if (test := self.preset.test) is not None:
            return found.with_ids(change_id for change_id, each in marked.items() if test(each, actor))
        return found

    def narrowed(self, changes: PendingChangeQuerySet) -> PendingChangeQuerySet:
        return changes.matching(
            statuses=self.statuses, categories=self.categories, requested_by=self.proposers
        )

    def in_order(self, changes: PendingChangeQuerySet) -> PendingChangeQuerySet:
        return changes.order_by("change_id" if self.is_oldest_first else "-change_id")


def queue_query_parse(asked: QueryDict) -> QueueQuery:
    show, sort, batch = asked.get(SHOW, ""), asked.get(SORT, ""), asked.get(BATCH, "").strip()
    return QueueQuery(
        show=show if show in PRESETS else REVIEW,
        text=search_text(asked),
        statuses=tuple(status.value for status in STORED_STATUSES if status in asked.getlist(STATUS)),
        categories=tuple(name for name in CATEGORIES if name in asked.getlist(CATEGORY)),
        proposers=tuple(dict.fromkeys(filter(None, map(str.strip, asked.getlist(PROPOSER)))))[:MOST_CHOSEN],
        batch=_number(batch),
        sort=sort if sort in SORTS else NEWEST,
        page=page_number(asked),
    )


def _number(text: str) -> int | None:
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        return None
    return int(text) if 0 < int(text) <= MAX_ID else None
