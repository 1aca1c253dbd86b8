"""Moving a store of the published service in: what is broken is named, and what is missing made up for."""

import json
import re
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from moderation.models import AuditEvent, Batch, PendingChange, QueueState
from moderation.problems import PendingChangeConflictError
from moderation.services import change_apply
from references.models import ModelRecord
from tests.moderation.factories import ADA, IMAGES, make_live, propose_create
from tests.moderation.published_stores import (
    APPLIED,
    DECIDED,
    PROPOSED,
    PublishedFolder,
    meta,
    published_record,
)

pytestmark = pytest.mark.django_db

QUEUE_LOG = "audit/v2/pending_queue/audit-000001.jsonl"


def move_in(folder: Path) -> str:
    output = StringIO()
    call_command("import_published", str(folder), stdout=output)
    return output.getvalue()


def check() -> None:
    call_command("rebuild_from_audit", "--check", stdout=StringIO())


def refused(store: PublishedFolder, path: Path) -> str:
    """Why the store is not moved in; fails if anything was changed."""
    make_live("here_before", category="clip")
    with pytest.raises(CommandError) as failure:
        move_in(store.write(path))
    message = str(failure.value)
    assert message.endswith("\nNothing was changed.")
    assert failure.value.returncode == 1
    assert list(ModelRecord.objects.values_list("name", flat=True)) == ["here_before"]
    assert AuditEvent.objects.count() == 1
    assert not PendingChange.recorded.exists()
    return message.removesuffix("\nNothing was changed.")


@pytest.fixture
def store() -> PublishedFolder:
    """A store with one live record and one pending change."""
    made = PublishedFolder()
    made.live("live_a")
    made.proposed("waiting")
    return made


# Broken files


def test_a_torn_line_of_the_log_is_named_with_its_number(store, tmp_path):
    text = store.write(tmp_path).joinpath(QUEUE_LOG).read_text()
    store.files[QUEUE_LOG] = text + '{"event_id":2,"timestamp":17'
    assert refused(store, tmp_path).startswith(f"{QUEUE_LOG}, line 2: not JSON")


def test_a_torn_queue_is_named_with_the_line(store, tmp_path):
    store.files["pending_queue/changes.json"] = '[\n  {\n    "change_id": 1,\n    "cat'
    assert refused(store, tmp_path).startswith("pending_queue/changes.json, line 4: not JSON")


def test_a_torn_category_is_named(store, tmp_path):
    store.files["stable_diffusion.json"] = '{"live_a": {'
    assert refused(store, tmp_path).startswith(
        "stable_diffusion.json: not a JSON object of records: line 1: Expecting"
    )


@pytest.mark.parametrize(
    "name",
    ["pending_queue/changes.json", "pending_queue/index.json", "audit/index.json", "stable_diffusion.json"],
)
def test_a_missing_file_is_named(store, tmp_path, name):
    store.live("a_lora", file="lora")
    store.files |= {name: None, "meta/v2/image_generation_metadata.json": meta()}
    assert re.search(rf"^{re.escape(name)} is missing", refused(store, tmp_path))


def test_a_missing_segment_is_named(store, tmp_path):
    text = store.write(tmp_path).joinpath(QUEUE_LOG).read_text()
    store.files |= {QUEUE_LOG: None, "audit/v2/pending_queue/audit-000002.jsonl": text}
    assert refused(store, tmp_path) == f"{QUEUE_LOG} is missing"


def test_a_log_without_its_end_is_refused(store, tmp_path):
    store.files["audit/index.json"] = {"last_event_id": 3}
    assert "the last event is 3, but the log that is here ends with 1" in refused(store, tmp_path)


def test_a_folder_that_is_not_there_is_refused(db, tmp_path):
    with pytest.raises(CommandError, match="is no folder"):
        move_in(tmp_path / "nowhere")


def test_a_folder_without_a_category_is_refused(store, tmp_path):
    store.records = {}
    assert "holds no file named after a category" in refused(store, tmp_path)


