"""A form as its page shows it: the fields with what they hold, and what is wrong with it at its place."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from moderation.pages.forms.documents import Document
from moderation.pages.forms.fields import FieldSpec, Kind, category_fields
from moderation.pages.forms.values import value_written
from references.documents import Snapshot
from references.pages.labels import baseline_label

# The names of a record's fields in a form, apart from what else the form sends.
RECORD_FIELD = "r."
_WIDE = frozenset({Kind.PROSE, Kind.LINES, Kind.PAIRS, Kind.JSON, Kind.PARTS})
# A value that several models have may fit another one, too.
_FEWEST_USES = 2
_MOST_SUGGESTIONS = 60
_MOST_EXAMPLES = 12
_LEAST_ROWS, _MOST_ROWS = 2, 16


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong at a path of the record; an empty path stands for all of it."""

    path: str
    text: str


@dataclass(frozen=True, slots=True)
class ChoiceView:
    value: str
    label: str
    is_chosen: bool


@dataclass(slots=True)
class FieldView:
    """A field in the page. `members` are those of an object, `rows` the objects of a list."""

    spec: FieldSpec
    path: str
    text: str = ""
    choices: Sequence[ChoiceView] = ()
    suggestions: Sequence[str] = ()
    examples: Sequence[str] = ()
    members: Sequence["FieldView"] = ()
    rows: Sequence["RowView"] = ()
    is_fixed: bool = False
    errors: list[str] = field(default_factory=list)

    @property
    def id(self) -> str:
        return field_id(self.path)

    @property
    def name(self) -> str:
        return f"{RECORD_FIELD}{self.path}"

    @property
    def is_wide(self) -> bool:
        return self.spec.kind in _WIDE or self.spec.is_long or "\n" in self.text

    @property
    def is_long(self) -> bool:
        """Whether it takes more than one line to write."""
        return self.spec.kind in _WIDE or "\n" in self.text

    @property
    def line_count(self) -> int:
        return max(_LEAST_ROWS, min(_MOST_ROWS, self.text.count("\n") + 2))

    @property
    def described_by(self) -> str:
        parts = [f"{self.id}-help"] if self.spec.help_text else []
        return " ".join([*parts, *([f"{self.id}-error"] if self.errors else [])])

    @property
    def is_wrong(self) -> bool:
        inner = [*self.members, *(member for row in self.rows for member in row.members)]
        return bool(self.errors) or any(member.is_wrong for member in inner)

    @property
    def next_row_id(self) -> str:
        return field_id(f"{self.path}.{len(self.rows)}")


@dataclass(slots=True)
class RowView:
    path: str
    number: int
    members: Sequence[FieldView]

    @property
    def id(self) -> str:
        return field_id(self.path)


@dataclass(slots=True)
class FormView:
    """`fields` stand by themselves, `parts` are the objects in the record, each a section of its own."""

    fields: Sequence[FieldView]
    parts: Sequence[FieldView]
    summary: Sequence[tuple[str, str, str]] = ()


def field_id(path: str) -> str:
    return "f-" + path.replace(".", "-")


def form_view(
    category: str,
    document: Document,
    held: Snapshot,
    *,
    faults: Iterable[Fault] = (),
    fixed_name: bool = False,
) -> FormView:
    """The form that holds the document. Where the name is fixed, it can be read but not changed."""
    usual = _usual_values(held)
    views = [_field(spec, spec.name, document, usual) for spec in category_fields(category)]
    if fixed_name:
        next(view for view in views if view.spec.name == "name").is_fixed = True
    by_path = {view.path: view for view in _all(views)}
    summary = [_placed(fault, by_path) for fault in faults]
    return FormView(
        fields=[view for view in views if view.spec.kind is not Kind.PART],
        parts=sorted(
            (view for view in views if view.spec.kind is Kind.PART), key=lambda view: not _has_rows(view)
        ),
        summary=summary,
    )


def _has_rows(view: FieldView) -> bool:
    return any(member.spec.kind is Kind.PARTS for member in view.members)


