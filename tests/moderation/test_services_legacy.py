"""Proposals in the legacy form, on deployments that take writes in it."""

import json

import pytest

from moderation.diffs import NetOperation
from moderation.models import AuditEvent, PendingChange
from moderation.presenting import change_as_dict, overlay
from moderation.problems import PendingChangeConflictError, PendingChangePayloadError
from moderation.review import change_diff
from moderation.services import batch_apply, change_apply, change_propose, change_revert
from references.legacy import text_entries
from references.models import ModelRecord
from references.serializers import legacy_validate
from references.services import record_put, sources_import
from references.vocabulary import CanonicalFormat
from tests.factories import make_legacy, make_source, make_v2
from tests.moderation.factories import ADA, EARLY, IMAGES, LATER, RITA, approve

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("legacy_canonical")]
TEXT = "text_generation"


@pytest.fixture
def legacy_canonical(settings):
    settings.CANONICAL_FORMAT = CanonicalFormat.LEGACY


def stored(name: str, category: str = IMAGES) -> ModelRecord:
    return ModelRecord.objects.get(category=category, name=name)


def propose(operation: str, name: str, *, category: str = IMAGES, **fields) -> PendingChange:
    payload = None
    if operation != "delete":
        payload = legacy_validate(category, make_legacy(category, name, **fields))
    return change_propose(
        actor=RITA, category=category, name=name, operation=operation, payload=payload, route="legacy"
    )


def applied(change: PendingChange, *, at: int = LATER) -> PendingChange:
    approve(change)
    return change_apply(actor=ADA, change_id=change.pk, at=at).applied[0]


def imported(category: str, *records: dict) -> None:
    sources_import([make_source(category, *records)], at=EARLY)


FILES = {
    "files": [
        {"path": "a.ckpt", "md5sum": "m", "sha256sum": "a" * 64},
        {"path": "v1-inference.yaml"},
    ],
    "download": [{"file_name": "a.ckpt", "file_path": "", "file_url": "https://example.org/a"}],
}


def test_a_create_shows_in_both_forms():
    change = applied(propose("create", "a", nsfw=True, min_bridge_version=5, config=FILES))
    assert (change.domain, change.is_legacy) == ("legacy", True)
    record, legacy = stored("a").as_dict(), stored("a").legacy_as_dict()
    assert legacy["type"] == "ckpt"
    assert legacy["config"] == FILES
    assert (record["nsfw"], record["min_bridge_version"]) == (True, 5)
    assert [file["file_name"] for file in record["config"]["download"]] == ["a.ckpt"]
    assert (record["metadata"]["created_at"], record["metadata"]["updated_at"]) == (LATER, LATER)
    assert change.live_after_as_dict() == legacy


def test_nulls_stay_in_the_payload_and_out_of_what_is_stored():
    change = propose("create", "a", description=None, homepage="x")
    assert change_as_dict(change, omit_null=True)["payload"]["description"] is None
    applied(change)
    assert "description" not in stored("a").legacy_as_dict()


def test_an_update_replaces_the_legacy_object_and_keeps_what_only_v2_knows():
    imported(IMAGES, make_legacy(IMAGES, "a", available=False, description="before"))
    record = {**stored("a").as_dict(), "finetune_series": {"name": "s"}}
    record["metadata"] = {**record["metadata"], "created_by": "someone"}
    record_put(category=IMAGES, name="a", record=record)
    change = applied(propose("update", "a", description="after"))
    assert change.live_before_as_dict()["description"] == "before"
    after = stored("a").as_dict()
    assert stored("a").legacy_as_dict() == change.live_after_as_dict()
    assert "available" not in stored("a").legacy_as_dict()
    assert after["description"] == "after"
    assert after["finetune_series"] == {"name": "s"}
    assert after["metadata"] == {"created_at": EARLY, "updated_at": LATER, "created_by": "someone"}


def test_the_payload_of_a_delete_is_the_legacy_object():
    legacy = make_legacy(IMAGES, "a", available=False)
    imported(IMAGES, legacy)
    change = propose("delete", "a")
    assert change.payload_as_dict() == legacy
    applied(change)
    assert not ModelRecord.objects.filter(category=IMAGES).exists()


def test_other_records_stay_as_they_are():
    imported(IMAGES, make_legacy(IMAGES, "a"), make_legacy(IMAGES, "b"))
    before = stored("b")
    applied(propose("update", "a", description="after"))
    after = stored("b")
    assert (after.record, after.legacy, after.position) == (before.record, before.legacy, before.position)


