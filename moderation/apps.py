"""The queue: propose, approve, apply, remember."""

from django.apps import AppConfig

from references import journal
from references.management.beside import added_commands


class ModerationConfig(AppConfig):
    name = "moderation"
    label = "moderation"
    verbose_name = "Moderation"

    def ready(self) -> None:
        from moderation.events import order_log, structure_log, writes_log
        from moderation.pages.places import places_fill
        from moderation.webhooks.services import deliveries_add, sender_needed

        if writes_log not in journal.listeners:
            # What is to be delivered are events, which are there first.
            journal.listeners += [writes_log, deliveries_add]
            added_commands.append(("deliver_webhooks", sender_needed))
            journal.order_listeners.append(order_log)
            journal.structure_listeners.append(structure_log)
        places_fill()
