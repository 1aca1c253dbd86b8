"""Which differences between two records say something, and which only write down what was true all along.

A record that was imported long ago lacks fields that every proposal has: the service fills in defaults, sets its own
stamps, and leaves empty what nobody filled in. Clients see no difference, so reviewers need not look.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from moderation.diffs import (
    CREATED_AT,
    UPDATED_AT,
    UPDATED_BY,
    ChangeType,
    FieldDiff,
    field_diffs,
    is_critical,
)
from references.pages.json_markup import json_indented
from references.serializers import record_presented

# The service sets these itself, whatever a proposal says.
STAMPS = (CREATED_AT, UPDATED_AT, UPDATED_BY)


class ToldDiffs(NamedTuple):
    """All that differs, in two parts."""

    telling: Sequence[FieldDiff]
    idle: Sequence[FieldDiff]


def told_diffs(category: str, old: dict | None, new: dict | None) -> ToldDiffs:
    """What differs between two states of a record, either of which may be none."""
    seen = None
    if old is not None and new is not None:
        seen = {
            diff.path
            for diff in field_diffs(record_presented(category, old), record_presented(category, new))
        }
    telling, idle = [], []
    for diff in field_diffs(old, new):
        (idle if _is_idle(diff) or (seen is not None and diff.path not in seen) else telling).append(diff)
    return ToldDiffs(telling, idle)


def tells_critical(category: str, old: dict | None, new: dict | None) -> bool:
    """Whether a field of consequence is among the differences that say something."""
    return is_critical(category, told_diffs(category, old, new).telling)


def is_empty(value: Any) -> bool:
    """Whether a field says no more by this value than by not being there."""
    return value in (None, "", [])


def value_text(value: Any) -> str:
    """A value as people read it: text as it is, everything else as JSON."""
    return value if isinstance(value, str) else json_indented(value)


def _is_idle(diff: FieldDiff) -> bool:
    is_one_sided = diff.change_type is not ChangeType.MODIFIED
    return diff.path in STAMPS or (is_one_sided and is_empty(diff.old) and is_empty(diff.new))
