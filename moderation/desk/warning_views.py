"""Warnings about proposed records, as the desk shows them: beside the label of the field they are about."""

from collections.abc import Sequence
from dataclasses import dataclass

from moderation.known_models import KnownModels
from moderation.live import payload_as_record, payload_check
from moderation.models import PendingChange
from moderation.pages.forms.fields import FieldSpec, category_fields
from moderation.problems import PendingChangePayloadError
from moderation.states import OPEN_STATUSES, Operation
from moderation.warnings import RecordWarning, WarningLevel, record_warnings


@dataclass(frozen=True, slots=True)
class WarningView:
    """`place` names the field in words."""

    place: str
    warning: RecordWarning

    @property
    def is_serious(self) -> bool:
        return self.warning.level is WarningLevel.SERIOUS


def warning_views(
    change: PendingChange, known: KnownModels | None = None
) -> tuple[Sequence[WarningView], str]:
    """What is questionable about an open change's record, and why it could not be applied as it is.

    `known` are the models to compare it with, for callers with many changes.
    """
    if change.status not in OPEN_STATUSES or change.operation == Operation.DELETE:
        return (), ""
    try:
        payload_check(change)
        record = payload_as_record(change)
    except PendingChangePayloadError as error:
        return (), str(error.detail)
    found = record_warnings(category=change.category, name=change.model_name, record=record, known=known)
    return [WarningView(place_words(change.category, each.path), each) for each in found], ""


def place_words(category: str, path: str) -> str:
    """The label of the field that a path leads to, with the number of the file or list element it is in."""
    specs, words, number = category_fields(category), [], ""
    for step in path.split("."):
        spec = _spec(specs, step)
        if step.isdecimal():
            number = str(int(step) + 1)
        elif spec is None:
            words.append(step.replace("_", " "))
        else:
            words.append(spec.label)
            specs = spec.members
    if path.startswith("config.download."):
        return f"{words[-1]} of file {number}"
    return " ".join(filter(None, (": ".join(words), number)))


def _spec(specs: Sequence[FieldSpec], name: str) -> FieldSpec | None:
    return next((spec for spec in specs if spec.name == name), None)
