"""Who may use the queue here and now: the checks that every route makes before it looks at what it was sent.

A deployment that cannot serve a route says so to everybody, and asks nobody about a key. After that the key
counts. Only who passes both learns whether a category, a body or a model is known.
"""

from django.conf import settings
from django.http import HttpRequest

from references.auth import HordeUser, Role, authorize, read_role
from references.problems import Unavailable
from references.vocabulary import CanonicalFormat, ReplicateMode


def admit_write(
    request: HttpRequest,
    role: Role = Role.REQUESTOR,
    *,
    canonical_format: CanonicalFormat | None,
    needs_queue: bool = True,
) -> HordeUser:
    """The caller of a write. `canonical_format` is that of the route, None where it belongs to neither."""
    if _is_replica():
        raise Unavailable("This instance runs in REPLICA mode and accepts no writes.")
    if canonical_format not in (None, settings.CANONICAL_FORMAT):
        raise Unavailable(
            f"Writes here need canonical_format='{canonical_format}'; "
            f"this deployment uses '{settings.CANONICAL_FORMAT}'."
        )
    if needs_queue and not settings.QUEUE_ENABLED:
        raise _no_queue()
    return authorize(request, role)


def admit_queue_read(request: HttpRequest, role: Role | None = None) -> HordeUser:
    """The caller of a read of the queue; without `role`, the least role that this deployment lets read it."""
    if _is_replica() or not settings.QUEUE_ENABLED:
        raise _no_queue()
    return authorize(request, read_role() if role is None else role)


def admit_audit_read(request: HttpRequest) -> HordeUser:
    if not settings.AUDIT_ENABLED:
        raise Unavailable("Audit trail is disabled on this deployment.")
    return admit_queue_read(request)


def _is_replica() -> bool:
    return settings.REPLICATE_MODE is ReplicateMode.REPLICA


def _no_queue() -> Unavailable:
    return Unavailable("Pending queue is disabled or unsupported on this deployment.")
