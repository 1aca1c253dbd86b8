"""Fills a service from the legacy repositories when it starts."""

import logging

from django.conf import settings

from references.legacy import SourceError
from references.models import Category
from references.services import sources_import
from references.sources import github_read
from references.vocabulary import ReplicateMode

logger = logging.getLogger(__name__)


def missing_categories_seed() -> None:
    """On a PRIMARY that is to be seeded: fetches the categories that were never filled from GitHub.

    One that cannot be had stays empty until the next start; a category that people have emptied stays empty.
    """
    if not settings.GITHUB_SEED_ENABLED or settings.REPLICATE_MODE is not ReplicateMode.PRIMARY:
        return
    for name in Category.objects.filter(revision=0).values_list("name", flat=True):
        try:
            counts = sources_import(list(github_read([name])))
        except SourceError as error:
            logger.error("%s is not filled: %s", name, error)
            continue
        for done in counts.values():
            logger.info("%s is filled with %d models from its legacy repository", name, done.created)
