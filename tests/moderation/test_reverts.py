"""What reverts bring back: both forms of a record and its place, to the byte."""

import json

import pytest

from moderation.models import AuditEvent, PendingChange
from moderation.rebuild import differences
from moderation.replay import log_replay
from moderation.reverts import pasts_read
from moderation.review import apply_preview, change_diff
from moderation.services import batch_apply, batch_revert, change_apply, change_propose, change_revert
from references.documents import snapshot
from references.models import Category, LegacySource, ModelRecord
from references.services import record_delete, record_put, sources_import
from tests.factories import make_legacy, make_source
from tests.moderation.factories import (
    ADA,
    EARLY,
    IMAGES,
    LATER,
    RITA,
    apply_at_once,
    approve,
    propose_create,
    propose_delete,
    propose_update,
)

pytestmark = pytest.mark.django_db

CLIP, TEXT = "clip", "text_generation"
FILES = {
    "files": [
        {"path": "v1-inference.yaml", "md5sum": "y"},
        {"path": "a.ckpt", "md5sum": "m", "sha256sum": "a" * 64},
    ],
    "download": [{"file_name": "a.ckpt", "file_path": "models", "file_url": "https://example.org/a"}],
}
SOURCES = {
    IMAGES: [
        make_legacy(IMAGES, "first"),
        {
            **make_legacy(IMAGES, "a", config=FILES, features_not_supported=["hires_fix"], extra={"x": 1}),
            "available": False,
        },
        make_legacy(IMAGES, "last"),
    ],
    CLIP: [
        {"type": "clip", "name": "first", "nsfw": False},
        {"type": "coca", "style": "x", "name": "a", "config": FILES},
        {"name": "last"},
    ],
    TEXT: [
        {"name": "first", "parameters_bn": "1"},
        {"name": "a", "parameters_bn": "7.5", "tags": "z", "settings": "{}"},
        {"name": "last", "parameters_bn": "3"},
    ],
}
every_category = pytest.mark.parametrize("category", SOURCES)


@pytest.fixture(autouse=True)
def reference(db: None) -> None:
    sources_import([make_source(category, *records) for category, records in SOURCES.items()], at=EARLY)


def served(category: str) -> tuple[bytes, bytes]:
    """What both versions of the API serve of a category."""
    held = snapshot(category)
    return held.v2.body, held.v1.body


def stored(name: str, category: str = IMAGES) -> ModelRecord:
    return ModelRecord.objects.get(category=category, name=name)


def revert(change: PendingChange) -> PendingChange:
    return change_revert(actor=RITA, change_id=change.change_id)


def update(name: str, category: str = IMAGES, **fields) -> PendingChange:
    """Proposes the record with other fields."""
    return change_propose(
        actor=RITA,
        category=category,
        name=name,
        operation="update",
        payload={**stored(name, category).as_dict(), **fields},
        route=f"update_v2_{category}",
    )


def with_updated_at(body: bytes, name: str, moment: int) -> bytes:
    """The bytes of a category whose record of this name was last updated at that moment."""
    records = json.loads(body)
    records[name]["metadata"]["updated_at"] = moment
    return json.dumps(records, ensure_ascii=False, separators=(",", ":")).encode()


def log_check() -> None:
    replay = log_replay()
    assert [*replay.faults, *differences(replay)] == []


@every_category
def test_after_a_delete_is_reverted_both_versions_serve_the_same_bytes_as_before(category):
    before = served(category)
    change = apply_at_once(propose_delete("a", category=category))
    assert b'"a"' not in served(category)[0]
    apply_at_once(revert(change))
    assert served(category) == before
    log_check()


@every_category
def test_after_an_update_is_reverted_only_the_time_of_the_update_is_another(category):
    v2, v1 = served(category)
    emptied = {"download": []}
    change = apply_at_once(update("a", category, description="other", config=emptied, version="9"))
    assert served(category)[1] != v1
    proposed = revert(change)
    approve(proposed)
    change_apply(actor=ADA, change_id=proposed.pk, at=LATER)
    assert served(category) == (with_updated_at(v2, "a", LATER), v1)
    log_check()


