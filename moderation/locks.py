"""Locks on tables that have one row each."""

from typing import TypeVar

from moderation.models import AuditHead, QueueState

Row = TypeVar("Row", AuditHead, QueueState)


def row_lock(model: type[Row]) -> Row:
    """The one row, made where there is none yet, locked until the end of the transaction."""
    rows = model.objects.select_for_update().filter(pk=model.ROW)
    if (row := rows.first()) is None:
        model.objects.bulk_create([model(pk=model.ROW)], ignore_conflicts=True)
        row = rows.get()
    return row
