"""Fills an empty store with the starter catalogue."""

from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand

import references
from references.management.requirements import tables_check
from references.models import ModelRecord
from references.services import sources_import
from references.sources import legacy_folder_read, v2_folder_read
from references.vocabulary import ReplicateMode

STARTER = Path(references.__file__).parent / "starter"


class Command(BaseCommand):
    help = "Fills an empty store with a small catalogue of real models; a store that holds any is left alone."

    def handle(self, *args: object, **options: object) -> None:
        if settings.REPLICATE_MODE is ReplicateMode.REPLICA:
            self.stdout.write(
                "This deployment is a REPLICA: its models come from its PRIMARY; no starter catalogue."
            )
            return
        if settings.GITHUB_SEED_ENABLED:
            self.stdout.write("The store is to be filled from the legacy repositories; no starter catalogue.")
            return
        tables_check()
        if ModelRecord.objects.exists():
            self.stdout.write("The store holds models already; the starter catalogue is not loaded.")
            return
        sources = [*legacy_folder_read(STARTER), *v2_folder_read(STARTER / "v2")]
        counts = sources_import(sources)
        self.stdout.write(
            f"Loaded the starter catalogue: {sum(each.created for each in counts.values())} models."
        )
