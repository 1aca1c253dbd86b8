"""Requests made from the API document: none breaks the service, and every answer is one that is documented."""

from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import pytest
import schemathesis
from django.core.management import call_command
from django.db.backends.base.base import BaseDatabaseWrapper
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from pytest_django import DjangoDbBlocker
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from config.wsgi import application
from moderation.models import PendingChange
from references.vocabulary import CanonicalFormat, ReadRole
from tests.factories import make_record
from tests.hordedouble import HordeDouble, run_calls_inline, running_horde
from tests.moderation.factories import (
    apply_at_once,
    approve,
    make_live,
    propose_create,
    propose_delete,
    propose_update,
)

EXAMPLES = 12
KEYS = {"key-requestor": "Rita#101", "key-approver": "Ada#900"}
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
# Of what the document leaves open, what is there: a random name or number nearly always answers 404.
NAMES = ("live", "Org/Writer-7B", "applied")
ID_LISTS = ("change_ids", "approved_ids", "rejected_ids")

_config = schemathesis.Config()
_config.projects.default.phases.coverage.enabled = False
schema = schemathesis.openapi.from_wsgi("/api/openapi.json", application, config=_config)

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def horde() -> Iterator[HordeDouble]:
    with running_horde() as horde:
        yield horde


@pytest.fixture(scope="module")
def change_ids(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[list[int]]:
    """A queue with a change in nearly every status, and a few live records."""
    with django_db_blocker.unblock():
        make_live("live", description="first")
        make_record("text_generation", "Org/Writer-7B")
        applied = propose_create("applied")
        apply_at_once(applied)
        new = propose_create("Org/New-1B", category="text_generation")
        approve(propose_update("live", description="second"), propose_delete("live"), new)
        propose_create("fresh")
        propose_update("Org/Writer-7B", category="text_generation", description="better")
        change_ids = list(PendingChange.objects.values_list("pk", flat=True))
    yield change_ids
    with django_db_blocker.unblock():
        call_command("flush", interactive=False, verbosity=0)


@pytest.fixture(autouse=True)
def deployment(
    change_ids: list[int], db: None, horde: HordeDouble, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.HORDE_URL = horde.url
    settings.STATIC_API_KEYS = KEYS
    settings.QUEUE_REQUESTOR_IDS = frozenset({"101"})
    settings.QUEUE_APPROVER_IDS = frozenset({"900"})
    settings.QUEUE_READ_ROLE = ReadRole.REQUESTOR
    run_calls_inline(monkeypatch)


def aim(case: schemathesis.Case, pick: int, change_ids: list[int]) -> None:
    """Puts what is there in place of what the request would ask for at random."""
    change_id, name = change_ids[pick % len(change_ids)], NAMES[pick % len(NAMES)]
    there = {
        "model_name": name,
        "change_id": change_id,
        "batch_id": 1 + pick % 2,
        "model_category_name": "text_generation" if "/" in name else "image_generation",
    }
    given = case.path_parameters or {}
    given.update({parameter: there[parameter] for parameter in given.keys() & there.keys()})
    if isinstance(case.body, dict):
        case.body.update({key: [change_id] for key in ID_LISTS if case.body.get(key)})
        if "name" in case.body and "model_name" in given:
            case.body["name"] = name


@schema.given(key=st.sampled_from([*KEYS]), pick=st.none() | st.integers(0, 99))
@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
def test_answers_are_as_documented(case, key, pick, change_ids, settings):
    if "/v1/" in case.operation.path:
        # Writes in version 1 are for deployments of that format, on others they are refused with 503.
        settings.CANONICAL_FORMAT = CanonicalFormat.LEGACY
    if pick is not None:
        aim(case, pick, change_ids)
    # Servers have connections looked after between requests; that would end the transaction of the test.
    with patch.object(BaseDatabaseWrapper, "close_if_unusable_or_obsolete"):
        response = case.call(headers={"apikey": key, "Accept-Encoding": "identity"})
    case.validate_response(response, checks=CHECKS)
