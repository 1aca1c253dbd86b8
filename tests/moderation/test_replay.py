"""Replaying the log: whatever was done, it tells what is stored, and shows what was done behind it."""

import json
from io import StringIO

import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework.exceptions import APIException

from moderation.api.feed import record_events
from moderation.append_only import log_unlocked
from moderation.events import event_hash
from moderation.models import AuditEvent, AuditHead, Batch, PendingChange, QueueState
from moderation.rebuild import differences
from moderation.replay import log_replay
from moderation.services import (
    batch_apply,
    batch_decide,
    batch_revert,
    change_apply,
    change_propose,
    change_reopen,
    change_revert,
    change_withdraw,
    changes_apply,
    open_batch_id,
    queue_purge,
)
from references.documents import snapshot
from references.models import Category, ModelRecord
from references.services import record_delete, record_put, records_import, sources_import
from references.vocabulary import CanonicalFormat
from tests.factories import make_imported, make_legacy, make_source, make_v2
from tests.moderation.factories import (
    ADA,
    BEN,
    IMAGES,
    RAVI,
    RITA,
    apply_at_once,
    approve,
    make_live,
    propose_create,
    propose_delete,
    propose_update,
    stamps,
)

pytestmark = pytest.mark.django_db


def faults() -> list[str]:
    replay = log_replay()
    return [*replay.faults, *differences(replay)]


def check() -> str:
    output = StringIO()
    call_command("rebuild_from_audit", "--check", stdout=output)
    return output.getvalue()


NAMES = ("a", "b", "Org/M-7B")
CATEGORIES = (IMAGES, "text_generation", "clip")
JOBS = (None, "job-1", "job-2")