def test_a_stale_update_conflicts_in_the_legacy_form():
    imported(IMAGES, make_legacy(IMAGES, "a", description="before"))
    change = propose("update", "a", description="mine")
    approve(change)
    applied(propose("update", "a", description="theirs"))
    with pytest.raises(PendingChangeConflictError) as conflict:
        change_apply(actor=ADA, change_id=change.pk)
    assert (conflict.value.reason, conflict.value.fields) == ("changed", ("description",))


def test_an_update_equal_to_the_live_object_writes_nothing():
    imported("esrgan", {"name": "a", "type": "esrgan", "config": {"files": [], "download": []}})
    events = AuditEvent.objects.count()
    change = propose("update", "a", category="esrgan", type="esrgan", description=None)
    assert change_diff(change).net_operation is NetOperation.UNCHANGED
    applied(change)
    assert AuditEvent.objects.count() == events + 3
    assert stored("a", "esrgan").as_dict()["metadata"]["updated_at"] == EARLY


def test_a_text_change_says_in_its_diff_what_would_be_filled_in():
    change = propose("create", "Org/New-13B", category=TEXT, parameters=13_000_000_000, style="chat")
    assert change.related_models_as_list() == ["aphrodite/Org/New-13B", "koboldcpp/New-13B"]
    proposed = change_diff(change).proposed_state
    assert (proposed["tags"], proposed["display_name"], proposed["model_name"]) == (
        ["13B", "chat"],
        "New 13B",
        "New-13B",
    )
    applied(change)
    record = stored("Org/New-13B", TEXT)
    assert record.legacy is None
    assert (
        text_entries(record.as_dict())[0][1] == proposed == PendingChange.objects.get().live_after_as_dict()
    )


def test_a_text_update_starts_from_the_entry_as_it_is_served():
    imported(TEXT, {"name": "Org/M-7B", "parameters_bn": "7"})
    change = propose("update", "Org/M-7B", category=TEXT, parameters=7_000_000_000, version="2")
    base = change.base_as_dict()
    assert (base["name"], base["tags"], base["version"]) == ("Org/M-7B", ["7B"], "1")
    applied(change)
    assert stored("Org/M-7B", TEXT).as_dict()["version"] == "2"


def test_a_payload_that_is_no_longer_valid_is_refused():
    change = propose("create", "a")
    PendingChange.objects.filter(pk=change.pk).update(
        payload=json.dumps({"name": "a", "baseline": "forgotten"})
    )
    number = approve(change)
    with pytest.raises(PendingChangePayloadError, match="baseline"):
        change_apply(actor=ADA, change_id=change.pk)
    assert batch_apply(actor=ADA, batch_id=number).failed_error_type == "PendingChangePayloadError"
    assert change_diff(change).staleness is None


def test_changes_of_both_forms_are_applied_as_what_they_are(settings):
    legacy = propose("create", "a")
    settings.CANONICAL_FORMAT = CanonicalFormat.V2
    v2 = change_propose(
        actor=RITA, category=IMAGES, name="b", operation="create", payload=make_v2(IMAGES, "b"), route="v2"
    )
    number = approve(legacy, v2)
    result = batch_apply(actor=ADA, batch_id=number)
    assert [change.domain for change in result.applied] == ["legacy", "v2"]
    assert stored("a").legacy_as_dict()["baseline"] == "stable_diffusion_xl"
    assert stored("b").as_dict()["baseline"] == "stable_diffusion_xl"


def test_the_overlay_shows_legacy_proposals_in_v2_form():
    propose("create", "a", description="mine")
    assert overlay(IMAGES)["a"]["description"] == "mine"
    assert "type" not in overlay(IMAGES)["a"]


def test_reverting_brings_the_legacy_object_back():
    legacy = make_legacy(IMAGES, "a", available=False, features_not_supported=["hires_fix"], config=FILES)
    imported(IMAGES, legacy)
    before = stored("a")
    change = applied(propose("update", "a", description="after"))
    revert = change_revert(actor=RITA, change_id=change.pk)
    assert change_diff(revert).proposed_state == legacy
    applied(revert)
    assert stored("a").legacy == before.legacy
    assert stored("a").as_dict() == {
        **before.as_dict(),
        "metadata": {"created_at": EARLY, "updated_at": LATER},
    }


def test_reverting_a_delete_brings_both_forms_back_as_they_were():
    legacy = make_legacy(IMAGES, "a", features_not_supported=["hires_fix"], config=FILES)
    imported(IMAGES, legacy, make_legacy(IMAGES, "b"))
    before = list(ModelRecord.objects.values_list("name", "position", "record", "legacy"))
    change = applied(propose("delete", "a"))
    applied(change_revert(actor=RITA, change_id=change.pk))
    assert list(ModelRecord.objects.values_list("name", "position", "record", "legacy")) == before
