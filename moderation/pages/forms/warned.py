"""Warnings about records as pages show them: beside the label of the field they are about."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from moderation.pages.forms.fields import FieldSpec, category_fields
from moderation.warnings import RecordWarning, WarningLevel


@dataclass(frozen=True, slots=True)
class WarningView:
    """`place` names the field in words."""

    place: str
    warning: RecordWarning

    @property
    def is_serious(self) -> bool:
        return self.warning.level is WarningLevel.SERIOUS


def warned(category: str, warnings: Iterable[RecordWarning]) -> list[WarningView]:
    """The warnings with their places in words, the serious ones first."""
    views = [WarningView(place_words(category, each.path), each) for each in warnings]
    return sorted(views, key=lambda view: not view.is_serious)


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
    if path == "config.download":
        return "Files"
    if path.startswith("config.download."):
        return f"{words[-1]} of file {number}"
    return " ".join(filter(None, (": ".join(words), number)))


def _spec(specs: Sequence[FieldSpec], name: str) -> FieldSpec | None:
    return next((spec for spec in specs if spec.name == name), None)
