"""Aliases, families and naming schemas are written at once, and remembered all the same."""

import pytest

from moderation.models import AuditEvent
from moderation.replay import Replay
from references.structure_services import aliases_delete, aliases_put, family_put

pytestmark = pytest.mark.django_db


def events():
    return list(AuditEvent.objects.filter(category=AuditEvent.STRUCTURE).order_by("event_id"))


def test_each_write_leaves_an_event_with_what_was_and_what_is():
    aliases_put(canonical="Lumimaid", aliases=["Llama-3-Lumimaid"], actor="101")
    aliases_put(canonical="Lumimaid", aliases=["Other"], actor="102")
    aliases_delete(canonical="Lumimaid", actor="101")
    assert [(event.model_name, event.operation, event.logical_user_id) for event in events()] == [
        ("Lumimaid", "create", "101"),
        ("Lumimaid", "update", "102"),
        ("Lumimaid", "delete", "101"),
    ]
    assert [event.payload_as_dict() for event in events()] == [
        {"kind": "alias", "after": {"canonical": "Lumimaid", "aliases": ["Llama-3-Lumimaid"]}},
        {
            "kind": "alias",
            "before": {"canonical": "Lumimaid", "aliases": ["Llama-3-Lumimaid"]},
            "after": {"canonical": "Lumimaid", "aliases": ["Other"]},
        },
        {"kind": "alias", "before": {"canonical": "Lumimaid", "aliases": ["Other"]}},
    ]


def test_a_deployment_without_a_log_writes_no_event(settings):
    settings.AUDIT_ENABLED = False
    family_put(name="Fam", members=["A", "B"], actor="101")
    assert events() == []


def test_replaying_the_log_passes_over_them():
    family_put(name="Fam", members=["A", "B"], actor="101")
    replay = Replay()
    for event in AuditEvent.objects.order_by("event_id"):
        replay.play(event)
    assert replay.faults == []
    assert replay.records == {}
