"""What is stored about groups of text models: aliases, families, naming schemas, and their revision."""

import json

from django.db import models
from django.db.models import F, Q

from references.vocabulary import NAME_LENGTH

# Reading this family would meet the detector of families, which owns the path.
RESERVED_FAMILY = "detect"


class TextStructureState(models.Model):
    """The one row whose `revision` grows with each write to the tables below, in that write's transaction."""

    ROW = 1

    id = models.PositiveSmallIntegerField(primary_key=True, default=ROW)
    revision = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(id=1), name="text_structure_has_one_state"),
            models.CheckConstraint(condition=Q(revision__gte=0), name="text_structure_revision_not_negative"),
        ]

    def __str__(self) -> str:
        return f"revision {self.revision}"


class GroupAliasEntry(models.Model):
    """A canonical group name, whether or not a group of that name exists. It may have no alias."""

    canonical = models.CharField("canonical group name", max_length=NAME_LENGTH, primary_key=True)

    class Meta:
        ordering = ["canonical"]
        verbose_name = "alias entry"
        verbose_name_plural = "alias entries"
        constraints = [
            models.CheckConstraint(condition=~Q(canonical=""), name="alias_entry_has_a_name"),
        ]

    def __str__(self) -> str:
        return self.canonical

    def listed(self) -> list[str]:
        """The aliases, in their order."""
        return [row.alias for row in self.aliases.all()]


class GroupAlias(models.Model):
    """Another name of a canonical group; it belongs to one entry only."""

    entry = models.ForeignKey(GroupAliasEntry, models.CASCADE, related_name="aliases")
    alias = models.CharField(max_length=NAME_LENGTH, unique=True)
    position = models.PositiveIntegerField()

    class Meta:
        ordering = ["position"]
        verbose_name_plural = "group aliases"
        constraints = [
            models.CheckConstraint(condition=~Q(alias=""), name="alias_is_not_empty"),
            models.CheckConstraint(condition=~Q(alias=F("entry")), name="alias_is_not_its_canonical_name"),
            models.UniqueConstraint(fields=["entry", "position"], name="one_alias_per_entry_and_position"),
        ]

    def __str__(self) -> str:
        return self.alias


class GroupFamily(models.Model):
    """A label over several groups. It goes with its last member."""

    name = models.CharField("family name", max_length=NAME_LENGTH, primary_key=True)

    class Meta:
        ordering = ["name"]
        verbose_name_plural = "group families"
        constraints = [
            models.CheckConstraint(condition=~Q(name=""), name="family_has_a_name"),
            models.CheckConstraint(condition=~Q(name=RESERVED_FAMILY), name="family_name_is_not_reserved"),
        ]

    def __str__(self) -> str:
        return self.name

    def listed(self) -> list[str]:
        """The groups, sorted by code point."""
        return sorted(row.group for row in self.members.all())


class GroupFamilyMember(models.Model):
    """A group in a family; a group is in one family at most, whether or not a record is in the group."""

    group = models.CharField("group name", max_length=NAME_LENGTH, primary_key=True)
    family = models.ForeignKey(GroupFamily, models.CASCADE, related_name="members")

    class Meta:
        ordering = ["group"]
        constraints = [
            models.CheckConstraint(condition=~Q(group=""), name="family_member_has_a_name"),
        ]

    def __str__(self) -> str:
        return self.group


class GroupNameSchema(models.Model):
    """How the names in a group are to be put together, as JSON text."""

    group = models.CharField("group name", max_length=NAME_LENGTH, primary_key=True)
    schema = models.TextField()

    class Meta:
        ordering = ["group"]
        verbose_name = "naming schema"
        constraints = [
            models.CheckConstraint(condition=~Q(group=""), name="name_schema_has_a_group"),
        ]

    def __str__(self) -> str:
        return self.group

    def as_dict(self) -> dict:
        return json.loads(self.schema)
