"""Reads of stored records that have names."""

from collections.abc import Iterator

from django.db import models


class ModelRecordQuerySet(models.QuerySet):
    def in_category(self, category: str) -> "ModelRecordQuerySet":
        return self.filter(category_id=category)

    def in_stored_order(self) -> "ModelRecordQuerySet":
        """The order in which clients see the records of a category: that of its source, new ones last."""
        return self.order_by("position")

    def changed_since(self, revision: int) -> "ModelRecordQuerySet":
        """Records written after the category reached `revision`; removed records are not among them."""
        return self.filter(revision__gt=revision)

    def keys(self) -> dict[str, int]:
        """Primary keys by name.

        SQLite, which keeps no statistics here, reads the whole category for a list of names, but not for keys.
        """
        return dict(self.order_by().values_list("name", "pk").iterator(chunk_size=5000))

    def names(self) -> Iterator[str]:
        return self.values_list("name", flat=True).iterator(chunk_size=5000)


class CategoryRecordManager(models.Manager.from_queryset(ModelRecordQuerySet)):
    """The records of the one category a proxy model stands for."""

    def get_queryset(self) -> ModelRecordQuerySet:
        return super().get_queryset().filter(category_id=self.model.category_name)


class CategoryQuerySet(models.QuerySet):
    def with_model_count(self) -> "CategoryQuerySet":
        """Adds `model_count`, the number of records stored now."""
        return self.annotate(model_count=models.Count("records"))