def _field(spec: FieldSpec, path: str, holder: Mapping[str, Any], usual: "_Usual") -> FieldView:
    value = holder.get(spec.name)
    spec = spec.fitting(value)
    view = FieldView(spec, path)
    if spec.kind is Kind.PART:
        view.members = _members(spec, path, value or {}, usual)
    elif spec.kind is Kind.PARTS:
        view.rows = [
            RowView(f"{path}.{index}", index + 1, _members(spec, f"{path}.{index}", row, usual))
            for index, row in enumerate(value or ())
        ]
    else:
        view.text = value_written(spec, value)
        view.choices = list(_choices(spec, view.text))
        seen = usual.get(path, ())
        if spec.kind is Kind.TEXT:
            view.suggestions = [*spec.suggestions, *(word for word in seen if word not in spec.suggestions)]
        elif spec.kind in (Kind.LINES, Kind.PAIRS):
            view.examples = spec.keys or seen[:_MOST_EXAMPLES]
    return view


def _members(spec: FieldSpec, path: str, holder: Mapping[str, Any], usual: "_Usual") -> list[FieldView]:
    return [_field(member, f"{path}.{member.name}", holder, usual) for member in spec.members]


def _choices(spec: FieldSpec, text: str) -> Iterator[ChoiceView]:
    """The options of a closed list, with the one that is chosen even where it is none of them."""
    if spec.kind is Kind.BOOLEAN:
        known = {"true": "Yes", "false": "No"}
    elif spec.kind is Kind.CHOICE:
        known = {value: _choice_label(value) for value in spec.choices}
    else:
        return
    nothing = "Choose …" if spec.is_required else "Not set"
    if spec.kind is Kind.BOOLEAN and isinstance(spec.default, bool):
        nothing = f"Not set: {'yes' if spec.default else 'no'}"
    others = {} if text in known or not text else {text: text}
    for value, label in {"": nothing, **known, **others}.items():
        yield ChoiceView(value, label, value == text)


def _choice_label(value: str) -> str:
    """A baseline in words, with the id that is stored; any other value as it is."""
    label = baseline_label(value)
    return value if label == value else f"{label} ({value})"


_Usual = dict[str, list[str]]


def _usual_values(held: Snapshot) -> _Usual:
    """For each field of the records, what several of them have in it: strings, list elements, names of a map."""
    counts: dict[str, Counter[str]] = {}
    for row in held.rows:
        for name, value in row.record.items():
            words = [value] if isinstance(value, str) else value if isinstance(value, list | dict) else ()
            counts.setdefault(name, Counter()).update(
                {word for word in words if isinstance(word, str) and word}
            )
    return {
        name: [
            word
            for word, uses in found.most_common(_MOST_SUGGESTIONS)
            if uses >= _FEWEST_USES and "\n" not in word
        ]
        for name, found in counts.items()
    }


def _all(views: Iterable[FieldView]) -> Iterator[FieldView]:
    for view in views:
        yield view
        yield from _all(view.members)
        for row in view.rows:
            yield from _all(row.members)


def _placed(fault: Fault, by_path: Mapping[str, FieldView]) -> tuple[str, str, str]:
    """Puts the fault at the field it is about; answers the field's id and label, and the words."""
    steps = fault.path.split(".")
    for length in range(len(steps), 0, -1):
        view = by_path.get(".".join(steps[:length]))
        if view is not None:
            rest = ".".join(steps[length:])
            text = f"{rest}: {fault.text}" if rest else fault.text
            if view.spec.kind is Kind.PAIRS and not rest:
                text = "Write one name = value on each line, and no name twice."
            view.errors.append(text)
            return view.id, _place(view, by_path), text
    return "", fault.path, fault.text


def _place(view: FieldView, by_path: Mapping[str, FieldView]) -> str:
    """The label of a field, with the number of the row it is in."""
    numbers = [int(step) + 1 for step in view.path.split(".") if step.isdecimal()]
    return f"{view.spec.label} of file {numbers[0]}" if numbers else view.spec.label
