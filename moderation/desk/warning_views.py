"""What is questionable about the record of an open change, and what keeps it from being applied."""

from collections.abc import Sequence

from moderation.known_models import KnownModels
from moderation.live import payload_as_record, payload_check
from moderation.models import PendingChange
from moderation.pages.forms.warned import WarningView, place_words, warned
from moderation.pages.refusals import problem_words
from moderation.problems import PendingChangePayloadError
from moderation.states import OPEN_STATUSES, Operation
from moderation.warnings import record_warnings
from references.problems import RequestInvalid
from references.serializers import record_validate


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
        return (), _fault_words(change, error)
    found = record_warnings(category=change.category, name=change.model_name, record=record, known=known)
    return warned(change.category, found), ""


def _fault_words(change: PendingChange, error: PendingChangePayloadError) -> str:
    """All that is wrong with a proposed record, each at the label of its field."""
    payload = change.payload_as_dict()
    if payload is not None and not change.is_legacy:
        try:
            record_validate(change.category, payload)
        except RequestInvalid as invalid:
            places = (".".join(map(str, problem["loc"][1:])) for problem in invalid.detail)
            return " ".join(
                f"{place_words(change.category, place)}: {problem_words(problem)}."
                for place, problem in zip(places, invalid.detail, strict=True)
            )
    return str(error.detail)
