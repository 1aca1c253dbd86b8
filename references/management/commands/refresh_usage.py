"""Fetches usage data ahead of the requests that will need it, and remembers the day's figures."""

from django.core.management.base import BaseCommand, CommandError

from references.categories import CATEGORIES
from references.horde import HordeError, refresh
from references.usage_history import usage_prune, usage_record


class Command(BaseCommand):
    help = (
        "Fetch what the AI-Horde says of image and text models, and remember it day by day. "
        "To be run by a timer, at least once a day."
    )

    def handle(self, *args: object, **options: object) -> None:
        failed = []
        for spec in CATEGORIES.values():
            if spec.usage is None:
                continue
            for path, error in refresh(spec.usage).items():
                self.stdout.write(f"{path}: {_outcome(error)}")
                if error:
                    failed.append(path)
            try:
                self.stdout.write(f"{spec.name}: {usage_record(category=spec.name)} models remembered")
            except HordeError as error:
                self.stdout.write(f"{spec.name}: nothing to remember, {_outcome(error)}")
        if gone := usage_prune():
            self.stdout.write(f"{gone} days of models forgotten, being too long ago")
        if failed:
            raise CommandError(f"{len(failed)} of the calls failed.")


def _outcome(error: HordeError | None) -> str:
    return f"{type(error).__name__}: {error}" if error else "ok"
