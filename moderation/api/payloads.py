"""From what a write is sent to the record that is proposed."""

import re
from typing import Any
from urllib.parse import unquote

from django.http import HttpRequest

from moderation.problems import model_not_found
from references.categories import TEXT_CATEGORY
from references.legacy import RecordError, legacy_normalised, record_from_legacy
from references.problems import VALUE_ERROR, BadRequest, RequestInvalid
from references.serializers import backend_prefix_check, legacy_validate, name_check, record_validate
from references.serializers.fields import UNSTORABLE_CHARACTER
from references.text import group_name

NOTE_HEADER = "X-Proposal-Note"
NOTE_LENGTH = 500
# The form that RFC 8187 gives to text beyond ASCII: servers on the way may drop such text as it is.
_EXTENDED_VALUE = re.compile(r"utf-8'[a-z0-9-]*'(?P<text>.*)", re.IGNORECASE)


def v2_payload(category: str, body: Any) -> dict[str, Any]:
    """The record to queue; raises RequestInvalid, Unprocessable or BadRequest."""
    record = record_validate(category, body)
    _name_rules(category, record)
    if category == TEXT_CATEGORY:
        record.setdefault("text_model_group", group_name(record["name"]))
    return record


def v1_payload(category: str, body: Any) -> dict[str, Any]:
    """The legacy record to queue or to store; raises RequestInvalid, Unprocessable or BadRequest."""
    legacy = legacy_validate(category, body)
    _name_rules(category, legacy)
    try:
        record_from_legacy(category, legacy["name"], legacy_normalised(category, legacy))
    except RecordError as error:
        problem = {"type": VALUE_ERROR, "loc": ["body"], "msg": f"Value error, the record {error}"}
        raise RequestInvalid([problem]) from None
    return legacy


def storable_or_404(category: str, path_name: str) -> str:
    """The name, unless it holds what no stored name can hold and some databases fail to compare with."""
    if UNSTORABLE_CHARACTER.search(path_name):
        raise model_not_found(category, path_name)
    return path_name


def path_name_check(path_name: str, payload: dict[str, Any]) -> None:
    if payload["name"] != path_name:
        raise BadRequest("Path model name and body name must be the same.")


def proposal_note(request: HttpRequest) -> str | None:
    """What the proposer says of the change; raises RequestInvalid for too much of it, or no text."""
    note = _header_text(request.headers.get(NOTE_HEADER, "").strip()).strip()
    if len(note) > NOTE_LENGTH:
        raise _note_problem(
            "string_too_long", f"Expected at most {NOTE_LENGTH} characters", ctx={"max_length": NOTE_LENGTH}
        )
    if UNSTORABLE_CHARACTER.search(note):
        raise _note_problem(VALUE_ERROR, "Value error, null characters cannot be stored")
    return note or None


def _header_text(value: str) -> str:
    """A header as its sender meant it: percent-encoded as in RFC 8187, or plain.

    Servers hand over bytes as Latin-1, and most clients write UTF-8.
    """
    if extended := _EXTENDED_VALUE.fullmatch(value):
        try:
            return unquote(extended["text"], errors="strict")
        except UnicodeDecodeError:
            raise _note_problem(VALUE_ERROR, "Value error, this is not percent-encoded UTF-8") from None
    try:
        return value.encode("latin-1").decode()
    except UnicodeError:
        return value


def _note_problem(kind: str, words: str, **more: Any) -> RequestInvalid:
    return RequestInvalid([{"type": kind, "loc": ["header", NOTE_HEADER], "msg": words, **more}])


def _name_rules(category: str, record: dict[str, Any]) -> None:
    name_check(record["name"])
    backend_prefix_check(category, record["name"])
