"""Who may use the queue here and now: the checks that every route makes before it looks at what it was sent."""

from django.conf import settings
from django.http import HttpRequest

from references.api.deployment import NO_QUEUE, admit_write, primary_needed, queue_needed
from references.auth import authorize, read_role
from references.horde import HordeUser, Role
from references.problems import Unavailable

__all__ = ["admit_audit_read", "admit_queue_read", "admit_write"]


def admit_queue_read(request: HttpRequest, role: Role | None = None) -> HordeUser:
    """The caller of a read of the queue; without `role`, the least role that this deployment lets read it."""
    primary_needed(NO_QUEUE)
    queue_needed()
    return authorize(request, read_role() if role is None else role)


def admit_audit_read(request: HttpRequest) -> HordeUser:
    if not settings.AUDIT_ENABLED:
        raise Unavailable("Audit trail is disabled on this deployment.")
    return admit_queue_read(request)
