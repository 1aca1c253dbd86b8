"""What is wrong with a record, put at the fields of its form."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from moderation.pages.forms.fields import Kind
from moderation.pages.forms.views import FieldView


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong at a path of the record; an empty path stands for all of it."""

    path: str
    text: str


def fault_placed(fault: Fault, by_path: Mapping[str, FieldView]) -> Iterator[tuple[str, str, str]]:
    """Puts the fault at the field it is about; answers the field's id and label, and the words."""
    steps = fault.path.split(".")
    for length in range(len(steps), 0, -1):
        view = by_path.get(".".join(steps[:length]))
        if view is not None:
            rest = ".".join(steps[length:])
            place = _place(view, by_path)
            for at, label, text in _in_rows(view, rest, fault.text) or [(view, "", fault.text)]:
                at.errors.append(f"{rest}: {text}" if rest and at is view else text)
                yield at.id, f"{place}: {label}" if label else place, at.errors[-1]
            return
    yield "", fault.path, fault.text


def _in_rows(view: FieldView, name: str, text: str) -> list[tuple[FieldView, str, str]]:
    """The fields in rows of a map that are at fault: those of a name, or all that keep it from being a map."""
    if view.spec.kind is not Kind.MAP:
        return []
    if not name:
        return [
            (view.rows[index].members[not is_of_name], f"row {index + 1}", words)
            for index, is_of_name, words in view.row_faults
        ]
    is_of_value = not view.spec.choices or name in view.spec.choices
    return [(row.members[is_of_value], name, text) for row in view.rows if row.members[0].text == name]


def _place(view: FieldView, by_path: Mapping[str, FieldView]) -> str:
    """The label of a field, with the number of the row it is in."""
    numbers = [int(step) + 1 for step in view.path.split(".") if step.isdecimal()]
    return f"{view.spec.label} of file {numbers[0]}" if numbers else view.spec.label
