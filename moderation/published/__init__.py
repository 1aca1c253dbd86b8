"""Moves a store of the published service into this one: records, queue, audit log and text groups."""

from moderation.published.moving import MoveReport, store_move_in
from moderation.published.parsing import StoreError
from moderation.published.reading import PublishedStore, store_read

__all__ = ["MoveReport", "PublishedStore", "StoreError", "store_move_in", "store_read"]
