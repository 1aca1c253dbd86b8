"""What the page of a form shows: its fields, what each of them holds, and what is wrong with it."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from moderation.pages.forms.fields import FieldSpec, Kind
from moderation.pages.forms.maps import KINDS_BY_NAME
from moderation.pages.forms.rows import RowFault

# The names of a record's fields in a form, apart from what else the form sends.
RECORD_FIELD = "r."
_WIDE = frozenset({Kind.PROSE, Kind.LINES, Kind.SCALAR, Kind.MAP, Kind.JSON, Kind.PARTS})
_LEAST_ROWS, _MOST_ROWS = 2, 16
# What HTML leaves as it is.
_WORD = re.compile(r"[A-Za-z0-9_.-]+")


@dataclass(frozen=True, slots=True)
class ChoiceView:
    value: str
    label: str
    is_chosen: bool

    @property
    def is_its_label(self) -> bool:
        """Whether a browser sends the label for it anyway."""
        return self.value == self.label and _WORD.fullmatch(self.value) is not None


@dataclass(slots=True)
class FieldView:
    """A field in the page. `members` are those of an object, `rows` the objects of a list or the rows of a map.

    `blanks` are the fields that a value of a map may be asked for by, one of each kind; `row_faults` are what keeps
    its rows from being a map.
    """

    spec: FieldSpec
    path: str
    text: str = ""
    choices: Sequence[ChoiceView] = ()
    suggestions: Sequence[str] = ()
    examples: Sequence[str] = ()
    members: Sequence["FieldView"] = ()
    rows: Sequence["RowView"] = ()
    blanks: Sequence["FieldView"] = ()
    row_faults: Sequence[RowFault] = ()
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
        if self.spec.kind is Kind.SCALAR:
            return self.text.count("\n") + 1
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
    def kinds_json(self) -> str:
        """The kinds of fields that values of a map are asked for by, where the name tells."""
        return json.dumps(KINDS_BY_NAME)

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

    @property
    def is_empty(self) -> bool:
        return not any(member.text for member in self.members)


@dataclass(slots=True)
class FormView:
    """`fields` stand by themselves, `parts` are the objects in the record, each a section of its own."""

    fields: Sequence[FieldView]
    parts: Sequence[FieldView]
    summary: Sequence[tuple[str, str, str]] = ()


def field_id(path: str) -> str:
    return "f-" + path.replace(".", "-")
