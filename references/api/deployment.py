"""What a deployment must be able to do before a request is looked at, in the one order of checks.

A deployment that cannot serve a route says so to everybody, and asks nobody about a key. After that the key
counts. Only who passes both learns whether a category, a body or a model is known.
"""

from django.conf import settings
from django.http import HttpRequest
from rest_framework.request import Request

from references.auth import authorize
from references.documents import Snapshot
from references.horde import HordeUser, Role
from references.problems import Unavailable
from references.vocabulary import CanonicalFormat, ReplicateMode

NO_QUEUE = "Pending queue is disabled or unsupported on this deployment."


def admit_write(
    request: HttpRequest | Request,
    role: Role = Role.REQUESTOR,
    *,
    canonical_format: CanonicalFormat | None,
    needs_queue: bool = True,
) -> HordeUser:
    """The caller of a write. `canonical_format` is that of the route, None where it belongs to neither."""
    primary_needed("This instance runs in REPLICA mode and accepts no writes.")
    if canonical_format is not None:
        canonical_format_needed(canonical_format, "Writes here need")
    if needs_queue:
        queue_needed()
    return authorize(request, role)


def primary_needed(refusal: str) -> None:
    if settings.REPLICATE_MODE is ReplicateMode.REPLICA:
        raise Unavailable(refusal)


def canonical_format_needed(wanted: CanonicalFormat, who: str) -> None:
    """`who` begins the refusal, such as "Writes here need"."""
    if wanted is not settings.CANONICAL_FORMAT:
        raise Unavailable(
            f"{who} canonical_format='{wanted}'; this deployment uses '{settings.CANONICAL_FORMAT}'."
        )


def filled_needed(held: Snapshot) -> None:
    """On a REPLICA, a category that was never fetched is not known to be empty."""
    if settings.REPLICATE_MODE is ReplicateMode.REPLICA and not held.revision:
        raise Unavailable(f"Model category '{held.category}' has not been fetched from the PRIMARY yet.")


def queue_needed() -> None:
    if not settings.QUEUE_ENABLED:
        raise Unavailable(NO_QUEUE)