@every_category
def test_after_a_create_is_reverted_both_versions_serve_the_same_bytes_as_before(category):
    before = served(category)
    change = apply_at_once(propose_create("new", category=category))
    apply_at_once(revert(change))
    assert served(category) == before
    log_check()


@every_category
def test_a_batch_comes_back_as_a_whole(category):
    v2, v1 = served(category)
    changes = [
        propose_delete("first", category=category),
        update("a", category, description="other", config={"download": []}),
        propose_delete("last", category=category),
        propose_create("new", category=category),
    ]
    number = approve(*changes)
    batch_apply(actor=ADA, batch_id=number)
    reverts = batch_revert(actor=RITA, batch_id=number)
    result = batch_apply(actor=ADA, batch_id=approve(*reverts), at=LATER)
    assert result.status == 200
    assert served(category) == (with_updated_at(v2, "a", LATER), v1)
    log_check()


def test_several_deletes_are_reverted_in_any_order():
    before = served(IMAGES)
    changes = [apply_at_once(propose_delete(name)) for name in ("last", "first", "a")]
    for change in (changes[1], changes[2], changes[0]):
        apply_at_once(revert(change))
    assert served(IMAGES) == before


def test_what_a_batch_did_last_is_undone_first_so_that_all_places_are_free_again():
    before = list(ModelRecord.objects.filter(category=IMAGES).values_list("name", "position"))
    changes = [propose_delete("a"), propose_delete("last"), propose_create("new"), propose_create("newer")]
    number = approve(*changes)
    batch_apply(actor=ADA, batch_id=number)
    assert [row.name for row in snapshot(IMAGES).rows] == ["first", "new", "newer"]
    reverts = batch_revert(actor=RITA, batch_id=number)
    assert [change.model_name for change in reverts] == ["newer", "new", "last", "a"]
    batch_apply(actor=ADA, batch_id=approve(*reverts))
    assert list(ModelRecord.objects.filter(category=IMAGES).values_list("name", "position")) == before


def test_a_revert_of_a_revert_ends_where_it_began():
    before = served(IMAGES)
    once = apply_at_once(revert(apply_at_once(propose_delete("a"))))
    twice = apply_at_once(revert(once))
    assert "a" not in snapshot(IMAGES).by_name
    apply_at_once(revert(twice))
    assert served(IMAGES) == before
    log_check()


def test_where_the_place_is_taken_the_record_comes_last():
    change = apply_at_once(propose_delete("last"))
    apply_at_once(propose_create("new"))
    apply_at_once(revert(change))
    assert [row.name for row in snapshot(IMAGES).rows] == ["first", "a", "new", "last"]
    log_check()


def test_the_file_as_it_was_imported_is_served_again_only_when_all_of_it_is_back():
    v1 = served(CLIP)[1]
    assert b"\t" in v1
    one, two = (
        apply_at_once(propose_delete("a", category=CLIP)),
        apply_at_once(update("last", CLIP, description="x")),
    )
    apply_at_once(revert(one))
    assert b"\t" not in served(CLIP)[1]
    assert json.loads(served(CLIP)[1])["a"] == SOURCES[CLIP][1]
    apply_at_once(revert(two))
    assert served(CLIP)[1] == v1
    assert LegacySource.objects.get(category=CLIP).revision == Category.objects.get(pk=CLIP).revision


def test_the_times_of_a_record_without_any_are_filled_in_and_the_rest_comes_back():
    record_put(category=IMAGES, name="bare", record={"baseline": "stable_diffusion_1", "name": "bare"})
    before = stored("bare").as_dict()
    deleted = apply_at_once(propose_delete("bare"))
    apply_at_once(revert(deleted))
    assert list(stored("bare").as_dict().items()) == list(before.items())


def test_what_was_written_meanwhile_is_not_lost_to_a_revert_that_overwrites():
    """The revert then takes effect like any other change: MD5 sums that were stored since then stay."""
    change = apply_at_once(update("a", description="other"))
    proposed = revert(change)
    legacy = {**stored("a").legacy_as_dict(), "available": True}
    record_put(category=IMAGES, name="a", record=stored("a").as_dict() | {"version": "9"}, legacy=legacy)
    approve(proposed)
    assert [conflict.reason for conflict in apply_preview([proposed.pk])] == ["changed"]
    change_apply(actor=ADA, change_id=proposed.pk, on_conflict="overwrite")
    assert "description" not in stored("a").as_dict()
    assert stored("a").legacy_as_dict() == {**SOURCES[IMAGES][1], "available": True}
    log_check()


