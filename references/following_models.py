"""What a REPLICA knows of the PRIMARY it follows: who follows it at the moment, and what was had of it when."""

from django.db import models
from django.db.models import Q


class PrimaryLink(models.Model):
    """The one row about the PRIMARY as a whole. Times are UNIX seconds.

    `primary` is its address without credentials. `holder` is the process that follows it now, until `held_until`
    at the latest; `due_at` is when the next round may begin. `failures` counts rounds in a row in which it could
    not be reached, of which `last_error` tells the last one.
    """

    ROW = 1

    id = models.PositiveSmallIntegerField(primary_key=True, default=ROW)
    primary = models.TextField(blank=True)
    holder = models.CharField(max_length=100, blank=True)
    held_until = models.FloatField(default=0)
    due_at = models.FloatField(default=0)
    answered_at = models.FloatField(null=True)
    failures = models.PositiveIntegerField(default=0)
    failed_at = models.FloatField(null=True)
    last_error = models.TextField(blank=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="one_primary_is_followed")]

    def __str__(self) -> str:
        return self.primary


class FollowedPart(models.Model):
    """A category, or the text structure: where what is held of it came from, and how it is known to be current.

    `revision`, `last_updated` and the two entity tags are the PRIMARY's, of the state that was copied;
    `local_revision` is what the copy brought the category to here. `fetched_at` is when that was read,
    `confirmed_at` when the source was last seen to have nothing else. Times are UNIX seconds.
    """

    class Source(models.TextChoices):
        NONE = "", "nothing yet"
        PRIMARY = "primary", "PRIMARY"
        GITHUB = "github", "GitHub"

    name = models.CharField(max_length=64, primary_key=True)
    source = models.CharField(max_length=10, blank=True, choices=Source)
    revision = models.BigIntegerField(null=True)
    last_updated = models.BigIntegerField(null=True)
    v2_tag = models.CharField(max_length=200, blank=True)
    v1_tag = models.CharField(max_length=200, blank=True)
    local_revision = models.BigIntegerField(default=0)
    fetched_at = models.FloatField(null=True)
    confirmed_at = models.FloatField(null=True)
    failures = models.PositiveIntegerField(default=0)
    retry_at = models.FloatField(default=0)
    failed_at = models.FloatField(null=True)
    last_error = models.TextField(blank=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=~Q(name=""), name="followed_part_has_a_name")]

    def __str__(self) -> str:
        return self.name
