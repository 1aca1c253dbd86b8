"""What is stored: categories with their revision and counters, and the records of each."""

import json

from django.db import models
from django.db.models import Q

from references.categories import CATEGORIES, CategorySpec
from references.following_models import FollowedPart, PrimaryLink
from references.querysets import CategoryQuerySet, CategoryRecordManager, ModelRecordQuerySet
from references.structure_models import (
    GroupAlias,
    GroupAliasEntry,
    GroupFamily,
    GroupFamilyMember,
    GroupNameSchema,
    TextStructureState,
)
from references.usage_models import UsageDay
from references.vocabulary import NAME_LENGTH

__all__ = [
    "CATEGORY_MODELS",
    "Category",
    "FollowedPart",
    "GroupAlias",
    "GroupAliasEntry",
    "GroupFamily",
    "GroupFamilyMember",
    "GroupNameSchema",
    "HordeCircuit",
    "LegacySource",
    "ModelRecord",
    "PrimaryLink",
    "TextStructureState",
    "UsageDay",
    "UsageSnapshot",
]


class Category(models.Model):
    """A category's revision and counters. Times are whole UNIX seconds.

    `revision` grows by one with every write to the category, in the transaction of that write: a process that
    remembers a revision can tell from this one number whether what it holds is still true.
    """

    name = models.CharField(max_length=64, primary_key=True)
    revision = models.BigIntegerField(default=0)
    initialized_at = models.BigIntegerField()
    last_updated = models.BigIntegerField()
    last_successful_operation = models.BigIntegerField()
    last_operation_type = models.CharField(max_length=10, null=True)  # noqa: DJ001 - null is what the API answers
    last_operation_model = models.CharField(max_length=NAME_LENGTH, null=True)  # noqa: DJ001
    total_creates = models.BigIntegerField(default=0)
    total_updates = models.BigIntegerField(default=0)
    total_deletes = models.BigIntegerField(default=0)
    error_count = models.BigIntegerField(default=0)

    objects = CategoryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "categories"
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    revision__gte=0, total_creates__gte=0, total_updates__gte=0, total_deletes__gte=0
                ),
                name="category_counters_not_negative",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def spec(self) -> CategorySpec:
        return CATEGORIES[self.name]


class LegacySource(models.Model):
    """The text of the legacy file a category was imported from.

    While the category still is at `revision`, version 1 of the API serves this text as it is. Later it tells
    an export which lines need not be written anew.
    """

    category = models.OneToOneField(Category, models.CASCADE, primary_key=True, related_name="legacy_source")
    text = models.TextField()
    revision = models.BigIntegerField()

    def __str__(self) -> str:
        return f"source of {self.category_id}"


class ModelRecord(models.Model):
    """One model. `record` is the v2 object and `legacy` the v1 object, both JSON text, whose key order counts.

    `legacy` is exactly what version 1 serves for the model; it is null where a category has no legacy form, and
    for text models, whose legacy entries are computed from the record. `revision` is that of the category at
    the model's last write. The remaining columns repeat parts of the record for the admin.
    """

    category = models.ForeignKey(Category, models.PROTECT, related_name="records")
    name = models.CharField(max_length=NAME_LENGTH)
    position = models.BigIntegerField()
    revision = models.BigIntegerField()
    record = models.TextField()
    legacy = models.TextField(null=True)  # noqa: DJ001 - an absent object is not an empty text
    baseline = models.TextField(blank=True)
    style = models.TextField(blank=True)
    nsfw = models.BooleanField(null=True)
    size_on_disk_bytes = models.BigIntegerField(null=True)
    updated_at = models.BigIntegerField()

    objects = ModelRecordQuerySet.as_manager()

    class Meta:
        ordering = ["category", "position"]
        verbose_name = "model"
        constraints = [
            models.UniqueConstraint(fields=["category", "name"], name="one_record_per_category_and_name"),
            models.UniqueConstraint(
                fields=["category", "position"], name="one_record_per_category_and_position"
            ),
            models.CheckConstraint(condition=~Q(name=""), name="record_has_a_name"),
        ]
        indexes = [models.Index(fields=["category", "revision"], name="record_changed_since")]

    def __str__(self) -> str:
        return self.name

    def as_dict(self) -> dict:
        return json.loads(self.record)

    def legacy_as_dict(self) -> dict | None:
        return None if self.legacy is None else json.loads(self.legacy)


def _proxy(spec: CategorySpec) -> type[ModelRecord]:
    """A model that stands for the records of one category, e.g. `ImageGeneration`."""

    class Meta:
        proxy = True
        verbose_name = f"{spec.label} model"

    attributes = {
        "__module__": __name__,
        "__doc__": f"The models of {spec.name}.",
        "Meta": Meta,
        "category_name": spec.name,
        "objects": CategoryRecordManager(),
    }
    return type("".join(word.capitalize() for word in spec.name.split("_")), (ModelRecord,), attributes)


CATEGORY_MODELS: dict[str, type[ModelRecord]] = {spec.name: _proxy(spec) for spec in CATEGORIES.values()}


class UsageSnapshot(models.Model):
    """The last good answer of the AI-Horde to one call: its JSON text and when it came, in UNIX seconds.

    `claimed_until` is when the claim of the process that fetches it anew lapses; a row at time 0 is only a claim.
    """

    path = models.CharField(max_length=100, primary_key=True)
    body = models.TextField()
    fetched_at = models.FloatField()
    claimed_until = models.FloatField(default=0)

    def __str__(self) -> str:
        return self.path


class HordeCircuit(models.Model):
    """The one circuit breaker of all calls for usage data, shared by every process. Times are UNIX seconds."""

    consecutive_failures = models.PositiveIntegerField(default=0)
    last_failure_at = models.FloatField(null=True)
    probing_until = models.FloatField(null=True)

    def __str__(self) -> str:
        return f"{self.consecutive_failures} failures in a row"
