"""The changes of one page of the queue, and what can be chosen beside them."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Count, OuterRef, Subquery
from django.db.models.functions import Coalesce

from moderation.actors import Actor
from moderation.desk.filters import (
    ALL,
    BATCH,
    CATEGORY,
    KIND,
    NEWEST,
    PRESETS,
    PROPOSER,
    REVIEW,
    SINCE,
    SORTS,
    STATUS,
    UNTIL,
    QueueQuery,
)
from moderation.desk.marks import OpenChange, lives_of
from moderation.desk.warning_views import warning_views
from moderation.diffs import is_critical
from moderation.known_models import known_models, store_stamp
from moderation.live import live_form
from moderation.models import ChangeComment, PendingChange
from moderation.pages.change_view import OPERATION_LABELS, STATUS_LABELS, ChangeView
from moderation.querysets import PendingChangeQuerySet
from moderation.review import proposed_record
from moderation.states import OPEN_STATUSES, Operation, Status
from moderation.telling import told_diffs
from references.categories import CATEGORIES
from references.pages.choices import VALUES_FOLDED, VALUES_SHOWN, Chip, Option
from references.pages.links import PageLinks

# Fields of an edit that a row names; the rest is counted.
FIELDS_NAMED = 4


@dataclass(frozen=True, slots=True)
class QueueRow:
    """A change in the list. `fields` are the first few that an open edit touches, critical ones first.

    `faults` counts the warnings on its page; `is_faulty` says that it could not be applied as it is.
    """

    view: ChangeView
    marks: OpenChange | None
    is_own: bool
    is_chosen: bool
    fields: Sequence[tuple[str, bool]]
    more_fields: int
    comments: int
    faults: int
    is_faulty: bool

    @property
    def change(self) -> PendingChange:
        return self.view.change

    @property
    def fault_words(self) -> str:
        return f"{self.faults} to look at"

    @property
    def is_decidable(self) -> bool:
        return self.change.status == Status.PENDING


@dataclass(frozen=True, slots=True)
class FilterName:
    name: str
    label: str


@dataclass(frozen=True, slots=True)
class FilterOptions:
    """The values of one filter, as the facets of the catalogue show theirs."""

    facet: FilterName
    shown: Sequence[Option]
    folded: Sequence[Option]
    left_out: int = 0


FILTERS = (
    FilterName(STATUS, "Status"),
    FilterName(KIND, "Kind"),
    FilterName(CATEGORY, "Category"),
    FilterName(PROPOSER, "Proposed by"),
)


def with_row_facts(changes: PendingChangeQuerySet) -> PendingChangeQuerySet:
    """Changes with what `queue_rows` needs of other tables: read with them, it takes no reads of its own."""
    said = ChangeComment.objects.filter(change_id=OuterRef("change_id")).order_by().values("change_id")
    counted = Subquery(said.annotate(count=Count("pk")).values("count"))
    return changes.annotate(comment_count=Coalesce(counted, 0), store_stamp=store_stamp())


def queue_rows(
    changes: Sequence[PendingChange],
    marked: Mapping[int, OpenChange],
    actor: Actor,
    chosen: Collection[int],
) -> list[QueueRow]:
    """In two reads, however many changes there are: they are of one page, and `with_row_facts`."""
    lives = lives_of(change for change in changes if change.status in OPEN_STATUSES)
    known = known_models(changes[0].store_stamp or 0) if changes else None
    rows = []
    for change in changes:
        fields = []
        if change.status in OPEN_STATUSES and change.operation == Operation.UPDATE:
            live = lives.get((change.category, change.model_name))
            current = live_form(change.domain, change.category, live)
            diffs = told_diffs(change.category, current, proposed_record(change, live)).telling
            fields = sorted(
                ((diff.path, is_critical(change.category, [diff])) for diff in diffs),
                key=lambda field: not field[1],
            )
        warnings, fault = warning_views(change, known)
        rows.append(
            QueueRow(
                ChangeView(change),
                marked.get(change.change_id),
                is_own=change.requested_by == actor.user_id,
                is_chosen=change.change_id in chosen,
                fields=fields[:FIELDS_NAMED],
                more_fields=max(0, len(fields) - FIELDS_NAMED),
                comments=change.comment_count,
                faults=len(warnings),
                is_faulty=bool(fault),
            )
        )
    return rows


def preset_options(
    asked: QueueQuery, path: str, marked: Mapping[int, OpenChange], actor: Actor
) -> list[Option]:
    """The presets with what is in each of them, whatever else the list is narrowed down by."""
    links = PageLinks(path, {})
    options = []
    for preset in PRESETS.values():
        if preset.name == ALL:
            count = PendingChange.objects.count()
        elif preset.test is not None:
            count = sum(preset.test(each, actor) for each in marked.values())
        else:
            count = sum(each.status == preset.status for each in marked.values())
        is_chosen = asked.show == preset.name
        url = links.replaced(show=None if preset.name == REVIEW else preset.name)
        options.append(Option(preset.label, url, is_chosen, count))
    return options


def order_options(asked: QueueQuery, links: PageLinks) -> list[Option]:
    """Ways to order what is shown, as links like the presets but apart from them."""
    return [
        Option(label, links.replaced(sort=None if name == NEWEST else name), asked.sort == name)
        for name, label in SORTS.items()
    ]


@dataclass(frozen=True, slots=True)
class Tally:
    """How many of the preset's changes have each combination of values, and what proposers are called."""

    counts: Mapping[tuple[str, str, str, str], int]
    names: Mapping[str, str]

    @classmethod
    def of(cls, changes: PendingChangeQuerySet) -> "Tally":
        counts: Counter[tuple[str, str, str, str]] = Counter()
        names = {}
        columns = ("status", "operation", "category", "requested_by", "requested_username")
        grouped = changes.order_by().values_list(*columns).annotate(Count("pk"))
        for *values, proposer, username, count in grouped:
            counts[*values, proposer] += count
            names[proposer] = username
        return cls(counts, names)

    def total(self, asked: QueueQuery) -> int:
        return sum(count for values, count in self.counts.items() if _fits(values, _chosen(asked)))

    def options(self, asked: QueueQuery, links: PageLinks) -> list[FilterOptions]:
        """Each filter's values that lead somewhere, with what would be left; the chosen ones in any case."""
        return [
            self._filter(place, name, _chosen(asked), links)
            for place, name in enumerate(FILTERS)
            if not (name.name == STATUS and asked.preset.status)
        ]

    def label(self, name: str, value: str) -> str:
        if name == STATUS:
            return STATUS_LABELS[Status(value)]
        if name == KIND:
            return OPERATION_LABELS[Operation(value)]
        return CATEGORIES[value].label if name == CATEGORY else self.names.get(value, value)

    def _filter(
        self, place: int, name: FilterName, chosen: Sequence[Sequence[str]], links: PageLinks
    ) -> FilterOptions:
        others = [values if other != place else () for other, values in enumerate(chosen)]
        counts = Counter(dict.fromkeys(chosen[place], 0))
        for values, count in self.counts.items():
            if _fits(values, others):
                counts[values[place]] += count
        ordered = sorted(counts, key=lambda value: (value not in chosen[place], -counts[value], value))
        options = [
            Option(
                self.label(name.name, value),
                links.toggled(name.name, value),
                value in chosen[place],
                counts[value],
            )
            for value in ordered[: VALUES_SHOWN + VALUES_FOLDED]
        ]
        shown = VALUES_SHOWN if len(options) > VALUES_SHOWN + 2 else len(options)
        return FilterOptions(name, options[:shown], options[shown:])


def filter_chips(asked: QueueQuery, tally: Tally, links: PageLinks) -> list[Chip]:
    chips = [
        Chip(name.label, tally.label(name.name, value), links.toggled(name.name, value))
        for name, values in zip(FILTERS, _chosen(asked), strict=True)
        for value in values
    ]
    single = (
        (BATCH, "Batch", asked.batch),
        (SINCE, "Proposed since", asked.since),
        (UNTIL, "Proposed until", asked.until),
    )
    chips[:0] = [
        Chip(label, str(value), links.replaced(**{name: None})) for name, label, value in single if value
    ]
    if asked.text:
        chips.insert(0, Chip("Name", asked.text, links.replaced(q=None)))
    return chips


def _chosen(asked: QueueQuery) -> Sequence[Sequence[str]]:
    return asked.statuses, asked.kinds, asked.categories, asked.proposers


def _fits(values: Sequence[str], wanted: Sequence[Sequence[str]]) -> bool:
    return all(not any_of or value in any_of for value, any_of in zip(values, wanted, strict=True))