def test_a_store_that_holds_nothing_is_refused(tmp_path):
    assert "nothing to move in" in refused(PublishedFolder(), tmp_path)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"status": "lost"}, "change 1: status is 'lost'; known are pending, approved, applying"),
        ({"operation": "move"}, "change 1: operation is 'move'; known are create, update, delete"),
        ({"change_id": "1"}, "entry 1: change_id is not a whole number"),
        ({"requested_by": None}, "change 1: requested_by is not text"),
        ({"payload": []}, "change 1: payload is not an object"),
        ({"model_name": "x" * 256}, "change 1: model_name is longer than 255 characters"),
        ({"status": "approved"}, "change 1: is approved without batch_id, batch_title, approved_by"),
        ({"notes": "a\0b"}, "pending_queue/changes.json: holds a null character"),
        ({"model_name": "other"}, "change 1: by .*line 1 it is create image_generation waiting"),
        ({"requested_by": "102"}, "change 1: requested_by is '102', by the log it is '101'"),
        ({"change_id": 0}, "entry 1: change_id is 0, but numbers begin at 1"),
        ({"batch_id": 0}, "change 1: batch_id is 0, but numbers begin at 1"),
        ({"requested_at": PROPOSED * 1000}, "change 1: requested_at is .*000, which is no time in seconds"),
    ],
)
def test_a_change_that_makes_no_sense_is_named(store, tmp_path, change, words):
    store.changes[0] |= change
    assert re.search(words, refused(store, tmp_path))


def test_a_batch_without_a_number_in_the_log_is_named(store, tmp_path):
    store.approved(store.changes[0], 0)
    store.changes[0]["batch_id"] = 1
    assert f"{QUEUE_LOG}, line 2: batch_id is 0, but numbers begin at 1" in refused(store, tmp_path)


@pytest.mark.parametrize("name", ["last_updated", "initialization_time", "last_successful_operation"])
def test_a_time_of_a_category_in_milliseconds_is_named(store, tmp_path, name):
    store.files["meta/v2/image_generation_metadata.json"] = meta(**{name: PROPOSED * 1000})
    place = "meta/v2/image_generation_metadata.json"
    assert f"{place}: {name} is {PROPOSED * 1000}, which is no time in seconds" in refused(store, tmp_path)


def test_a_time_in_the_log_that_no_date_can_name_is_named(store, tmp_path):
    store.events[0]["timestamp"] = 253_402_300_800
    assert "line 1: timestamp is 253402300800, which is no time in seconds" in refused(store, tmp_path)
    store.events[0]["timestamp"] = store.changes[0]["requested_at"] = 253_402_300_799
    assert "1 pending" in move_in(store.write(tmp_path))


def test_an_id_given_to_two_changes_is_refused(store, tmp_path):
    store.changes.append({**store.changes[0], "model_name": "twin"})
    message = "pending_queue/changes.json, change 1: there is another change with this id"
    assert refused(store, tmp_path) == message


def test_an_id_given_to_two_events_is_refused_with_both_places(store, tmp_path):
    store.event(IMAGES, "live_a", "create", {"after": published_record("live_a")})["event_id"] = 1
    store.files["audit/index.json"] = {"last_event_id": 1}
    message = refused(store, tmp_path)
    assert "event 1 is also in" in message
    assert QUEUE_LOG in message
    assert f"audit/v2/{IMAGES}/audit-000001.jsonl, line 1" in message


def test_a_log_that_contradicts_the_queue_is_refused(store, tmp_path):
    store.approved(store.changes[0], 1)
    store.changes[0] |= {"status": "pending"}
    assert refused(store, tmp_path) == (
        "pending_queue/changes.json, change 1: is pending, but approved by the log"
    )


def test_a_log_that_contradicts_itself_is_refused(store, tmp_path):
    store.approved(store.changes[0], 1)
    store.approved(store.changes[0], 1)
    assert refused(store, tmp_path) == f"{QUEUE_LOG}, line 3: Change 1 is not pending (status=approved)."


def test_a_change_in_another_batch_than_its_log_says_is_refused(store, tmp_path):
    store.approved(store.changes[0], 1)
    store.changes[0]["batch_id"] = 2
    assert refused(store, tmp_path).endswith("change 1: batch_id is 2, by the log it is 1")


def test_events_about_legacy_objects_are_refused(store, tmp_path):
    store.events[0]["domain"] = "legacy"
    assert "only stores whose canonical format is v2" in refused(store, tmp_path)


def test_a_schema_of_the_wrong_kind_is_named(store, tmp_path):
    store.files["text_generation_group_schemas.json"] = {"G": {"part_order": "base"}}
    message = refused(store, tmp_path)
    assert message == "text_generation_group_schemas.json, G: part_order is not a list of text"


