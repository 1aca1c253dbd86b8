"""Proposals: what is queued, and what is refused before it is."""

import json

import pytest
from rest_framework.exceptions import NotFound

from moderation.models import AuditEvent, PendingChange
from moderation.services import Proposal, change_propose, changes_propose
from moderation.states import Operation
from references.problems import Conflict
from references.services import record_put
from tests.factories import make_v2
from tests.moderation.factories import (
    EARLY,
    IMAGES,
    RITA,
    apply_at_once,
    make_live,
    propose_create,
    propose_delete,
    propose_update,
    stamps,
)

pytestmark = pytest.mark.django_db


def test_a_create_is_queued_as_it_was_sent():
    payload = make_v2(IMAGES, "fresh", description="new")
    change = change_propose(
        actor=RITA,
        category=IMAGES,
        name="fresh",
        operation="create",
        payload=payload,
        route="create_v2_image_generation",
        at=EARLY,
    )
    change.refresh_from_db()
    assert (change.status, change.operation, change.domain) == ("pending", "create", "v2")
    assert json.loads(change.payload) == payload
    assert list(json.loads(change.payload)) == list(payload)
    assert (change.requested_by, change.requested_username) == ("101", "Rita#101")
    assert (change.requested_at, change.updated_at) == (EARLY, EARLY)
    assert change.request_metadata_as_dict() == {"route": "create_v2_image_generation"}
    assert (change.base_record, change.base_digest, change.related_models, change.notes) == (None,) * 4


def test_a_proposal_is_one_event():
    before = AuditEvent.objects.count()
    change = propose_create("fresh")
    event = AuditEvent.objects.of_changes([change.change_id]).get()
    assert AuditEvent.objects.count() == before + 1
    assert (event.category, event.operation, event.domain) == ("pending_queue", "update", "v2")
    assert (event.logical_user_id, event.timestamp) == ("101", change.requested_at)
    after = event.payload_as_dict()["after"]
    assert after["payload"] == change.payload_as_dict()
    assert {key: after[key] for key in ("action", "change_id", "operation", "category", "model")} == {
        "action": "enqueue",
        "change_id": change.change_id,
        "operation": "create",
        "category": IMAGES,
        "model": "fresh",
    }


def test_two_creates_of_one_name_are_both_queued():
    one, two = propose_create("fresh"), propose_create("fresh")
    assert PendingChange.objects.of_model(IMAGES, "fresh").count() == 2
    assert one.change_id < two.change_id


@pytest.mark.parametrize(
    ("propose", "name", "problem"),
    [
        (propose_create, "live", Conflict),
        (propose_update, "missing", NotFound),
        (propose_delete, "missing", NotFound),
    ],
)
def test_what_does_not_fit_the_live_records_is_not_queued(propose, name, problem):
    make_live("live")
    events = AuditEvent.objects.count()
    with pytest.raises(problem, match=f"'{name}'.*'{IMAGES}'"):
        propose(name)
    assert not PendingChange.objects.exists()
    assert AuditEvent.objects.count() == events


def test_the_same_name_in_another_category_does_not_count():
    make_live("x", category="clip")
    assert propose_create("x").category == IMAGES


def test_an_update_keeps_who_created_the_record_and_when():
    record = make_v2(IMAGES, "a", metadata=stamps(created_by="someone"))
    record_put(category=IMAGES, name="a", record=record)
    change = propose_update("a", metadata=stamps(1, created_by="me", updated_by="me"))
    assert list(change.payload_as_dict()["metadata"].items()) == [
        ("schema_version", "2.0.0"),
        ("created_at", EARLY),
        ("updated_at", 1),
        ("created_by", "someone"),
        ("updated_by", "me"),
    ]


def test_an_update_brings_its_own_creation_where_the_record_has_none():
    record_put(category=IMAGES, name="a", record=make_v2(IMAGES, "a"))
    assert propose_update("a", metadata=stamps(7)).payload_as_dict()["metadata"]["created_at"] == 7


def test_an_update_remembers_what_it_was_made_from():
    live = make_live("a", description="before")
    change = propose_update("a", description="after")
    assert change.base_as_dict() == live
    assert len(change.base_digest) == 64


def test_the_payload_of_a_delete_is_the_live_record():
    live = make_live("a")
    change = propose_delete("a")
    assert change.payload_as_dict() == change.base_as_dict() == live


@pytest.mark.parametrize("operation", ["create", "update", "delete"])
def test_changes_of_text_models_name_their_backend_variants(operation):
    related = {
        "Org/New-13B": ["aphrodite/Org/New-13B", "koboldcpp/New-13B"],
        "plain": ["aphrodite/plain", "koboldcpp/plain"],
    }
    for name, expected in related.items():
        if operation == "create":
            change = propose_create(name, category="text_generation")
        else:
            make_live(name, category="text_generation")
            propose = propose_update if operation == "update" else propose_delete
            change = propose(name, category="text_generation")
        assert change.related_models_as_list() == expected


def test_several_proposals_are_queued_together_or_not_at_all():
    make_live("a")
    update = Proposal(IMAGES, "a", Operation.UPDATE, make_v2(IMAGES, "a"), "route", notes="all of them")
    missing = Proposal(IMAGES, "b", Operation.UPDATE, make_v2(IMAGES, "b"), "route")
    events = AuditEvent.objects.count()
    with pytest.raises(NotFound):
        changes_propose(actor=RITA, proposals=[update, missing])
    assert not PendingChange.objects.exists()
    assert AuditEvent.objects.count() == events
    changes = changes_propose(
        actor=RITA,
        proposals=[
            update,
            Proposal(IMAGES, "a", Operation.DELETE, None, "other", request_metadata={"batch_id": "u"}),
        ],
    )
    assert [change.notes for change in changes] == ["all of them", None]
    assert changes[1].request_metadata_as_dict() == {"route": "other", "batch_id": "u"}
    assert AuditEvent.objects.count() == events + 2


def test_proposing_changes_nothing_live():
    make_live("a", description="before")
    propose_update("a", description="after")
    propose_delete("a")
    propose_create("b")
    change = propose_update("a", description="last")
    assert change.base_as_dict()["description"] == "before"


def test_names_are_told_apart_by_case():
    make_live("Model")
    assert apply_at_once(propose_create("model")).model_name == "model"
