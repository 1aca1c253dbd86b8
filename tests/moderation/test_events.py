"""The log: what is written to it, that nothing can be changed in it, and how its rows are chained."""

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction

from moderation.events import event_hash, events_append, unlogged
from moderation.models import AuditEvent, AuditHead
from references.models import ModelRecord
from references.services import record_delete, record_put, sources_import
from references.vocabulary import CanonicalFormat
from tests.factories import make_legacy, make_source
from tests.moderation.factories import ADA, IMAGES, LATER, RITA, apply_at_once, make_live, propose_create

pytestmark = pytest.mark.django_db


def events() -> list[AuditEvent]:
    return list(AuditEvent.objects.in_order())


def test_a_record_that_is_created_is_an_event_with_all_of_it():
    make_live("a")
    (event,) = events()
    assert (event.event_id, event.category, event.model_name, event.operation) == (1, IMAGES, "a", "create")
    assert (event.domain, event.logical_user_id, event.request_id) == ("v2", "system", None)
    stored = ModelRecord.objects.get()
    assert event.payload_as_dict() == {
        "after": stored.as_dict(),
        "legacy_after": stored.legacy_as_dict(),
        "position": stored.position,
    }


def test_an_update_tells_both_sides_and_what_changed():
    record = {"name": "a", "gone": 1, "kept": None, "changed": None, "same": {"x": 1}}
    record_put(category="lora", name="a", record=record)
    after = {"name": "a", "kept": None, "changed": False, "same": {"x": 1}, "new": None}
    record_put(category="lora", name="a", record=after, actor="900", request_id="job-1")
    event = events()[-1]
    assert (event.operation, event.logical_user_id, event.request_id) == ("update", "900", "job-1")
    assert event.payload_as_dict() == {
        "delta": {
            "gone": {"old": 1},
            "changed": {"old": None, "new": False},
            "new": {"old": None, "new": None},
        },
        "before": record,
        "after": after,
        "position": 1,
    }


def test_a_delete_tells_what_was_there():
    make_live("first", category="lora")
    before = make_live("a", category="lora")
    record_delete(category="lora", name="a", actor="900")
    assert events()[-1].payload_as_dict() == {"before": before, "position": 2}
    assert events()[-1].operation == "delete"


def test_every_record_of_an_import_is_an_event():
    sources_import([make_source("clip", make_legacy("clip", "a"), make_legacy("clip", "b"))])
    sources_import([make_source("clip", make_legacy("clip", "a"), make_legacy("clip", "b", version="2"))])
    assert [(event.model_name, event.operation, event.logical_user_id) for event in events()] == [
        ("a", "create", "system"),
        ("b", "create", "system"),
        ("b", "update", "system"),
    ]


def test_an_import_of_any_size_takes_few_queries(django_assert_max_num_queries):
    source = make_source("clip", *(make_legacy("clip", f"model {number}") for number in range(1200)))
    with django_assert_max_num_queries(80):
        sources_import([source])
    assert AuditEvent.objects.count() == AuditHead.objects.get().last_event_id == 1200


def test_events_say_which_format_the_deployment_writes(settings):
    settings.CANONICAL_FORMAT = CanonicalFormat.LEGACY
    make_live("a")
    assert events()[0].domain == "legacy"


def test_the_order_of_keys_and_every_character_survive():
    record = {"z": 1, "name": "ü\u0000\u2028'\"", "a": [1.5, 10**18, None, True]}
    record_put(category="lora", name="a", record=record)
    assert list(events()[0].payload_as_dict()["after"].items()) == list(record.items())


def test_each_row_holds_the_hash_of_the_one_before_it():
    make_live("a")
    apply_at_once(propose_create("b"))
    rows = events()
    assert [row.event_id for row in rows] == [1, 2, 3, 4, 5]
    assert [row.previous_hash for row in rows] == ["", *(row.hash for row in rows[:-1])]
    assert all(row.hash == event_hash(row) and len(row.hash) == 64 for row in rows)
    head = AuditHead.objects.get()
    assert (head.last_event_id, head.last_hash) == (5, rows[-1].hash)


