"""The only writers of the queue. Each guards, locks, sets, writes the record and writes the event."""

from moderation.services.applying import ApplyResult, batch_apply, change_apply, changes_apply
from moderation.services.batches import BatchSplit, open_batch_id
from moderation.services.deciding import (
    BatchDecision,
    PurgeResult,
    batch_decide,
    change_reopen,
    change_withdraw,
    queue_purge,
)
from moderation.services.proposing import Proposal, change_propose, changes_propose
from moderation.services.reverting import batch_revert, change_revert

__all__ = [
    "ApplyResult",
    "BatchDecision",
    "BatchSplit",
    "Proposal",
    "PurgeResult",
    "batch_apply",
    "batch_decide",
    "batch_revert",
    "change_apply",
    "change_propose",
    "change_reopen",
    "change_revert",
    "change_withdraw",
    "changes_apply",
    "changes_propose",
    "open_batch_id",
    "queue_purge",
]