# What is not carried over, and what is made up for


def test_a_category_that_is_not_known_here_is_told_with_all_that_belongs_to_it(store, tmp_path):
    foreign = store.proposed("x", category="controlnet_annotator", payload={"name": "x"})
    store.approved(foreign, 1)
    store.event("controlnet_annotator", "x", "create", {"after": {"name": "x"}})
    store.records["controlnet_annotator"] = {"x": {"name": "x"}}
    output = move_in(store.write(tmp_path))
    lines = [line.removeprefix("not carried over: ") for line in output.splitlines() if "annotator" in line]
    assert lines[:3] == [
        "1 audit events of controlnet_annotator: there is no such category",
        "change 2 (controlnet_annotator x): there is no such category",
        "controlnet_annotator.json: there is no such category",
    ]
    assert (
        "event 3 (audit/v2/pending_queue/audit-000001.jsonl, line 3): change 2 is not carried over" in output
    )
    assert PendingChange.recorded.count() == 1
    assert propose_create("next").change_id == 3
    check()


def test_a_record_that_is_none_is_told_and_leaves_no_trace_among_the_live(store, tmp_path):
    store.records["stable_diffusion"]["broken"] = {"name": "broken", "baseline": 7}
    store.event(IMAGES, "broken", "create", {"after": {"name": "broken", "baseline": 7}})
    output = move_in(store.write(tmp_path))
    assert "not carried over: image_generation broken: baseline" in output
    assert not ModelRecord.objects.filter(name="broken").exists()
    check()


def test_an_update_of_a_model_that_is_gone_waits_on_and_conflicts_when_applied(store, tmp_path):
    orphan = store.proposed("vanished", "update")
    store.approved(orphan, 1)
    output = move_in(store.write(tmp_path))
    assert "not carried over: change 2: the record it was made from, which the store does not tell" in output
    with pytest.raises(PendingChangeConflictError, match="no longer exists"):
        change_apply(actor=ADA, change_id=2)
    change_apply(actor=ADA, change_id=2, on_conflict="overwrite")
    assert ModelRecord.objects.filter(name="vanished").exists()
    check()


def test_a_change_held_while_applying_is_approved_again(store, tmp_path):
    store.approved(store.changes[0], 1)
    store.changes[0]["status"] = "applying"
    assert "not carried over: change 1: that it was being applied" in move_in(store.write(tmp_path))
    assert PendingChange.objects.get(pk=1).status == "approved"
    check()


def test_a_store_without_a_log_has_its_queue_told_anew(tmp_path):
    store = PublishedFolder()
    store.live("live_a")
    applied = store.proposed("live_a")
    store.approved(applied, 3)
    store.applied(applied, {"after": published_record("live_a")}, "create")
    store.rejected(store.proposed("refused"))
    store.proposed("waiting")
    store.events = []
    output = move_in(store.write(tmp_path))
    assert "added to the log: change 1: apply" in output
    times = PendingChange.objects.values_list(
        "status", "requested_at", "approved_at", "applied_at", "batch_id"
    )
    assert list(times) == [
        ("applied", PROPOSED, DECIDED, APPLIED, 3),
        ("rejected", PROPOSED, None, None, None),
        ("pending", PROPOSED, None, None, None),
    ]
    assert QueueState.objects.get().last_batch_id == 3
    check()


def test_what_the_log_lost_at_its_end_is_taken_from_the_queue(store, tmp_path):
    store.approved(store.changes[0], 1)
    del store.events[-1]
    assert "added to the log: change 1: approve" in move_in(store.write(tmp_path))
    assert Batch.objects.get().number == 1
    check()


def test_a_change_that_left_the_queue_unlogged_is_purged(store, tmp_path):
    store.proposed("forgotten")
    store.files["pending_queue/changes.json"] = store.changes[:1]
    assert "added to the log: change 2: purge" in move_in(store.write(tmp_path))
    assert list(PendingChange.objects.values_list("pk", flat=True)) == [1]
    assert PendingChange.recorded.get(pk=2).purged_at == PROPOSED
    check()


def test_a_write_that_the_log_does_not_tell_of_is_added(store, tmp_path):
    past = published_record("live_a", description="first")
    store.event(IMAGES, "live_a", "create", {"after": past}, at=PROPOSED)
    output = move_in(store.write(tmp_path))
    assert "added to the log: image_generation live_a: a write" in output
    events = AuditEvent.objects.of_model(IMAGES, "live_a").in_order()
    assert [(event.operation, event.logical_user_id) for event in events] == [
        ("create", "900"),
        ("update", "system"),
    ]
    assert ModelRecord.objects.get().as_dict() == published_record("live_a")
    check()


