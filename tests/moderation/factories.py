"""Makes what tests of the queue need: people, records, and changes brought to where a test begins."""

from typing import Any

from moderation.actors import LoggedActor
from moderation.models import PendingChange
from moderation.services import batch_decide, change_apply, change_propose
from tests.factories import make_record, make_v2

RITA = LoggedActor("101", "Rita#101")
RAVI = LoggedActor("102", "Ravi#102")
ADA = LoggedActor("900", "Ada#900")
BEN = LoggedActor("901", "Ben#901")
# The moments at which records of tests are made and changed.
EARLY, LATER = 1_700_000_000, 4_000_000_000
IMAGES = "image_generation"


def make_live(name: str, *, category: str = IMAGES, **fields: Any) -> dict:
    """A live record, made long ago."""
    return make_record(category, name, at=EARLY, metadata=stamps(), **fields).as_dict()


def stamps(at: int = EARLY, **fields: Any) -> dict:
    return {"schema_version": "2.0.0", "created_at": at, "updated_at": at, **fields}


def propose_create(
    name: str, *, category: str = IMAGES, by: LoggedActor = RITA, **fields: Any
) -> PendingChange:
    return change_propose(
        actor=by,
        category=category,
        name=name,
        operation="create",
        payload=make_v2(category, name, **fields),
        route=f"create_v2_{category}",
    )


def propose_update(
    name: str, *, category: str = IMAGES, by: LoggedActor = RITA, **fields: Any
) -> PendingChange:
    return change_propose(
        actor=by,
        category=category,
        name=name,
        operation="update",
        payload=make_v2(category, name, **fields),
        route=f"update_v2_{category}",
    )


def propose_delete(name: str, *, category: str = IMAGES, by: LoggedActor = RITA) -> PendingChange:
    return change_propose(
        actor=by, category=category, name=name, operation="delete", payload=None, route="delete_v2_model"
    )


def approve(*changes: PendingChange, title: str = "A batch", by: LoggedActor = ADA) -> int:
    """Approves changes and returns the number of their batch."""
    decision = batch_decide(actor=by, title=title, approved_ids=[change.change_id for change in changes])
    for change in changes:
        change.refresh_from_db()
    return decision.batch_id


def apply_at_once(
    change: PendingChange, *, by: LoggedActor = ADA, job_id: str | None = None
) -> PendingChange:
    """Approves and applies one change."""
    approve(change, by=by)
    return change_apply(actor=by, change_id=change.change_id, job_id=job_id).applied[0]
