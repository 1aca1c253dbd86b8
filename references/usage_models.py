"""What is kept of the usage of models, day by day."""

from datetime import date

from django.db import models

from references.vocabulary import NAME_LENGTH


class UsageDayQuerySet(models.QuerySet):
    def of_model(self, category: str, name: str) -> "UsageDayQuerySet":
        return self.filter(category=category, name=name)

    def since(self, day: date) -> "UsageDayQuerySet":
        return self.filter(day__gte=day)

    def before(self, day: date) -> "UsageDayQuerySet":
        return self.filter(day__lt=day)

    def in_time_order(self) -> "UsageDayQuerySet":
        return self.order_by("day")


class UsageDay(models.Model):
    """What the AI-Horde said of a model on one day, in UTC; the last word of a day counts.

    `usage_day`, `usage_month` and `usage_total` are requests within the last day, within the last month and
    ever. Rows outlive the record, so that the use of a model that was deleted can still be looked up.
    """

    category = models.CharField(max_length=64)
    name = models.CharField(max_length=NAME_LENGTH)
    day = models.DateField()
    workers = models.BigIntegerField()
    usage_day = models.BigIntegerField()
    usage_month = models.BigIntegerField()
    usage_total = models.BigIntegerField()

    objects = UsageDayQuerySet.as_manager()

    class Meta:
        verbose_name = "day of usage"
        verbose_name_plural = "days of usage"
        constraints = [
            models.UniqueConstraint(fields=["category", "name", "day"], name="one_usage_per_model_and_day"),
        ]
        indexes = [models.Index(fields=["day"], name="usage_by_day")]

    def __str__(self) -> str:
        return f"{self.name} on {self.day}"