def test_updates_of_a_record_that_nothing_else_tells_of_are_left_out(store, tmp_path):
    store.event(IMAGES, "ghost", "update", {"delta": {"nsfw": {"old": False, "new": True}}})
    output = move_in(store.write(tmp_path))
    assert "line 1): what it changed cannot be made out" in output
    assert not AuditEvent.objects.of_model(IMAGES, "ghost").exists()
    check()


def test_an_act_that_is_not_known_here_is_left_out(store, tmp_path):
    store.act("escalate", store.changes[0])
    assert "there is no act 'escalate'" in move_in(store.write(tmp_path))
    check()


def test_members_that_came_went_and_changed_are_made_out_from_the_end(tmp_path):
    store = PublishedFolder()
    now = store.live("live_a", description="third", tags=["b"])
    steps = [
        {"description": {"new": "first"}},
        {"description": {"old": "first"}, "tags": {"old": [], "new": ["a"]}},
        {"description": {"new": "third"}, "tags": {"old": ["a"], "new": ["b"]}},
    ]
    for delta in steps:
        store.event(IMAGES, "live_a", "update", {"delta": delta})
    move_in(store.write(tmp_path))
    states = [
        event.payload_as_dict()["after"] for event in AuditEvent.objects.of_model(IMAGES, "live_a").in_order()
    ]
    told = [(state.get("description"), state["tags"]) for state in states]
    assert told == [(None, []), ("first", []), (None, ["a"]), ("third", ["b"])]
    assert states[-1] == now
    check()


def test_what_an_apply_wrote_is_found_though_others_proposed_meanwhile(store, tmp_path):
    change, written = store.changes[0], store.live("waiting")
    store.approved(change, 1)
    store.applied(change, {"after": written}, "create")
    apply = store.events.pop()
    store.proposed("meanwhile")
    store.events.append(apply)
    apply["event_id"], store.events[-2]["event_id"] = 5, 4
    move_in(store.write(tmp_path))
    row = PendingChange.objects.get(pk=1)
    assert row.live_before is None
    assert row.live_after_as_dict() == written
    check()


def test_the_order_of_members_is_that_of_the_file_and_not_of_the_log(tmp_path):
    store = PublishedFolder()
    record = store.live("live_a")
    store.event(IMAGES, "live_a", "create", {"after": dict(reversed(record.items()))})
    move_in(store.write(tmp_path))
    assert list(ModelRecord.objects.get().as_dict()) == list(record)
    check()


def test_a_family_that_clashes_is_told(store, tmp_path):
    store.files["text_generation_group_families.json"] = {"detect": {"members": ["a"]}}
    output = move_in(store.write(tmp_path))
    assert (
        "not carried over: text_generation_group_families.json, detect: A family cannot be called" in output
    )


def test_lines_that_the_log_lost_are_named(store, tmp_path):
    for number in (2, 3, 4):
        store.event(IMAGES, f"lost {number}", "delete", {"before": published_record(f"lost {number}")})
    del store.events[-3:-1]
    last = store.events[-1]["event_id"]
    folder = store.write(tmp_path)
    (folder / "audit/index.json").write_text(json.dumps({"last_event_id": last}))
    output = move_in(folder)
    assert f"not carried over: audit events {last - 2} to {last - 1}: they are not in the log" in output
    check()


def test_a_file_that_cannot_be_read_is_named(store, tmp_path):
    (store.write(tmp_path) / "lost.json").symlink_to(tmp_path / "elsewhere")
    assert refused(store, tmp_path) == f"{tmp_path}/lost.json: No such file or directory"


def test_times_of_the_queue_that_are_not_those_of_the_log_are_counted(store, tmp_path):
    store.changes[0]["requested_at"] = PROPOSED - 1
    assert "1 times of changes differ" in move_in(store.write(tmp_path))
    assert PendingChange.objects.get().requested_at == PROPOSED


def test_batch_numbers_that_nothing_tells_of_are_named(store, tmp_path):
    store.last_batch_id = 4
    assert "not carried over: batch numbers up to 4" in move_in(store.write(tmp_path))
    check()
