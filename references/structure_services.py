"""The only writers of aliases, families and naming schemas of text groups.

Each takes the lock of the one state row, checks, writes, bumps the revision and announces the write, in one
transaction. What would change nothing is neither written nor counted nor announced.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import transaction
from rest_framework.exceptions import NotFound

from references.journal import SYSTEM, StructureKind, StructureWrite, structure_announce
from references.problems import Conflict
from references.services import json_text
from references.structure_models import (
    RESERVED_FAMILY,
    GroupAlias,
    GroupAliasEntry,
    GroupFamily,
    GroupFamilyMember,
    GroupNameSchema,
    TextStructureState,
)
from references.text import DEFAULT_PART_ORDER, DEFAULT_SEPARATOR
from references.text_structure import alias_entry, family_entry

DEFAULT_SCHEMA = {
    "separator": DEFAULT_SEPARATOR,
    "part_order": list(DEFAULT_PART_ORDER),
    "author_included": True,
    "common_author": None,
    "template": None,
    "extra_parts": [],
}


def structure_lock() -> TextStructureState:
    """The state row, locked until the end of the transaction."""
    state, _ = TextStructureState.objects.select_for_update().get_or_create(pk=TextStructureState.ROW)
    return state


@transaction.atomic
def aliases_put(*, canonical: str, aliases: Iterable[str], actor: str = SYSTEM) -> dict[str, Any]:
    """Replaces the aliases of a group, of which there may be none; repeated ones count once."""
    state = structure_lock()
    wanted = list(dict.fromkeys(aliases))
    aliases_check(canonical, wanted)
    stored = _aliases_stored(canonical)
    if wanted != stored:
        entry, _ = GroupAliasEntry.objects.get_or_create(canonical=canonical)
        entry.aliases.all().delete()
        GroupAlias.objects.bulk_create(
            GroupAlias(entry=entry, alias=alias, position=position) for position, alias in enumerate(wanted)
        )
        before = None if stored is None else alias_entry(canonical, stored)
        _record(state, "alias", canonical, before, alias_entry(canonical, wanted), actor)
    return alias_entry(canonical, wanted)


@transaction.atomic
def alias_add(*, canonical: str, alias: str, actor: str = SYSTEM) -> dict[str, Any]:
    """Adds an alias, with an entry if there is none; one that is there already stays where it is."""
    structure_lock()
    return aliases_put(canonical=canonical, aliases=[*(_aliases_stored(canonical) or ()), alias], actor=actor)


@transaction.atomic
def alias_remove(*, canonical: str, alias: str, actor: str = SYSTEM) -> dict[str, Any]:
    """Removes an alias, and with the last one the entry; raises NotFound."""
    structure_lock()
    stored = _aliases_stored(canonical)
    if stored is None:
        raise alias_entry_not_found(canonical)
    if alias not in stored:
        raise NotFound(f"'{alias}' is no alias of canonical group '{canonical}'")
    left = [other for other in stored if other != alias]
    if left:
        return aliases_put(canonical=canonical, aliases=left, actor=actor)
    aliases_delete(canonical=canonical, actor=actor)
    return alias_entry(canonical, left)


@transaction.atomic
def aliases_delete(*, canonical: str, actor: str = SYSTEM) -> None:
    """Removes an entry with all its aliases; raises NotFound."""
    state = structure_lock()
    stored = _aliases_stored(canonical)
    if stored is None:
        raise alias_entry_not_found(canonical)
    GroupAliasEntry.objects.filter(canonical=canonical).delete()
    _record(state, "alias", canonical, alias_entry(canonical, stored), None, actor)


@transaction.atomic
def family_put(*, name: str, members: Iterable[str], actor: str = SYSTEM) -> dict[str, Any]:
    """Creates a family or replaces its members; those left out are free for other families."""
    state = structure_lock()
    wanted = sorted(set(members))
    family_check(name, wanted)
    stored = _members_stored(name)
    if wanted != stored:
        family, _ = GroupFamily.objects.get_or_create(name=name)
        family.members.exclude(group__in=wanted).delete()
        GroupFamilyMember.objects.bulk_create(
            GroupFamilyMember(group=group, family=family) for group in wanted if group not in stored
        )
        before = family_entry(name, stored) if stored else None
        _record(state, "family", name, before, family_entry(name, wanted), actor)
    return family_entry(name, wanted)


@transaction.atomic
def family_member_add(*, name: str, group: str, actor: str = SYSTEM) -> dict[str, Any]:
    """Adds a group to a family, where it may be already; raises NotFound without such a family."""
    structure_lock()
    return family_put(name=name, members=[*_family_members(name), group], actor=actor)


@transaction.atomic
def family_member_remove(*, name: str, group: str, actor: str = SYSTEM) -> dict[str, Any]:
    """Takes a group out of a family, which goes with its last one; raises NotFound."""
    structure_lock()
    stored = _family_members(name)
    if group not in stored:
        raise NotFound(f"'{group}' is no member of family '{name}'")
    left = [member for member in stored if member != group]
    if left:
        return family_put(name=name, members=left, actor=actor)
    family_delete(name=name, actor=actor)
    return family_entry(name, left)


@transaction.atomic
def family_delete(*, name: str, actor: str = SYSTEM) -> None:
    """Removes a family, not its groups; raises NotFound."""
    state = structure_lock()
    stored = _family_members(name)
    GroupFamily.objects.filter(name=name).delete()
    _record(state, "family", name, family_entry(name, stored), None, actor)


@transaction.atomic
def name_schema_put(*, group: str, schema: dict[str, Any], actor: str = SYSTEM) -> dict[str, Any]:
    """Lays the whole naming schema of a group down."""
    state = structure_lock()
    stored = _schema_stored(group)
    if schema != stored:
        GroupNameSchema.objects.update_or_create(group=group, defaults={"schema": json_text(schema)})
        _record(state, "name_schema", group, stored, schema, actor)
    return schema


@transaction.atomic
def name_schema_change(*, group: str, changes: Mapping[str, Any], actor: str = SYSTEM) -> dict[str, Any]:
    """Lays parts of a group's naming schema down; a part that is None stays as it is.

    The rest comes from the schema in force, perhaps that of the group this one is an alias of, else from the
    defaults; what the names in the group look like does not count. Returns the whole schema.
    """
    structure_lock()
    base = _schema_stored(group) or _schema_stored(_canonical_stored(group)) or DEFAULT_SCHEMA
    schema = {part: base[part] if changes.get(part) is None else changes[part] for part in DEFAULT_SCHEMA}
    return name_schema_put(group=group, schema=schema, actor=actor)


@transaction.atomic
def name_schema_delete(*, group: str, actor: str = SYSTEM) -> None:
    """Removes the schema stored for exactly this group; raises NotFound."""
    state = structure_lock()
    stored = _schema_stored(group)
    if stored is None:
        raise NotFound(f"No naming schema is stored for group '{group}'")
    GroupNameSchema.objects.filter(group=group).delete()
    _record(state, "name_schema", group, stored, None, actor)


def aliases_check(canonical: str, aliases: Sequence[str]) -> None:
    """Raises Conflict where these cannot be the aliases of this group."""
    if canonical in aliases:
        raise Conflict(f"Canonical group '{canonical}' cannot be an alias of itself")
    elsewhere = GroupAlias.objects.filter(alias__in=aliases).exclude(entry_id=canonical)
    if taken := elsewhere.order_by("alias").first():
        raise Conflict(f"Alias '{taken.alias}' already belongs to canonical group '{taken.entry_id}'")


def family_check(name: str, members: Sequence[str]) -> None:
    """Raises Conflict where these cannot be the members of this family."""
    if name == RESERVED_FAMILY:
        raise Conflict(f"A family cannot be called '{name}', which names the detector of families")
    if not members:
        raise Conflict(f"Family '{name}' needs at least one member")
    elsewhere = GroupFamilyMember.objects.filter(group__in=members).exclude(family_id=name)
    if taken := elsewhere.order_by("group").first():
        raise Conflict(f"Group '{taken.group}' already is a member of family '{taken.family_id}'")


def alias_entry_not_found(canonical: str) -> NotFound:
    return NotFound(f"Canonical group '{canonical}' has no alias entry")


def family_not_found(name: str) -> NotFound:
    return NotFound(f"Family '{name}' does not exist.")


def _aliases_stored(canonical: str) -> list[str] | None:
    """In their order; None without an entry."""
    entry = GroupAliasEntry.objects.filter(canonical=canonical).first()
    return entry and entry.listed()


def _members_stored(name: str) -> list[str]:
    return sorted(GroupFamilyMember.objects.filter(family_id=name).values_list("group", flat=True))


def _family_members(name: str) -> list[str]:
    stored = _members_stored(name)
    if not stored:
        raise family_not_found(name)
    return stored


def _canonical_stored(group: str) -> str | None:
    return GroupAlias.objects.filter(alias=group).values_list("entry_id", flat=True).first()


def _schema_stored(group: str | None) -> dict[str, Any] | None:
    stored = GroupNameSchema.objects.filter(group=group).first()
    return stored and stored.as_dict()


def _record(
    state: TextStructureState,
    kind: StructureKind,
    name: str,
    before: dict | None,
    after: dict | None,
    actor: str,
) -> None:
    state.revision += 1
    state.save()
    operation = "create" if before is None else "delete" if after is None else "update"
    structure_announce(StructureWrite(kind, name, operation, before, after, actor))
