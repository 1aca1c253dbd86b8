"""The queue: propose, approve, apply, remember."""

from django.apps import AppConfig

from references import journal


class ModerationConfig(AppConfig):
    name = "moderation"
    label = "moderation"
    verbose_name = "Moderation"

    def ready(self) -> None:
        from moderation.events import structure_log, writes_log
        from moderation.pages.places import places_fill

        if writes_log not in journal.listeners:
            journal.listeners.append(writes_log)
            journal.structure_listeners.append(structure_log)
        places_fill()
