"""A form as its page shows it: the fields of a category with what a record has in them."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import takewhile
from typing import Any

from moderation.pages.forms.documents import Document
from moderation.pages.forms.faults import Fault, fault_placed
from moderation.pages.forms.fields import FieldSpec, Kind, category_fields
from moderation.pages.forms.maps import NAME, VALUE, VALUE_KINDS, map_text, value_kind
from moderation.pages.forms.rows import MapRow, map_rows, row_faults
from moderation.pages.forms.values import value_written
from moderation.pages.forms.views import ChoiceView, FieldView, FormView, RowView
from references.documents import Snapshot
from references.pages.labels import baseline_label

# A value that several models have may fit another one, too.
_FEWEST_USES = 2
_MOST_SUGGESTIONS = 60
# What says something about one model alone, even where a copy of it says the same.
_ONES_OWN = frozenset({"display_name", "homepage", "showcases", "trigger", "url"})
_MOST_EXAMPLES = 12
# A map ends with rows to write into.
_SPARE_ROWS = 2
_LINES_HELP = "One on each line."


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
    # As they stand in the page: what is a section of its own comes after the rest, the files first.
    views.sort(key=_section)
    # Faults know the rows of a map by their names.
    by_path = {view.path: view for view in _all(views, with_map_rows=False)}
    summary = [placed for fault in faults for placed in fault_placed(fault, by_path)]
    places = {view.id: place for place, view in enumerate(_all(views))}
    return FormView(
        fields=[view for view in views if view.spec.kind is not Kind.PART],
        parts=[view for view in views if view.spec.kind is Kind.PART],
        # What is about no field in particular comes first.
        summary=sorted(summary, key=lambda placed: places.get(placed[0], -1)),
    )


def _section(view: FieldView) -> int:
    if view.spec.kind is not Kind.PART:
        return 0
    return 1 if any(member.spec.kind is Kind.PARTS for member in view.members) else 2


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
    elif spec.kind is Kind.MAP:
        rows = map_rows(value) or []
        view.rows = list(_map_rows(spec, path, rows, usual))
        view.row_faults = list(row_faults(rows))
        kinds = () if spec.holds_text else VALUE_KINDS
        view.blanks = [_control(_value_spec(kind), f"{path}.new.{VALUE}", "") for kind in kinds]
    else:
        view = _control(spec, path, value_written(spec, value), usual)
    return view


def _control(spec: FieldSpec, path: str, text: str, usual: "_Usual | None" = None) -> FieldView:
    """A field that is one control, with what it offers."""
    view = FieldView(spec, path, text, choices=list(_choices(spec, text)))
    seen = (usual or {}).get(path, ())
    if spec.kind is Kind.TEXT:
        view.suggestions = _suggested(spec, seen)
    elif spec.kind is Kind.LINES:
        view.examples = seen[:_MOST_EXAMPLES]
    return view


def _suggested(spec: FieldSpec, seen: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys([*spec.suggestions, *seen]))


def _map_rows(spec: FieldSpec, path: str, rows: Sequence[MapRow], usual: "_Usual") -> Iterator[RowView]:
    kind = Kind.CHOICE if spec.choices else Kind.TEXT
    names = () if spec.choices else _suggested(spec, usual.get(path, ()))
    name_spec = FieldSpec(NAME, kind, is_required=True, choices=spec.choices, suggestions=names)
    empty = len(list(takewhile(lambda row: row.is_empty, reversed(rows))))
    for index, row in enumerate([*rows, *[MapRow()] * (_SPARE_ROWS - empty)]):
        place = f"{path}.{index}"
        kind = value_kind(spec, row.name)
        name = _control(name_spec, f"{place}.{NAME}", row.name)
        value = _control(_value_spec(kind), f"{place}.{VALUE}", map_text(kind, row.value))
        yield RowView(place, index + 1, [name, value])


def _value_spec(kind: Kind) -> FieldSpec:
    return FieldSpec(VALUE, kind, help_text=_LINES_HELP if kind is Kind.LINES else "")


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
    """For each field of the records, what several of them have in it: strings, list elements, names of a map.

    Fields that are each model's own are not among them.
    """
    counts: dict[str, Counter[str]] = {}
    for row in held.rows:
        for name, value in row.record.items():
            if name in _ONES_OWN:
                continue
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


def _all(views: Iterable[FieldView], *, with_map_rows: bool = True) -> Iterator[FieldView]:
    for view in views:
        yield view
        yield from _all(view.members, with_map_rows=with_map_rows)
        if with_map_rows or view.spec.kind is not Kind.MAP:
            for row in view.rows:
                yield from _all(row.members, with_map_rows=with_map_rows)