def test_what_only_version_1_shows_and_somebody_wrote_meanwhile_stays():
    proposed = revert(apply_at_once(update("a", description="other")))
    legacy = {**stored("a").legacy_as_dict(), "available": True}
    record_put(category=IMAGES, name="a", record=stored("a").as_dict(), legacy=legacy)
    apply_at_once(proposed)
    assert stored("a").legacy_as_dict() == {**SOURCES[IMAGES][1], "available": True}


def test_a_record_made_anew_meanwhile_takes_over_what_the_revert_says():
    change = apply_at_once(propose_delete("a"))
    proposed = revert(change)
    approve(proposed)
    record_put(category=IMAGES, name="a", record={"name": "a", "baseline": "stable_diffusion_xl"})
    change_apply(actor=ADA, change_id=proposed.pk, on_conflict="overwrite")
    assert stored("a").position > stored("last").position
    (file,) = stored("a").legacy_as_dict()["config"]["files"]
    assert file == {"path": "a.ckpt", "sha256sum": "a" * 64}


def test_a_record_that_went_meanwhile_comes_back_whole_where_overwriting_is_asked_for():
    before = stored("a")
    proposed = revert(apply_at_once(update("a", description="other")))
    approve(proposed)
    record_delete(category=IMAGES, name="a")
    change_apply(actor=ADA, change_id=proposed.pk, on_conflict="overwrite", at=LATER)
    assert (stored("a").legacy, stored("a").position) == (before.legacy, before.position)
    assert stored("a").as_dict()["metadata"] == {"created_at": EARLY, "updated_at": LATER}
    log_check()


def test_a_revert_that_says_something_else_brings_back_what_it_says():
    change = apply_at_once(propose_delete("a"))
    proposed = revert(change)
    payload = {**proposed.payload_as_dict(), "description": "edited"}
    PendingChange.objects.filter(pk=proposed.pk).update(payload=json.dumps(payload))
    apply_at_once(proposed)
    assert stored("a").as_dict()["description"] == "edited"
    assert "available" in stored("a").legacy_as_dict()
    assert "extra" not in stored("a").legacy_as_dict()


def test_a_change_that_undoes_nothing_has_no_past():
    change = propose_update("a")
    assert pasts_read([change, propose_delete("a")]) == {}


def test_changes_that_are_no_reverts_cost_no_query(django_assert_num_queries):
    changes = [propose_update("a"), propose_create("b")]
    with django_assert_num_queries(0):
        assert pasts_read(changes) == {}


def test_the_diffs_of_many_reverts_take_as_many_queries_as_that_of_one(django_assert_num_queries):
    number = approve(*[propose_delete(name) for name in ("first", "a", "last")])
    batch_apply(actor=ADA, batch_id=number)
    reverts = batch_revert(actor=RITA, batch_id=number)
    with django_assert_num_queries(2):
        pasts = pasts_read(reverts)
    assert [pasts[change.pk].before.record["name"] for change in reverts] == ["last", "a", "first"]
    assert change_diff(reverts[0]).staleness is None


def test_without_a_log_a_revert_brings_back_what_it_says(settings):
    settings.AUDIT_ENABLED = False
    before = stored("a").as_dict()
    apply_at_once(revert(apply_at_once(propose_delete("a"))))
    assert stored("a").as_dict() == before
    assert not AuditEvent.objects.filter(category="pending_queue").exists()


def test_repeating_an_apply_of_a_revert_writes_nothing():
    proposed = revert(apply_at_once(propose_delete("a", category=CLIP)))
    apply_at_once(proposed, job_id="job-1")
    rows = list(LegacySource.objects.values()), list(Category.objects.values()), AuditEvent.objects.count()
    change_apply(actor=ADA, change_id=proposed.pk, job_id="job-1")
    assert rows == (
        list(LegacySource.objects.values()),
        list(Category.objects.values()),
        AuditEvent.objects.count(),
    )
