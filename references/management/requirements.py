"""What commands need before they begin; each raises CommandError with the reason in one line."""

from django.conf import settings
from django.core.management.base import CommandError
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from references.vocabulary import ReplicateMode


def tables_check() -> None:
    """The database must have all tables of this version."""
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise CommandError("The database is not up to date: run manage.py migrate first.")


def primary_check() -> None:
    """The store must be this deployment's own, and not a copy of another's."""
    if settings.REPLICATE_MODE is ReplicateMode.REPLICA:
        raise CommandError(
            "This deployment is a REPLICA: it holds what its PRIMARY has, and nothing else is written to it."
        )


def network_check() -> None:
    if settings.OFFLINE:
        raise CommandError("HORDE_MODEL_REFERENCE_OFFLINE is set: nothing is fetched.")
