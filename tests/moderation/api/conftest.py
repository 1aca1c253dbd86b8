"""Deployments that tests of the API run against."""

from typing import Any

import pytest

from references.vocabulary import CanonicalFormat, ReadRole
from tests.moderation.api.callers import PEOPLE


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
