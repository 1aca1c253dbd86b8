"""The rows of the deletion-risk page: which models or groups, in which order, with their members."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from references.deletion_risk import RiskEntry, RiskFlag
from references.pages.risk_words import FLAG_WORDS, FlagWords
from references.risk_report import PRESETS

GB = 10**9
# Of a group; all of them are in the list of models that the rest leads to.
MOST_MEMBERS = 4
DEFAULT_SORT = "-month"
SORTS: dict[str, Callable[[RiskEntry], object]] = {
    "name": lambda entry: entry.name.casefold(),
    "workers": lambda entry: entry.worker_count,
    "day": lambda entry: entry.usage.day,
    "month": lambda entry: entry.usage.month,
    "total": lambda entry: entry.usage.total,
    "size": lambda entry: entry.size,
    "value": lambda entry: entry.cost_benefit,
    "score": lambda entry: (entry.is_critical, entry.risk_score),
}


@dataclass(frozen=True, slots=True)
class RowFlag:
    """A flag of a row; `part` tells how many of a group's members have it, where not all do."""

    words: FlagWords
    part: str = ""


@dataclass(frozen=True, slots=True)
class RiskRow:
    """`members` are the models of a group, or none for a model. `links_to` is the model the name leads to.

    `flags` of a member are those that not every member has: the others are said once, of the group. `size` is in
    bytes, as the catalogue shows it; the report's is in binary units, and rounded.
    """

    entry: RiskEntry
    flags: Sequence[RowFlag]
    links_to: str
    members: Sequence["RiskRow"] = ()
    size: float | None = None

    @property
    def month_per_gb(self) -> float | None:
        """The past month's requests for each 10^9 bytes."""
        return self.entry.usage.month * GB / self.size if self.size else None

    @property
    def shown(self) -> Sequence["RiskRow"]:
        return self.members[:MOST_MEMBERS]

    @property
    def left_out(self) -> int:
        return len(self.members) - len(self.shown)


@dataclass(frozen=True, slots=True)
class RiskView:
    """All entries with, by entry name, the models they stand for, and the bytes of those that have files."""

    entries: Sequence[RiskEntry]
    members: Mapping[str, Sequence[RiskEntry]]
    sizes: Mapping[str, float | None]

    def names_of(self, entry: RiskEntry) -> list[str]:
        members = self.members.get(entry.name)
        return [member.name for member in members] if members else [entry.name]

    def flagged(self, flags: Collection[RiskFlag]) -> list[RiskEntry]:
        """Entries that have all the flags."""
        wanted = frozenset(flags)
        return [entry for entry in self.entries if wanted <= entry.flags]

    def fitting(self, names: Collection[str], entries: Sequence[RiskEntry]) -> list[RiskEntry]:
        """Those of the entries of which at least one model is among the names."""
        return [entry for entry in entries if not names.isdisjoint(self.names_of(entry))]

    def rows(self, entries: Sequence[RiskEntry]) -> list[RiskRow]:
        return [self._row(entry) for entry in entries]

    def _row(self, entry: RiskEntry) -> RiskRow:
        members = self.members.get(entry.name, ())
        if not members:
            size = self.sizes.get(entry.name)
            return RiskRow(entry, _row_flags(entry, [entry]), entry.name, size=size)
        if len(members) == 1:
            return RiskRow(entry, _row_flags(entry, members), members[0].name)
        flags = _row_flags(entry, members)
        parted = {flag.words for flag in flags if flag.part}
        rows = [
            RiskRow(
                member, [flag for flag in _row_flags(member, [member]) if flag.words in parted], member.name
            )
            for member in members
        ]
        return RiskRow(entry, flags, "", rows)


def _row_flags(entry: RiskEntry, members: Sequence[RiskEntry]) -> list[RowFlag]:
    flags = []
    for flag, words in FLAG_WORDS.items():
        if flag in entry.flags:
            count = sum(flag in member.flags for member in members)
            flags.append(RowFlag(words, f"{count} of {len(members)}" if count < len(members) else ""))
    return flags


def preset_entries(entries: Sequence[RiskEntry], preset: str) -> list[RiskEntry]:
    return [entry for entry in entries if PRESETS[preset](entry)] if preset else list(entries)


def entries_sorted(entries: Sequence[RiskEntry], sort: str) -> list[RiskEntry]:
    """Entries in order; ties stay as they are, entries without the figure come last."""
    key = SORTS[sort.removeprefix("-")]
    known = [entry for entry in entries if key(entry) is not None]
    unknown = [entry for entry in entries if key(entry) is None]
    return [*sorted(known, key=key, reverse=sort.startswith("-")), *unknown]
