"""Moving a store of the published service in: what is there afterwards."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from django.test import Client

from moderation.audit import batch_detail, batch_net_changes, batches_page
from moderation.models import AuditEvent, Batch, PendingChange, QueueState
from moderation.presenting import change_as_dict
from moderation.services import batch_apply, change_apply
from references.models import Category, ModelRecord
from references.text_structure import text_structure
from tests.factories import make_legacy
from tests.moderation.factories import ADA, IMAGES, approve, make_live, propose_create
from tests.moderation.published_stores import (
    APPLIED,
    BEGAN,
    DECIDED,
    PublishedFolder,
    meta,
    published_record,
)
from tests.recorded import legacy_dir

pytestmark = pytest.mark.django_db


def move_in(folder: Path, *options: str) -> str:
    output = StringIO()
    call_command("import_published", str(folder), *options, stdout=output)
    return output.getvalue()


def check() -> None:
    """Fails where the store is not what the log says."""
    call_command("rebuild_from_audit", "--check", stdout=StringIO())


def everything() -> dict[str, list]:
    models = (Category, ModelRecord, PendingChange, Batch, QueueState, AuditEvent)
    return {model.__name__: list(model._base_manager.order_by("pk").values()) for model in models} | {
        "structure": [text_structure()]
    }


def read(path: str) -> Any:
    return Client().get(f"/api/model_references/{path}").json()


def stored(name: str) -> dict:
    return ModelRecord.objects.get(category=IMAGES, name=name).as_dict()


@pytest.fixture
def lived(tmp_path: Path) -> PublishedFolder:
    """A store with one change in each status, an update and a delete of records older than the log."""
    store = PublishedFolder()
    before, gone = published_record("live_a"), published_record("gone_b")
    after = store.live("live_a", description="new")
    fresh = store.live("fresh")
    create = store.proposed("fresh", payload=fresh)
    update = store.proposed("live_a", "update", payload=after)
    delete = store.proposed("gone_b", "delete", payload=gone)
    refused = store.proposed("refused")
    late = store.proposed("late")
    store.proposed("waiting", notes="please")
    for change in (create, update, delete):
        store.approved(change, 1)
    store.rejected(refused)
    store.applied(create, {"after": fresh}, "create")
    delta = {"description": {"new": "new"}}
    store.applied(update, {"delta": delta}, "update")
    store.applied(delete, {"before": gone}, "delete")
    store.approved(late, 2, "Later")
    assert before == {key: value for key, value in after.items() if key != "description"}
    store.files["meta/v2/image_generation_metadata.json"] = meta()
    store.files["text_generation_group_aliases.json"] = {"Lumimaid": {"aliases": ["Llama-3-Lumimaid"]}}
    store.files["text_generation_group_families.json"] = {
        "Fam": {"family_name": "Fam", "members": ["b", "a"]}
    }
    store.files["text_generation_group_schemas.json"] = {"Lumimaid": {"separator": "_", "common_author": "N"}}
    store.write(tmp_path)
    return store


def test_every_change_keeps_its_id_status_batch_people_and_times(lived, tmp_path):
    move_in(tmp_path)
    for change in lived.changes:
        row = change_as_dict(PendingChange.objects.get(pk=change["change_id"]), omit_null=True)
        assert {**row, "updated_at": None} == {**change, "updated_at": None}
    assert PendingChange.recorded.count() == 6
    check()


def test_records_are_read_in_their_order_and_as_they_were(lived, tmp_path):
    move_in(tmp_path)
    assert read(f"v2/{IMAGES}") == lived.records["stable_diffusion"]
    assert list(read(f"v2/{IMAGES}")) == ["live_a", "fresh"]
    assert read(f"v1/{IMAGES}")["live_a"]["description"] == "new"


def test_the_bytes_of_a_record_are_those_of_its_file(lived, tmp_path):
    move_in(tmp_path)
    for name, record in lived.records["stable_diffusion"].items():
        assert json.dumps(stored(name)) == json.dumps(record)


def test_events_keep_order_time_user_operation_and_their_former_number(lived, tmp_path):
    move_in(tmp_path)
    moved = [event for event in AuditEvent.objects.in_order() if "origin" in event.payload_as_dict()]
    told = {event.payload_as_dict()["origin"]["event_id"]: event for event in moved}
    assert [number for number in told if number] == [event["event_id"] for event in lived.events]
    for event in lived.events:
        row = told[event["event_id"]]
        kept = (row.timestamp, row.category, row.model_name, row.operation, row.logical_user_id)
        names = ("timestamp", "category", "model_name", "operation", "logical_user_id")
        assert kept == tuple(event[name] for name in names)
        for side, state in event["payload"].items():
            ours = row.payload_as_dict()[side]
            assert ours.items() >= state.items() if side == "after" else side == "delta" or ours == state


def test_what_was_before_and_after_an_update_older_than_the_log_is_made_out(lived, tmp_path):
    move_in(tmp_path)
    change = PendingChange.objects.get(pk=2)
    assert change.live_before_as_dict() == published_record("live_a")
    assert change.live_after_as_dict() == lived.records["stable_diffusion"]["live_a"]
    assert change.base_as_dict() == published_record("live_a")
    first = AuditEvent.objects.of_model(IMAGES, "live_a").in_order().first()
    assert (first.operation, first.logical_user_id, first.timestamp) == ("create", "system", BEGAN)


def test_audit_views_show_the_batches_and_what_they_came_to(lived, tmp_path):
    move_in(tmp_path)
    page = batches_page("v2")
    assert [summary.batch.number for summary in page.summaries] == [2, 1]
    assert [summary.batch.title for summary in page.summaries] == ["Later", "A batch"]
    _, net = batch_net_changes("v2", 1)
    assert {change.model_name: change.net_operation for change in net} == {
        "fresh": "added",
        "live_a": "modified",
        "gone_b": "deleted",
    }
    detail = batch_detail("v2", 1)
    assert (detail.summary.approved_count, detail.summary.applied_count) == (3, 3)
    assert detail.summary.batch.approved_at == DECIDED
    events = [event.payload_as_dict()["after"]["action"] for event in detail.changes[0].events]
    assert events == ["enqueue", "approve", "apply"]


def test_new_proposals_and_batches_go_on_after_the_highest_numbers(lived, tmp_path):
    lived.files["pending_queue/index.json"] = {"last_change_id": 40, "last_batch_id": 9}
    lived.write(tmp_path)
    move_in(tmp_path)
    check()
    batch_apply(actor=ADA, batch_id=2)
    change = propose_create("next")
    assert change.change_id == 41
    assert approve(change) == 10
    check()


def test_an_approved_change_can_be_applied_and_a_second_import_still_does_nothing(lived, tmp_path):
    move_in(tmp_path)
    assert change_apply(actor=ADA, change_id=5).applied[0].status == "applied"
    assert stored("late")["name"] == "late"
    state = everything()
    assert "0 changes" in move_in(tmp_path)
    assert everything() == state
    check()


def test_counters_and_times_of_a_category_are_those_of_its_metadata(lived, tmp_path):
    move_in(tmp_path)
    row = Category.objects.get(pk=IMAGES)
    assert (row.last_updated, row.initialized_at) == (APPLIED, BEGAN)
    assert (row.total_creates, row.total_updates, row.total_deletes, row.error_count) == (1, 2, 3, 4)
    assert row.revision > 0


def test_text_groups_are_carried_over(lived, tmp_path):
    move_in(tmp_path)
    structure = text_structure()
    assert structure.aliases == {"Lumimaid": ("Llama-3-Lumimaid",)}
    assert structure.families == {"Fam": ("a", "b")}
    assert structure.schemas["Lumimaid"]["separator"] == "_"
    assert structure.schemas["Lumimaid"]["part_order"] == ["base", "size", "variant", "version", "quant"]


def test_records_that_were_only_imported_give_way_and_their_going_is_logged(lived, tmp_path):
    make_live("demo")
    make_live("demo", category="clip")
    output = move_in(tmp_path)
    assert not ModelRecord.objects.filter(name="demo").exists()
    assert [line.split() for line in output.splitlines() if line.startswith("clip")] == [["clip", "0", "1"]]
    past = AuditEvent.objects.of_model("clip", "demo").in_order()
    assert [event.operation for event in past] == ["create", "delete"]
    check()


def test_a_dry_run_reports_the_same_and_changes_nothing(lived, tmp_path):
    make_live("demo")
    state = everything()
    dry = move_in(tmp_path, "--dry-run")
    assert dry.endswith("Dry run: nothing was changed.\n")
    assert everything() == state
    assert move_in(tmp_path) == dry.removesuffix("Dry run: nothing was changed.\n")


def test_a_dry_run_gives_no_change_id_away(lived, tmp_path):
    lived.files["pending_queue/index.json"] = {"last_change_id": 500_000, "last_batch_id": 2}
    lived.write(tmp_path)
    given = next_change_id()
    move_in(tmp_path, "--dry-run")
    assert next_change_id() <= given + 1
    move_in(tmp_path)
    assert next_change_id() == 500_001


def next_change_id() -> int:
    """Takes an id, as a proposal does that comes to nothing."""
    with transaction.atomic():
        given = propose_create("own").change_id
        transaction.set_rollback(True)
    return given


def test_a_service_that_somebody_worked_with_is_left_alone(lived, tmp_path):
    propose_create("own")
    state = everything()
    with pytest.raises(CommandError, match="has a past of its own.*new database"):
        move_in(tmp_path)
    assert everything() == state


def test_another_state_of_the_same_store_is_refused_after_the_first(lived, tmp_path):
    move_in(tmp_path)
    lived.proposed("one_more")
    lived.write(tmp_path)
    state = everything()
    with pytest.raises(CommandError, match="has a past of its own"):
        move_in(tmp_path)
    assert everything() == state


def test_legacy_objects_of_the_store_are_kept_beside_its_records(tmp_path):
    store = PublishedFolder()
    store.live("old", description="same")
    legacy = make_legacy(IMAGES, "old", description="same", download_all=True, available=True)
    store.files["legacy/stable_diffusion.json"] = {"old": legacy}
    move_in(store.write(tmp_path))
    assert read(f"v1/{IMAGES}")["old"]["available"] is True
    check()


def test_a_record_that_only_version_1_showed_is_named_among_what_is_left_behind(tmp_path):
    store = PublishedFolder()
    store.live("both")
    store.files["legacy/stable_diffusion.json"] = {
        name: make_legacy(IMAGES, name) for name in ("both", "v1_alone")
    }
    output = move_in(store.write(tmp_path))
    assert list(read(f"v1/{IMAGES}")) == ["both"]
    told = [line for line in output.splitlines() if line.startswith("not carried over: legacy record")]
    assert len(told) == 1
    assert told[0].startswith(
        f"not carried over: legacy record {IMAGES} v1_alone: version 2 has no such record"
    )


def test_a_deployment_that_keeps_no_log_is_told_so(lived, tmp_path, settings):
    settings.AUDIT_ENABLED = False
    with pytest.raises(CommandError, match="keeps no audit log"):
        move_in(tmp_path)


def test_the_recorded_store_is_moved_in_whole():
    folder = legacy_dir().parent / "published_store"
    output = move_in(folder)
    check()
    assert "not carried over: controlnet_annotator.json: there is no such category" in output
    assert "not carried over: meta/legacy/image_generation_metadata.json: a category has one set" in output
    assert "4 applied, 1 approved, 1 pending, 1 purged" in output
    live = json.loads((folder / "stable_diffusion.json").read_text())
    assert json.dumps(read(f"v2/{IMAGES}")) == json.dumps(live)
    changes = {
        change["change_id"]: change
        for change in json.loads((folder / "pending_queue/changes.json").read_text())
    }
    for row in PendingChange.objects.all():
        shown = change_as_dict(row, omit_null=True)
        expected = changes[row.change_id]
        if row.change_id == 6:
            expected["payload"]["parameters"] = expected["payload"].pop("parameters_count")
        assert shown == expected
    assert AuditEvent.objects.filter(category=AuditEvent.QUEUE).count() == 21
    assert Batch.objects.get(pk=5).title == "Text"
    assert change_apply(actor=ADA, change_id=6).applied[0].status == "applied"
    assert propose_create("after").change_id == 8
    assert "0 changes" in move_in(folder)
    check()
