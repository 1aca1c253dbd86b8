"""The rules for the names of new records, which are checked after the record itself."""

import re

from references.categories import TEXT_CATEGORY
from references.problems import BadRequest, Unprocessable
from references.text.backends import split_backend
from references.vocabulary import NAME_LENGTH

_CONTROL_CHARACTER = re.compile("[\x00-\x1f\x7f-\x9f]")


def name_check(name: str) -> None:
    """Raises Unprocessable for a name that no record may have."""
    if fault := _name_fault(name):
        raise Unprocessable(f"Model name {fault}.")


def _name_fault(name: str) -> str | None:
    if not name.strip():
        return "must not be blank"
    if "\\" in name:
        return "must not contain a backslash"
    if _CONTROL_CHARACTER.search(name):
        return "must not contain control characters"
    if name != name.strip():
        return "must not start or end with whitespace"
    segments = name.split("/")
    if "" in segments:
        return "must not start or end with a slash, or contain two in a row"
    if not {".", ".."}.isdisjoint(segments):
        return "must not have a segment that is '.' or '..'"
    if len(name) > NAME_LENGTH:
        return f"must not be longer than {NAME_LENGTH} characters"
    return None


def backend_prefix_check(category: str, name: str) -> None:
    """Raises BadRequest for a text model that is named as one of the backends names it."""
    if category == TEXT_CATEGORY and split_backend(name)[0]:
        raise BadRequest(f"'{name}' carries a backend prefix; submit the base name.")
