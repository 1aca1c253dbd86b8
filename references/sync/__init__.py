"""Keeps the service and the legacy repositories in step: proposes changes there, and fills from there."""

from references.sync.options import SyncError, SyncOptions, options_check
from references.sync.rounds import sync_run, sync_watch
from references.sync.seeding import missing_categories_seed

__all__ = [
    "SyncError",
    "SyncOptions",
    "missing_categories_seed",
    "options_check",
    "sync_run",
    "sync_watch",
]