@pytest.mark.parametrize(
    "change",
    [
        {"timestamp": 1},
        {"domain": "legacy"},
        {"category": "clip"},
        {"model_name": "b"},
        {"operation": "update"},
        {"logical_user_id": "900"},
        {"request_id": ""},
        {"payload": "{}"},
        {"previous_hash": "x"},
        {"event_id": 2},
    ],
    ids=str,
)
def test_the_hash_covers_every_field(change):
    make_live("a")
    event = events()[0]
    for name, value in change.items():
        setattr(event, name, value)
    assert event_hash(event) != event.hash


def test_an_act_that_is_rolled_back_leaves_no_event():
    make_live("a")
    with transaction.atomic():
        propose_create("b")
        transaction.set_rollback(True)
    assert [event.event_id for event in events()] == [1]
    propose_create("b")
    assert [event.event_id for event in events()] == [1, 2]


def test_a_deployment_without_a_log_writes_none(settings):
    settings.AUDIT_ENABLED = False
    change = apply_at_once(propose_create("a"))
    assert not AuditEvent.objects.exists()
    change.refresh_from_db()
    assert (change.status, change.applied_event_id) == ("applied", None)
    assert change.live_after_as_dict()["name"] == "a"
    assert events_append([], at=LATER) is None


def test_what_brings_the_store_in_step_with_the_log_is_not_logged():
    with unlogged():
        make_live("a")
    make_live("b")
    assert [event.model_name for event in events()] == ["b"]


SABOTAGE = [
    "UPDATE moderation_auditevent SET payload = '{}' WHERE event_id = 1",
    "UPDATE moderation_auditevent SET event_id = 9 WHERE event_id = 1",
    "DELETE FROM moderation_auditevent WHERE event_id = 2",
    "DELETE FROM moderation_auditevent",
]
SABOTAGE_BY_VENDOR = {
    "sqlite": [
        "INSERT OR REPLACE INTO moderation_auditevent SELECT * FROM moderation_auditevent WHERE event_id = 1"
    ],
    "postgresql": [
        "TRUNCATE moderation_auditevent",
        "INSERT INTO moderation_auditevent SELECT * FROM moderation_auditevent WHERE event_id = 1 "
        "ON CONFLICT (event_id) DO UPDATE SET payload = '{}'",
    ],
}


def test_the_database_refuses_to_change_the_log():
    make_live("a")
    propose_create("b")
    before = list(AuditEvent.objects.values())
    for statement in SABOTAGE + SABOTAGE_BY_VENDOR[connection.vendor]:
        with (
            pytest.raises(DatabaseError, match="audit events"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)
    for act in (
        lambda: AuditEvent.objects.update(timestamp=0),
        lambda: AuditEvent.objects.all().delete(),
        lambda: AuditEvent.objects.last().delete(),
        lambda: AuditEvent.objects.last().save(),
    ):
        with pytest.raises(DatabaseError, match="audit events"), transaction.atomic():
            act()
    assert list(AuditEvent.objects.values()) == before


@pytest.mark.django_db(transaction=True)
def test_flush_empties_the_log_and_leaves_it_guarded():
    make_live("a")
    call_command("flush", interactive=False, verbosity=0)
    assert not AuditEvent.objects.exists()
    make_live("b")
    with pytest.raises(DatabaseError, match="audit events"), transaction.atomic():
        AuditEvent.objects.all().delete()
    assert [event.event_id for event in events()] == [1]


def test_who_acted_is_who_the_service_was_told():
    change = apply_at_once(propose_create("a", by=RITA), by=ADA)
    queue_events = AuditEvent.objects.of_changes([change.pk]).in_order()
    assert [event.logical_user_id for event in queue_events] == ["101", "900", "900"]
