"""One transaction for each request, repeated where the database broke a tie against it.

Locks are taken in one order everywhere: the row of the queue, the changes by id, the categories by name, the
end of the log. A proposal takes the last of these only: no one can decide about it before it is there.
"""

import logging
import random
import time
from collections.abc import Callable, Iterable
from functools import wraps
from typing import ParamSpec, TypeVar

from django.db import InterfaceError, OperationalError, connection, transaction

from moderation.locks import row_lock
from moderation.models import PendingChange, QueueState
from references.problems import Unavailable, Unprocessable
from references.services import categories_lock

__all__ = [
    "categories_lock",
    "changes_lock",
    "clock",
    "in_one_transaction",
    "is_transient",
    "length_check",
    "longest_check",
    "queue_lock",
]

logger = logging.getLogger(__name__)

REFUSED = "The store cannot take this now; nothing was changed."
BROKEN_COMMIT = "The store broke off while it was committing; see whether this was done before you repeat it."
RETRIES = 3
RETRY_WINDOW = 10.0
_PAUSE = 0.05
# Serialization failure and deadlock, as PostgreSQL numbers them.
_TRANSIENT_CODES = frozenset({"40001", "40P01"})
_SQLITE_BUSY = ("database is locked", "database table is locked")

P = ParamSpec("P")
R = TypeVar("R")


def is_transient(error: Exception) -> bool:
    """Whether the same transaction, begun anew, may well succeed."""
    if not isinstance(error, OperationalError):
        return False
    code = getattr(error.__cause__, "sqlstate", None)
    return code in _TRANSIENT_CODES or str(error).startswith(_SQLITE_BUSY)


def in_one_transaction(function: Callable[P, R]) -> Callable[P, R]:
    """Runs the function in a transaction. Raises Unavailable when the database cannot carry it out now.

    Inside a transaction of the caller nothing is repeated: that one has to begin anew as a whole.
    """

    @wraps(function)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        if connection.in_atomic_block:
            with transaction.atomic():
                return function(*args, **kwargs)
        give_up_at = time.monotonic() + RETRY_WINDOW
        for attempt in range(RETRIES + 1):
            is_done = False
            try:
                with transaction.atomic():
                    result = function(*args, **kwargs)
                    is_done = True
                return result
            except (OperationalError, InterfaceError) as error:
                if not is_transient(error) or attempt == RETRIES or time.monotonic() > give_up_at:
                    logger.error("the store broke off %s", function.__name__, exc_info=error)
                    raise Unavailable(BROKEN_COMMIT if is_done else REFUSED) from error
                time.sleep(_PAUSE * 2**attempt * random.uniform(0.5, 1.5))  # noqa: S311 - spreads the attempts
        raise AssertionError("the last attempt returns or raises")

    return wrapper


def clock(at: int | None) -> int:
    """The given moment, or now, in UNIX seconds."""
    return int(time.time()) if at is None else at


def length_check(what: str, text: str, column: str) -> None:
    """Raises Unprocessable for more text than that column of a change takes; not every database refuses it."""
    longest_check(what, text, longest=PendingChange._meta.get_field(column).max_length)


def longest_check(what: str, text: str, *, longest: int) -> None:
    if len(text) > longest:
        raise Unprocessable(f"The {what} is too long: {len(text)} of at most {longest} characters.")


def queue_lock() -> QueueState:
    """The row of the queue, locked until the end of the transaction."""
    return row_lock(QueueState)


def changes_lock(ids: Iterable[int]) -> dict[int, PendingChange]:
    """The changes with these ids, as far as they are in the queue, locked in ascending order."""
    changes = PendingChange.objects.select_for_update().with_ids(ids).oldest_first()
    return {change.change_id: change for change in changes}
