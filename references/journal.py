"""Who is told of writes to the reference.

The reference does not know who keeps its history. Whoever does registers a function in `listeners`; it is
called inside the transaction of the write, so that what it stores stands or falls with the write itself.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

SYSTEM = "system"
Operation = Literal["create", "update", "delete"]


@dataclass(frozen=True, slots=True)
class RecordWrite:
    """One record written: its v2 and v1 objects before and after, each None where the record was absent.

    `actor` is the id of who wrote it, `request_id` what the writer calls the job it was part of.
    """

    category: str
    name: str
    operation: Operation
    before: dict | None
    after: dict | None
    legacy_before: dict | None = None
    legacy_after: dict | None = None
    actor: str = SYSTEM
    request_id: str | None = None


listeners: list[Callable[[Sequence[RecordWrite]], None]] = []


def writes_announce(writes: Sequence[RecordWrite]) -> None:
    for listener in listeners:
        listener(writes)
