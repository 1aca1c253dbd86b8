"""Deployments that tests of the API run against, and a queue to read."""

from typing import Any

import pytest

from moderation.models import PendingChange
from moderation.services import batch_decide
from references.vocabulary import CanonicalFormat, ReadRole
from tests.moderation.api.callers import PEOPLE
from tests.moderation.factories import (
    ADA,
    RAVI,
    make_live,
    propose_create,
    propose_delete,
    propose_update,
)


@pytest.fixture
def people(settings: Any) -> None:
    """A deployment that knows the people of these tests by their keys, and asks nobody else about them."""
    settings.STATIC_API_KEYS = dict(PEOPLE)
    settings.HORDE_URL = "http://127.0.0.1:9/api/"
    settings.QUEUE_REQUESTOR_IDS = frozenset({"101", "102"})
    settings.QUEUE_APPROVER_IDS = frozenset({"900"})


@pytest.fixture
def open_queue(settings: Any) -> None:
    """Lets any key read the queue."""
    settings.QUEUE_READ_ROLE = ReadRole.ANY


@pytest.fixture
def legacy_canonical(settings: Any) -> None:
    settings.CANONICAL_FORMAT = CanonicalFormat.LEGACY


@pytest.fixture
def without_queue(settings: Any) -> None:
    settings.QUEUE_ENABLED = False


@pytest.fixture
def queue(db: None) -> list[PendingChange]:
    """Rita creates an image and a clip. Ravi's update of an image is approved, his delete of one rejected."""
    make_live("live_a")
    make_live("Live_B")
    changes = [
        propose_create("fresh"),
        propose_create("fresh", category="clip"),
        propose_update("live_a", by=RAVI, description="better"),
        propose_delete("Live_B", by=RAVI),
    ]
    batch_decide(
        actor=ADA,
        title="A batch",
        approved_ids=[changes[2].change_id],
        rejected_ids=[changes[3].change_id],
        reject_reason="no",
    )
    return changes
