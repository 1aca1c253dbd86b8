"""Who is told of writes to the reference.

The reference does not know who keeps its history. Whoever does registers functions in `listeners`,
`order_listeners` and `structure_listeners`; they are called inside the transaction of the write, so that what they
store stands or falls with the write itself.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

SYSTEM = "system"
Operation = Literal["create", "update", "delete"]


@dataclass(frozen=True, slots=True)
class RecordWrite:
    """One record written: its v2 and v1 objects before and after, each None where the record was absent.

    `actor` is the id of who wrote it, `request_id` what the writer calls the job it was part of; `position` is
    the record's place in its category, of a removed one the place it had.
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
    position: int | None = None


@dataclass(frozen=True, slots=True)
class OrderWrite:
    """Records of a category that got another place: the position of each by its name. The others keep theirs."""

    category: str
    positions: Mapping[str, int]
    actor: str = SYSTEM


StructureKind = Literal["alias", "family", "name_schema"]


@dataclass(frozen=True, slots=True)
class StructureWrite:
    """One alias entry, family or naming schema written, whole, before and after.

    `name` is the canonical group, the family, or the group of the schema.
    """

    kind: StructureKind
    name: str
    operation: Operation
    before: dict | None
    after: dict | None
    actor: str = SYSTEM


listeners: list[Callable[[Sequence[RecordWrite]], None]] = []

order_listeners: list[Callable[[OrderWrite], None]] = []

structure_listeners: list[Callable[[StructureWrite], None]] = []


def writes_announce(writes: Sequence[RecordWrite]) -> None:
    for listener in listeners:
        listener(writes)


def order_announce(write: OrderWrite) -> None:
    for listener in order_listeners:
        listener(write)


def structure_announce(write: StructureWrite) -> None:
    for listener in structure_listeners:
        listener(write)
