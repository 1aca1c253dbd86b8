"""The reference: what is stored and how it is read."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class ReferencesConfig(AppConfig):
    name = "references"
    verbose_name = "Model reference"

    def ready(self) -> None:
        # As Django does for its permissions: the rows of a registry that lives in code follow each migration.
        post_migrate.connect(_categories_sync, sender=self)


def _categories_sync(using: str, **kwargs: object) -> None:
    from references.services import categories_sync

    categories_sync(using=using)
