"""Answers about groups of text models, computed once per revision of the models and of their structure."""

from collections.abc import Sequence
from functools import cached_property, lru_cache

from references.categories import TEXT_CATEGORY
from references.documents import Document, Snapshot, category_revision, snapshot
from references.services import json_text
from references.text import (
    distinct_baselines,
    families_detect,
    group_detail,
    group_inferred_schema,
    groups_health,
    groups_list,
    groups_summary,
)
from references.text.members import members_by_group
from references.text_structure import TextStructure, structure_revision, text_structure

# Families are detected within bounds that clients choose, nearly always the default ones.
REMEMBERED_BOUNDS = 8


class TextGroups:
    """The groups of one snapshot under one structure. Each answer is made when first asked for."""

    def __init__(self, held: Snapshot, structure: TextStructure) -> None:
        self.snapshot = held
        self.structure = structure
        self._details: dict[str, Document] = {}
        self.families = lru_cache(maxsize=REMEMBERED_BOUNDS)(self._families)

    @property
    def state(self) -> tuple[int, int]:
        """The revisions of the models and of the structure."""
        return self.snapshot.revision, self.structure.revision

    @cached_property
    def records(self) -> Sequence[dict]:
        return [row.record for row in self.snapshot.rows]

    @cached_property
    def members(self) -> dict[str, list[dict]]:
        """The records of each group."""
        return members_by_group(self.records)

    @cached_property
    def names(self) -> Document:
        return _document(groups_list(self.records))

    @cached_property
    def summary(self) -> Document:
        structure = self.structure
        return _document(
            groups_summary(
                self.records,
                aliases=structure.aliases,
                families=structure.families,
                schemas=structure.schemas,
            )
        )

    @cached_property
    def health(self) -> Document:
        return _document(groups_health(self.records))

    @cached_property
    def baselines(self) -> Document:
        return _document(distinct_baselines(self.records))

    def _families(self, **bounds: int) -> Document:
        names = self.snapshot.by_name
        return _document(families_detect(names, aliases=self.structure.canonical_names, **bounds))

    def detail(self, group: str) -> Document | None:
        """All about one group; None when no record is in it."""
        if group not in self.members:
            return None
        if group not in self._details:
            structure = self.structure
            self._details[group] = _document(
                group_detail(
                    group,
                    self.members[group],
                    schema=structure.schema(group),
                    family=structure.family_of(group),
                )
            )
        return self._details[group]

    def inferred_schema(self, group: str) -> dict | None:
        """The naming schema that the group's names follow; None for a group without canonical members."""
        return group_inferred_schema(group, self.members.get(group, ()))


def groups_hold(state: tuple[int, int]) -> bool:
    """Whether groups of this state are those of now."""
    return state == (category_revision(TEXT_CATEGORY), structure_revision())


_held: TextGroups | None = None


def text_groups() -> TextGroups:
    """The groups as they are now."""
    global _held
    held, models, structure = _held, snapshot(TEXT_CATEGORY), text_structure()
    if held is None or held.snapshot is not models or held.structure is not structure:
        _held = held = TextGroups(models, structure)
    return held


def _document(value: dict) -> Document:
    return Document(json_text(value).encode())
