"""What a process remembers of the database, so that nothing it read in a transaction survives a rollback.

A value read outside of a transaction is kept at once. One read inside is known to that transaction alone until it
commits: it waits in Django's list of what to do then, from which a rollback, to a savepoint too, strikes it.
"""

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from django.db import transaction

from references.thread_store import thread_store

State = TypeVar("State")
Value = TypeVar("Value")

READ_ATTEMPTS = 20


class _AwaitsCommit:
    __slots__ = ("keep", "key", "value")

    def __init__(self, key: Hashable, value: Any, keep: Callable[[Any], None]) -> None:
        self.key = key
        self.value = value
        self.keep = keep

    def __call__(self) -> None:
        self.keep(self.value)


def remember(key: Hashable, value: Any, keep: Callable[[Any], None]) -> None:
    """Has `keep` called with the value as soon as that is what the database holds for everyone."""
    transaction.on_commit(_AwaitsCommit(key, value, keep))


def remembered_in_transaction(key: Hashable) -> Any | None:
    """The last value under this key that the open transaction remembers."""
    store = thread_store()
    if not store.in_atomic_block:
        return None
    waiting = (function for _, function, _ in reversed(store.run_on_commit))
    return next((each.value for each in waiting if isinstance(each, _AwaitsCommit) and each.key == key), None)


def read_settled(state: Callable[[], State], read: Callable[[State], Value]) -> Value:
    """What `read` makes of several queries, all of one state of the store.

    Another process may commit between two of them. The state then shows it, and they are repeated. Raises a
    RuntimeError where the store never rests.
    """
    before = state()
    for _ in range(READ_ATTEMPTS):
        value = read(before)
        after = state()
        if after == before:
            return value
        before = after
    raise RuntimeError(f"the store changed during each of {READ_ATTEMPTS} reads")
