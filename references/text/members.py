"""Which text records belong to which group, and which of them are canonical."""

from collections.abc import Iterable, Mapping
from typing import Any, TypeGuard

from .backends import split_backend

Record = Mapping[str, Any]


def is_text(value: object) -> TypeGuard[str]:
    """Whether a stored value is a string that is not empty."""
    return isinstance(value, str) and value != ""


def members_by_group(records: Iterable[Record]) -> dict[str, list[Record]]:
    """The records of each stored group, groups by name, members in the order given."""
    groups: dict[str, list[Record]] = {}
    for record in records:
        if is_text(group := record.get("text_model_group")):
            groups.setdefault(group, []).append(record)
    return dict(sorted(groups.items()))


def group_members(group: str, records: Iterable[Record]) -> list[Record]:
    return [record for record in records if group and record.get("text_model_group") == group]


def canonical_records(records: Iterable[Record]) -> list[Record]:
    """The records whose names carry no backend prefix."""
    return [record for record in records if split_backend(record["name"])[0] is None]
