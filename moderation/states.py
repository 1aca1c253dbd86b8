"""The statuses of a change and the acts that lead from one to the next. Pure."""

from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """Where a change stands. APPLYING is part of the API; here nothing is ever stored in that status."""

    PENDING = "pending"
    APPROVED = "approved"
    APPLYING = "applying"
    APPLIED = "applied"
    REJECTED = "rejected"


class Operation(StrEnum):
    """What a change does to its model."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


class Action(StrEnum):
    """What is done to the queue, as the log calls it."""

    ENQUEUE = "enqueue"
    APPROVE = "approve"
    REJECT = "reject"
    APPLY = "apply"
    WITHDRAW = "withdraw"
    REOPEN = "reopen"
    PURGE = "purge"
    SPLIT = "batch_split"


class OnConflict(StrEnum):
    """What applying does where the live record is no longer what the proposal was made from."""

    FAIL = "fail"
    OVERWRITE = "overwrite"


@dataclass(frozen=True, slots=True)
class Transition:
    """An act that needs a change in `source` and leaves it in `target`."""

    source: Status
    target: Status


TRANSITIONS: dict[Action, Transition] = {
    Action.APPROVE: Transition(Status.PENDING, Status.APPROVED),
    Action.REJECT: Transition(Status.PENDING, Status.REJECTED),
    Action.WITHDRAW: Transition(Status.PENDING, Status.REJECTED),
    Action.APPLY: Transition(Status.APPROVED, Status.APPLIED),
    Action.REOPEN: Transition(Status.APPROVED, Status.PENDING),
}
# What a change can be stored as, and what still may change its model.
STORED_STATUSES = (Status.PENDING, Status.APPROVED, Status.APPLIED, Status.REJECTED)
OPEN_STATUSES = (Status.PENDING, Status.APPROVED)
WITHDRAWN_REASON = "Withdrawn by the requestor"
