"""What reading legacy data can run into: a file that is no use, a record that is none, a remark on one."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class SourceError(ValueError):
    """A whole file cannot be used; the message names the file and, where there is one, the line."""


class RecordError(ValueError):
    """One record cannot be used; the rest of its file can. `code` tells the kinds of reason apart."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code


class Severity(StrEnum):
    """Whether the record an issue is about was kept."""

    WARNING = "warning"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Issue:
    """One remark on one record; `name` is the record's key, empty for a remark on the file."""

    name: str
    severity: Severity
    reason: str
    code: str


Warn = Callable[[str, str], None]
"""Takes note of a code and a reason."""


def warnings_into(issues: list[Issue], name: str) -> Warn:
    """A function that adds warnings on `name` to `issues`."""

    def warn(code: str, reason: str) -> None:
        issues.append(Issue(name, Severity.WARNING, reason, code))

    return warn