class Queue:
    """A queue that does as numbers tell it, choosing among the changes for which an act makes sense."""

    def take(self, kind: str, number: int) -> None:
        getattr(self, kind)(number)

    def one_of(self, status: str, number: int) -> int:
        ids = list(PendingChange.objects.filter(status=status).values_list("pk", flat=True))
        return ids[number % len(ids)] if ids else number

    def some_of(self, status: str, number: int) -> list[int]:
        return list(dict.fromkeys(self.one_of(status, number // step) for step in (1, 3, 7)))

    def propose(self, number: int) -> None:
        category, name = CATEGORIES[number % 3], NAMES[number // 3 % 3]
        is_live = ModelRecord.objects.filter(category=category, name=name).exists()
        operation = ("update", "delete")[number % 2] if is_live else "create"
        fields = {"description": f"text {number} \u00fc"}
        if number % 5 == 0:
            django_settings.CANONICAL_FORMAT = CanonicalFormat.LEGACY
            if category == "text_generation":
                fields["parameters"] = 7_000_000_000
            payload = make_legacy(category, name, **fields)
        else:
            payload = make_v2(category, name, **fields)
        try:
            change_propose(
                actor=(RITA, RAVI)[number % 2],
                category=category,
                name=name,
                operation=operation,
                payload=payload,
                route="r",
            )
        finally:
            django_settings.CANONICAL_FORMAT = CanonicalFormat.V2

    def decide(self, number: int) -> None:
        picked = self.some_of("pending", number)
        rejected = picked[1:] if number % 3 == 0 else []
        batch_decide(
            actor=(ADA, BEN)[number % 2],
            title=f"Batch {number}",
            approved_ids=[change_id for change_id in picked if change_id not in rejected],
            rejected_ids=rejected,
            reject_reason="no",
        )

    def apply(self, number: int) -> None:
        change_apply(
            actor=BEN,
            change_id=self.one_of("approved", number),
            job_id=JOBS[number % 3],
            on_conflict=policy(number),
        )

    def apply_list(self, number: int) -> None:
        ids = self.some_of("approved", number) + self.some_of("applied", number)[: number % 2]
        changes_apply(
            actor=ADA,
            change_ids=ids,
            job_id=JOBS[number % 3],
            allow_mixed_batch=True,
            on_conflict=policy(number),
        )

    def apply_batch(self, number: int) -> None:
        batch_apply(actor=ADA, batch_id=open_batch_id() or 1, on_conflict=policy(number))

    def withdraw(self, number: int) -> None:
        change_withdraw(actor=ADA, change_id=self.one_of("pending", number), as_approver=True)

    def reopen(self, number: int) -> None:
        change_reopen(actor=ADA, change_id=self.one_of("approved", number))

    def purge(self, number: int) -> None:
        queue_purge(actor=ADA, change_ids=[number % 40], statuses=["applied", "rejected", "approved"])

    def revert(self, number: int) -> None:
        change_revert(actor=RITA, change_id=self.one_of("applied", number))

    def revert_batch(self, number: int) -> None:
        batch_revert(actor=RITA, batch_id=number % 5)

    def put(self, number: int) -> None:
        category, name = CATEGORIES[number % 3], NAMES[number // 3 % 3]
        record_put(category=category, name=name, record=make_v2(category, name, description=f"put {number}"))

    def remove(self, number: int) -> None:
        if stored := ModelRecord.objects.filter(name=NAMES[number % 3]).first():
            record_delete(category=stored.category_id, name=stored.name, actor="900")

    def import_records(self, number: int) -> None:
        names = [name for place, name in enumerate(NAMES) if number >> place & 1]
        if number % 5 < 2:
            names.reverse()
        records = [make_imported(name, category="clip", description=f"file {number}") for name in names]
        records_import(category="clip", records=records, prune=number % 2 == 0)


def policy(number: int) -> str:
    return "overwrite" if number % 2 else "fail"


KINDS = [
    name for name in vars(Queue) if not name.startswith("_") and name not in ("take", "one_of", "some_of")
]
# Most of the time something is proposed, decided or applied; the rest is thrown in between.
STEPS = st.tuples(
    st.sampled_from(["propose"] * 8 + ["decide"] * 5 + ["apply", "apply_list", "apply_batch"] * 2 + KINDS),
    st.integers(min_value=0, max_value=999),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEPS, min_size=15, max_size=50))
def test_whatever_is_done_the_log_tells_what_is_stored(steps):
    queue = Queue()
    with transaction.atomic():
        for kind, number in [*OPENING, *steps]:
            try:
                with transaction.atomic():
                    queue.take(kind, number)
            except APIException:
                continue
        assert faults() == []
        assert PendingChange.objects.approved().values("batch_id").distinct().count() <= 1
        transaction.set_rollback(True)


# So that there is something to act on from the first random step.
OPENING = [("put", number) for number in (0, 4, 8)] + [("propose", number) for number in range(12)]


def a_full_day() -> None:
    """Every kind of act, and an import."""
    sources_import([make_source("clip", make_legacy("clip", "c1"), make_legacy("clip", "c2"))])
    make_live("a", description="before")
    make_live("b")
    one, two, three = propose_create("fresh"), propose_update("a", nsfw=True), propose_delete("b")
    four, five = propose_create("no"), propose_create("Org/New-13B", category="text_generation")
    batch_decide(
        actor=ADA,
        title="T",
        approved_ids=[one.pk, two.pk, three.pk, five.pk],
        rejected_ids=[four.pk],
        reject_reason="no",
    )
    change_apply(actor=ADA, change_id=one.pk, job_id="job-1")
    change_reopen(actor=ADA, change_id=two.pk)
    batch_apply(actor=BEN, batch_id=2)
    apply_at_once(change_revert(actor=RITA, change_id=one.pk))
    change_withdraw(actor=RITA, change_id=two.pk)
    queue_purge(actor=ADA, statuses=["rejected"])
    approve(propose_create("last"))
    propose_create("left over")


def test_the_check_passes_after_a_full_day():
    a_full_day()
    events = AuditEvent.objects.count()
    assert f"{events} events" in check()
    assert AuditEvent.objects.count() == events


def test_an_apply_that_writes_nothing_is_not_taken_for_the_write_before_it():
    make_live("a", description="before")
    change = propose_update("a", description="mine", metadata=stamps())
    approve(change)
    record_put(category=IMAGES, name="a", record=change.payload_as_dict())
    change_apply(actor=ADA, change_id=change.pk)
    change.refresh_from_db()
    assert change.live_before == change.live_after
    assert faults() == []


def import_in(order: str) -> None:
    records_import(category="clip", records=[make_imported(name, category="clip") for name in order])


def clip_order() -> str:
    return "".join(ModelRecord.objects.filter(category="clip").order_by("position").names())


def test_the_log_tells_of_new_places_in_one_event_and_the_rebuild_puts_records_there():
    import_in("abcd")
    events = AuditEvent.objects.count()
    import_in("dxcb")
    assert clip_order() == "dxcba"
    assert AuditEvent.objects.count() == events + 2
    moved = AuditEvent.objects.get(category=AuditEvent.ORDER)
    assert (moved.model_name, moved.operation, moved.logical_user_id) == ("clip", "update", "system")
    assert faults() == []

    before = rows_of(ModelRecord)
    ModelRecord.objects.all().delete()
    call_command("rebuild_from_audit", "--yes", stdout=StringIO())
    assert (clip_order(), rows_of(ModelRecord)) == ("dxcba", before)


def test_a_process_that_knows_the_records_sees_their_new_places():
    import_in("abcd")
    known = snapshot("clip")
    assert [row.name for row in known.rows] == [*"abcd"]
    import_in("bacd")
    assert [row.name for row in snapshot("clip").rows] == [*"bacd"]
    assert snapshot("clip").by_name["d"] is known.by_name["d"]


def test_new_places_are_no_write_in_the_feed_of_records():
    import_in("ab")
    before = list(record_events())
    import_in("ba")
    assert list(record_events()) == before
    assert AuditEvent.objects.filter(category=AuditEvent.ORDER).count() == 1


def test_the_check_passes_on_an_empty_store():
    assert "0 events" in check()


def test_the_check_reads_the_real_reference(real_sources):
    sources_import(real_sources)
    assert AuditEvent.objects.count() == ModelRecord.objects.count() > 900
    assert faults() == []


SABOTAGE = [
    ("UPDATE references_modelrecord SET record = '{}' WHERE name = 'a'", f"record {IMAGES}/a: record"),
    ("UPDATE references_modelrecord SET legacy = NULL WHERE name = 'a'", f"record {IMAGES}/a: legacy"),
    ("UPDATE references_modelrecord SET position = 99 WHERE name = 'c1'", "record clip/c1: position"),
    ("DELETE FROM references_modelrecord WHERE name = 'c1'", "record clip/c1: is missing"),
    (
        "UPDATE references_modelrecord SET name = 'z' WHERE name = 'c1'",
        "record clip/z: is not in the log",
    ),
    (
        "UPDATE moderation_pendingchange SET payload = '{}' WHERE model_name = 'left over'",
        "payload not as in the log",
    ),
    (
        "UPDATE moderation_pendingchange SET requested_by = '900' WHERE model_name = 'last'",
        "requested_by not as in the log",
    ),
    ("UPDATE moderation_pendingchange SET purged_at = NULL", "purged_at not as in the log"),
    ("DELETE FROM moderation_pendingchange WHERE model_name = 'last'", "is missing"),
    ("UPDATE moderation_batch SET title = 'other' WHERE number = 2", "batch 2: title"),
    ("DELETE FROM moderation_batch WHERE number = 1", "batch 1: is missing"),
    ("UPDATE moderation_queuestate SET last_batch_id = 0", "queue: the last batch is 0"),
]


@pytest.mark.parametrize(("statement", "words"), SABOTAGE, ids=[words for _, words in SABOTAGE])
def test_the_check_finds_and_the_rebuild_mends_what_was_done_by_hand(statement, words):
    a_full_day()
    with connection.cursor() as cursor:
        cursor.execute(statement)
    output = StringIO()
    with pytest.raises(CommandError, match="differences"):
        call_command("rebuild_from_audit", "--check", "--yes", stdout=output)
    assert words in output.getvalue()
    with pytest.raises(CommandError, match="--yes"):
        call_command("rebuild_from_audit", stdout=output)
    assert faults() != []
    events = AuditEvent.objects.count()
    call_command("rebuild_from_audit", "--yes", stdout=output)
    assert faults() == []
    assert AuditEvent.objects.count() == events


def test_a_rebuild_from_nothing_brings_everything_back():
    a_full_day()
    tables = (ModelRecord, PendingChange.recorded, Batch, QueueState)
    before = [rows_of(table) for table in tables]
    revision = Category.objects.get(pk=IMAGES).revision
    ModelRecord.objects.all().delete()
    PendingChange.recorded.all().delete()
    Batch.objects.all().delete()
    QueueState.objects.all().delete()
    call_command("rebuild_from_audit", "--yes", stdout=StringIO())
    assert [rows_of(table) for table in tables] == before
    assert Category.objects.get(pk=IMAGES).revision > revision
    assert propose_create("new").change_id > max(row["change_id"] for row in before[1])


@pytest.mark.skipif(connection.vendor != "postgresql", reason="elsewhere ids of undone proposals come again")
def test_a_rebuild_takes_no_id_back_that_a_proposal_under_way_may_have():
    a_full_day()
    with transaction.atomic():
        taken = propose_create("under way").pk
        transaction.set_rollback(True)
    ModelRecord.objects.get(name="c1").delete()
    call_command("rebuild_from_audit", "--yes", stdout=StringIO())
    assert propose_create("next").pk > taken


def test_a_rebuild_lets_version_1_serve_the_imported_file_again():
    source = make_source("clip", make_legacy("clip", "c1"), make_legacy("clip", "c2"))
    sources_import([source])
    ModelRecord.objects.get(name="c1").delete()
    call_command("rebuild_from_audit", "--yes", stdout=StringIO())
    assert snapshot("clip").v1.body == source.text.encode()


def rows_of(table) -> list[dict]:
    rows = (table.objects if isinstance(table, type) else table).order_by("pk").values()
    kept = {"record", "legacy", "position", "name", "category_id"} if table is ModelRecord else None
    stored = [{key: value for key, value in row.items() if kept is None or key in kept} for row in rows]
    return sorted(stored, key=json.dumps) if table is ModelRecord else stored


def tamper(statement: str) -> None:
    with log_unlocked("default"), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE moderation_auditevent SET payload = replace(payload, 'before', 'bef0re')", "was changed"),
        ("UPDATE moderation_auditevent SET timestamp = 5 WHERE event_id = 3", "event 3 was changed"),
        ("DELETE FROM moderation_auditevent WHERE event_id = 4", "event 4 is missing"),
        (
            "DELETE FROM moderation_auditevent "
            "WHERE event_id = (SELECT max(event_id) FROM moderation_auditevent)",
            "not with event",
        ),
        (
            "UPDATE moderation_auditevent SET previous_hash = 'x' WHERE event_id = 2",
            "event 2 does not follow",
        ),
    ],
)
def test_the_check_finds_what_was_done_to_the_log(statement, words):
    a_full_day()
    tamper(statement)
    output = StringIO()
    with pytest.raises(CommandError, match="damaged"):
        call_command("rebuild_from_audit", "--yes", stdout=output)
    assert words in output.getvalue()


def test_a_hash_made_to_fit_breaks_the_chain_behind_it():
    a_full_day()
    event = AuditEvent.objects.get(pk=3)
    event.timestamp = 5
    tamper(f"UPDATE moderation_auditevent SET timestamp = 5, hash = '{event_hash(event)}' WHERE event_id = 3")  # noqa: S608
    assert "log: event 4 does not follow the one before it" in faults()


@pytest.mark.parametrize(
    "nonsense",
    ["payload = '{}'", "payload = 'x'", """category = 'record_order', payload = '{"positions": []}'"""],
)
def test_an_event_that_makes_no_sense_is_named_and_does_not_stop_the_check(nonsense):
    a_full_day()
    tamper(f"UPDATE moderation_auditevent SET {nonsense} WHERE event_id = 1")  # noqa: S608
    found = faults()
    assert any(line.startswith("log: event 1 cannot be replayed") for line in found)


def test_a_deployment_without_a_log_has_nothing_to_check(settings):
    settings.AUDIT_ENABLED = False
    with pytest.raises(CommandError, match="no audit log"):
        check()


def test_what_was_written_while_the_log_was_off_shows_as_a_difference(settings):
    settings.AUDIT_ENABLED = False
    make_live("a")
    settings.AUDIT_ENABLED = True
    assert faults() == [f"record {IMAGES}/a: is not in the log"]
    assert AuditHead.objects.count() == 0


def test_a_split_after_a_purge_leaves_the_batch_under_the_same_title_in_the_log():
    one, two, three = (propose_create(name) for name in "abc")
    approve(one, title="First")
    approve(three, two, title="Second")
    queue_purge(actor=ADA, change_ids=[three.pk])
    change_apply(actor=ADA, change_id=one.pk)
    assert faults() == []
