"""What can go wrong with a change. The names of the classes are part of the API."""

from collections.abc import Sequence

from rest_framework.exceptions import NotFound

from references.problems import BadRequest, Conflict, Unavailable


class PendingChangeNotFoundError(NotFound):
    def __init__(self, change_id: int) -> None:
        super().__init__(f"Change {change_id} not found")


class PendingChangeStateError(BadRequest):
    """The change is in a status that the act cannot start from."""

    def __init__(self, change_id: int, *, needed: str, status: str) -> None:
        super().__init__(f"Change {change_id} is not {needed} (status={status}).")


class PendingChangePayloadError(BadRequest):
    """The proposed record is missing or is none that could be stored today."""


class PendingChangeConflictError(Conflict):
    """The live record moved since the proposal; `reason` is one of `conflicts.Reason`."""

    def __init__(self, detail: str, *, reason: str, fields: Sequence[str]) -> None:
        super().__init__(detail)
        self.reason = reason
        self.fields = tuple(fields)


class PendingChangeBackendError(Unavailable):
    """The store failed; nothing of the change was written."""


def model_not_found(category: str, name: str, *, hint: str = "") -> NotFound:
    return NotFound(f"Model '{name}' not found in category '{category}'{hint}")


def model_taken(category: str, name: str) -> Conflict:
    return Conflict(f"Model '{name}' already exists in category '{category}'; use PUT to change it.")


ApplyError = (
    PendingChangeNotFoundError
    | PendingChangeStateError
    | PendingChangePayloadError
    | PendingChangeConflictError
    | PendingChangeBackendError
)
