"""Aliases, families and naming schemas of text groups, kept in memory while their revision stands."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.db import connection

from references.commit_mark import asked_once
from references.remembered import read_settled, remember, remembered_in_transaction
from references.structure_models import (
    GroupAliasEntry,
    GroupFamilyMember,
    GroupNameSchema,
    TextStructureState,
)


def alias_entry(canonical: str, aliases: Iterable[str]) -> dict[str, Any]:
    return {"canonical": canonical, "aliases": list(aliases)}


def family_entry(name: str, members: Iterable[str]) -> dict[str, Any]:
    return {"family_name": name, "members": list(members)}


@dataclass(frozen=True)
class TextStructure:
    """The structure as it was at one revision.

    `aliases` lists the aliases of each canonical group name, in stored order; `families` the groups of each
    family, sorted; `schemas` holds each group's naming schema. All three are sorted by their key.
    """

    revision: int
    aliases: Mapping[str, tuple[str, ...]]
    families: Mapping[str, tuple[str, ...]]
    schemas: Mapping[str, dict]

    @cached_property
    def canonical_names(self) -> dict[str, str]:
        """Canonical group name by alias."""
        return {alias: canonical for canonical, aliases in self.aliases.items() for alias in aliases}

    @cached_property
    def family_names(self) -> dict[str, str]:
        """Family name by group."""
        return {group: family for family, members in self.families.items() for group in members}

    def canonical(self, group: str) -> str:
        """The group an alias stands for, which is not looked up again; any other name itself."""
        return self.canonical_names.get(group, group)

    def schema(self, group: str) -> dict | None:
        """The schema stored for the group, or for the one it is an alias of."""
        return self.schemas.get(group) or self.schemas.get(self.canonical(group))

    def family_of(self, group: str) -> tuple[str, tuple[str, ...]] | None:
        """Name and members of the family the group is in."""
        name = self.family_names.get(group)
        return None if name is None else (name, self.families[name])


_KEY = "text structure"
_held: TextStructure | None = None


def _hold(fresh: TextStructure) -> None:
    global _held
    _held = fresh


def structure_revision() -> int:
    """Zero before the first write. Every read asks, so this costs no more than it must."""
    return asked_once(_KEY, _revision_stored)


def _revision_stored() -> int:
    with connection.cursor() as cursor:
        cursor.execute(_REVISION_SQL, (TextStructureState.ROW,))
        found = cursor.fetchone()
    return found[0] if found else 0


_REVISION_SQL = f"SELECT revision FROM {TextStructureState._meta.db_table} WHERE id = %s"  # noqa: S608


def text_structure() -> TextStructure:
    """The structure as it is now. A process reads it again only after its revision moved."""
    held = remembered_in_transaction(_KEY) or _held
    if held is not None and held.revision == structure_revision():
        return held
    fresh = read_settled(structure_revision, _structure_read)
    remember(_KEY, fresh, _hold)
    return fresh


def _structure_read(revision: int) -> TextStructure:
    entries = GroupAliasEntry.objects.order_by("aliases__position").values_list("canonical", "aliases__alias")
    members = GroupFamilyMember.objects.values_list("family_id", "group")
    # Sorted here, by code point: the order of text in a database is a matter of its collation.
    return TextStructure(
        revision=revision,
        aliases=_listed(entries),
        families=_listed(sorted(members)),
        schemas={row.group: row.as_dict() for row in sorted(GroupNameSchema.objects.all(), key=str)},
    )


def _listed(pairs: Iterable[tuple[str, str | None]]) -> dict[str, tuple[str, ...]]:
    """The second parts by the first, which are sorted; a part that is None leaves an empty list."""
    lists: dict[str, list[str]] = {}
    for owner, item in pairs:
        owned = lists.setdefault(owner, [])
        if item is not None:
            owned.append(item)
    return {owner: tuple(lists[owner]) for owner in sorted(lists)}
