"""What keeps a record from being proposed, all of it at once and in the words of a form."""

from typing import Any

from rest_framework.exceptions import APIException

from moderation.live import live_read
from moderation.pages.forms.documents import Document
from moderation.pages.forms.faults import Fault
from moderation.pages.forms.warned import WarningView, warned
from moderation.warnings import record_warnings
from references.problems import RequestInvalid
from references.serializers.fields import UNSTORABLE_CHARACTER

NAME_TAKEN = "A model of this name is there already: edit it, or choose another name."
_WORDS = {
    "missing": "This is required",
    "bool_type": "Has to be yes (true) or no (false)",
    "bool_parsing": "Has to be yes (true) or no (false)",
    "int_type": "Has to be a whole number",
    "int_parsing": "Has to be a whole number, in digits",
    "int_from_float": "Has to be a whole number",
    "int_parsing_size": "This number is too large",
    "string_type": "Has to be text",
    "dict_type": "Has to be names with their values",
    "model_attributes_type": "Has to be names with their values",
}


def faults_of(error: APIException, category: str, document: Document, *, is_new: bool) -> list[Fault]:
    """What is wrong with a record, at its places; what is not about one field of a new record is about the name.

    A schema is looked at before the store is, so that a name that is taken is added to what the schema says.
    """
    if not isinstance(error, RequestInvalid):
        return [Fault("name" if is_new else "", str(error.detail))]
    faults = [_fault(problem) for problem in error.detail]
    if is_new and _is_taken(category, document.get("name")):
        faults.append(Fault("name", NAME_TAKEN))
    return faults


def draft_warnings(category: str, document: Document) -> list[WarningView]:
    """What a reviewer would ask about a record that its schema may not even allow."""
    name = document.get("name")
    return warned(
        category,
        record_warnings(category=category, name=name if isinstance(name, str) else "", record=document),
    )


def problem_words(problem: dict[str, Any]) -> str:
    """A problem of the API's schema as people say it."""
    text = _WORDS.get(problem["type"], problem["msg"].removeprefix("Value error, "))
    text = text.replace("Expected ", "Has to be ", 1) if text.startswith("Expected ") else text
    return f"{text[:1].upper()}{text[1:]}"


def _fault(problem: dict[str, Any]) -> Fault:
    return Fault(".".join(str(step) for step in problem["loc"][1:]), f"{problem_words(problem)}.")


def _is_taken(category: str, name: object) -> bool:
    is_name = isinstance(name, str) and not UNSTORABLE_CHARACTER.search(name)
    return is_name and live_read(category, name) is not None
