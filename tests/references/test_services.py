import json

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from references import journal
from references.categories import CATEGORIES
from references.journal import RecordWrite
from references.legacy import ImportedRecord
from references.models import Category, LegacySource, ModelRecord
from references.services import (
    ImportCounts,
    categories_sync,
    record_delete,
    record_put,
    records_import,
    source_reinstate,
    sources_import,
)
from tests.factories import (
    make_download,
    make_imported,
    make_legacy,
    make_record,
    make_source,
    make_v2,
)

pytestmark = pytest.mark.django_db


class Failed(Exception):
    """Raised in the middle of a transaction."""


@pytest.fixture
def announced(monkeypatch) -> list[RecordWrite]:
    """What the journal's listeners were told; the real listeners are left out."""
    heard: list[RecordWrite] = []
    monkeypatch.setattr(journal, "listeners", [heard.extend])
    return heard


def names_in_order(category: str) -> list[str]:
    return list(ModelRecord.objects.in_category(category).in_stored_order().names())


def rows(category: str) -> list[dict]:
    """Everything stored of a category's records, bytes and columns."""
    return list(ModelRecord.objects.filter(category=category).order_by("pk").values())


def state(category: str) -> dict:
    return Category.objects.filter(pk=category).values().get()


# One record


def test_a_put_creates_then_replaces_and_counts_both():
    before = Category.objects.get(pk="lora")
    first = record_put(
        category="lora", name="A", record={"name": "A", "homepage": "h"}, at=before.last_updated + 10
    )
    second = record_put(category="lora", name="A", record={"name": "A"}, at=before.last_updated + 20)

    category = Category.objects.get(pk="lora")
    assert (first.operation, second.operation) == ("create", "update")
    assert ModelRecord.objects.get(category="lora", name="A").record == '{"name":"A"}'
    assert category.revision == before.revision + 2
    assert (category.total_creates, category.total_updates, category.total_deletes) == (1, 1, 0)
    assert (category.last_operation_type, category.last_operation_model) == ("update", "A")
    assert category.last_updated == category.last_successful_operation == before.last_updated + 20
    assert category.initialized_at == before.initialized_at


def test_a_delete_removes_and_counts():
    make_record("lora", "A", at=2_000_000_000)
    write = record_delete(category="lora", name="A", at=2_000_000_010)

    category = Category.objects.get(pk="lora")
    assert write.operation == "delete"
    assert names_in_order("lora") == []
    assert (category.revision, category.total_creates, category.total_deletes) == (2, 1, 1)
    assert (category.last_operation_type, category.last_operation_model) == ("delete", "A")
    assert category.last_updated == 2_000_000_010


def test_deleting_what_is_not_there_changes_nothing():
    make_record("lora", "A")
    before = state("lora")
    with pytest.raises(ModelRecord.DoesNotExist):
        record_delete(category="lora", name="a")
    assert state("lora") == before


def test_a_write_to_one_category_leaves_the_others():
    before = {name: state(name) for name in CATEGORIES if name != "lora"}
    make_record("lora", "A")
    assert {name: state(name) for name in before} == before


def test_the_record_and_the_revision_fall_together():
    make_record("lora", "A")
    before = state("lora"), rows("lora")
    with transaction.atomic():
        record_put(category="lora", name="A", record={"name": "A", "homepage": "new"})
        record_put(category="lora", name="B", record={"name": "B"})
        record_delete(category="lora", name="A")
        transaction.set_rollback(True)
    assert (state("lora"), rows("lora")) == before


def test_a_listener_that_fails_takes_the_write_with_it(monkeypatch):
    def fail(writes):
        raise Failed

    before = state("lora")
    monkeypatch.setattr(journal, "listeners", [fail])
    for write in (
        lambda: record_put(category="lora", name="A", record={"name": "A"}),
        lambda: records_import(category="lora", records=[make_imported("A")]),
    ):
        with pytest.raises(Failed):
            write()
    assert state("lora") == before
    assert rows("lora") == []


def test_last_updated_grows_with_every_write_of_one_second_and_with_a_clock_set_back():
    at = 2_000_000_000
    times = []
    for write in (
        lambda: make_record("lora", "A", at=at),
        lambda: make_record("lora", "A", at=at),
        lambda: record_delete(category="lora", name="A", at=at),
        lambda: make_record("lora", "B", at=at - 1000),
        lambda: records_import(category="lora", records=[make_imported("C")], at=at),
        lambda: records_import(category="lora", records=[make_imported("C", homepage="h")], at=at),
    ):
        write()
        times.append(Category.objects.get(pk="lora").last_updated)
    assert times == [at, at + 1, at + 2, at + 3, at + 4, at + 5]


def test_an_import_in_the_second_of_the_set_up_still_moves_last_updated():
    before = Category.objects.get(pk="lora").last_updated
    records_import(category="lora", records=[make_imported("A")], at=before)
    assert Category.objects.get(pk="lora").last_updated > before


def test_records_keep_their_place_and_new_ones_come_last():
    for name in ("b", "a", "c"):
        make_record("lora", name)
    make_record("lora", "a", homepage="changed")
    assert names_in_order("lora") == ["b", "a", "c"]
    record_delete(category="lora", name="b")
    make_record("lora", "b")
    assert names_in_order("lora") == ["a", "c", "b"]


def test_the_place_of_a_removed_last_record_is_free_again():
    for name in ("a", "b"):
        make_record("lora", name)
    record_delete(category="lora", name="b")
    make_record("lora", "c")
    records_import(category="lora", records=[make_imported("d"), make_imported("e")])
    assert names_in_order("lora") == ["d", "e", "a", "c"]
    positions = [row["position"] for row in rows("lora")]
    assert len(set(positions)) == 4


def test_a_record_takes_the_place_it_is_given_if_that_is_free():
    for name in ("a", "b", "c"):
        make_record("lora", name)
    place = record_delete(category="lora", name="b").position
    record_put(category="lora", name="b", record={"name": "b"}, position=place)
    assert names_in_order("lora") == ["a", "b", "c"]
    record_put(category="lora", name="d", record={"name": "d"}, position=place)
    record_put(category="lora", name="a", record={"name": "a"}, position=99)
    assert names_in_order("lora") == ["a", "b", "c", "d"]


def test_a_record_is_stored_as_given_with_its_key_order_and_every_character():
    record = {
        "z": 1,
        "name": "Ünïcode 模型 \u2028 'quoted' \"too\"",
        "a": {"y": None, "b": [1.0, 1]},
        "extra": "\x00",
    }
    record_put(category="ti", name=record["name"], record=record)
    stored = ModelRecord.objects.get(category="ti")
    assert json.dumps(stored.as_dict()) == json.dumps(record)


def test_columns_repeat_what_the_admin_filters_by():
    stored = make_record(
        "image_generation",
        "A",
        baseline="flux_1",
        style="anime",
        nsfw=True,
        size_on_disk_bytes=12,
        metadata={"updated_at": 99},
    )
    assert (stored.baseline, stored.style, stored.nsfw) == ("flux_1", "anime", True)
    assert (stored.size_on_disk_bytes, stored.updated_at, stored.revision) == (12, 99, 1)
    bare = make_record("clip", "A")
    assert (bare.baseline, bare.style, bare.nsfw, bare.size_on_disk_bytes) == ("", "", None, None)


@pytest.mark.parametrize(
    "fields",
    [
        {"baseline": "b" * 300},
        {"style": "s" * 300},
        {"metadata": {"updated_at": 2**63 - 1}},
        {"size_on_disk_bytes": 2**63 - 1},
    ],
    ids=lambda fields: next(iter(fields)),
)
def test_every_record_that_passes_its_schema_can_be_stored(fields):
    stored = make_record("text_generation", "Org/Model", **fields)
    assert stored.as_dict() == make_v2("text_generation", "Org/Model", **fields)


def test_the_name_of_a_record_is_unique_in_its_category_and_not_across():
    make_record("lora", "A")
    make_record("ti", "A")
    with pytest.raises(IntegrityError), transaction.atomic():
        ModelRecord.objects.create(
            category_id="lora", name="A", position=7, revision=1, record="{}", updated_at=0
        )
    assert ModelRecord.objects.filter(name="A").count() == 2


# The legacy object


def test_a_new_record_gets_a_legacy_object():
    stored = make_record("image_generation", "N", baseline="stable_diffusion_1", tags=["anime"])
    assert stored.legacy_as_dict() == {
        "name": "N",
        "baseline": "stable diffusion 1",
        "type": "ckpt",
        "inpainting": False,
        "tags": ["anime"],
        "nsfw": False,
        "download_all": False,
        "config": {"files": [], "download": []},
        "available": False,
    }


@pytest.mark.parametrize("category", ["text_generation", "video_generation", "lora"])
def test_categories_without_legacy_objects_store_none(category):
    assert make_record(category, "N").legacy is None


def test_a_changed_record_changes_only_the_same_fields_of_its_legacy_object():
    legacy = make_legacy(
        "image_generation",
        "A",
        description="old",
        homepage="https://example.org",
        download_all=True,
        available=True,
        features_not_supported=["hires_fix"],
        config={
            "files": [{"path": "v1.yaml"}, {"path": "a.ckpt", "md5sum": "m", "sha256sum": "s"}],
            "download": [{"file_name": "a.ckpt", "file_path": "./", "file_url": "https://example.org/a"}],
        },
        mine={"of": "my own"},
    )
    sources_import([make_source("image_generation", legacy)], at=5)
    record = ModelRecord.objects.get(category="image_generation").as_dict()
    record_put(category="image_generation", name="A", record={**record, "description": "new"})

    stored = ModelRecord.objects.get(category="image_generation").legacy_as_dict()
    assert stored == {**legacy, "description": "new"}
    assert list(stored) == list(legacy)


def test_a_legacy_object_that_is_given_is_stored_as_given():
    make_record("clip", "A")
    given = {"type": "coca", "name": "A"}
    write = record_put(category="clip", name="A", record=make_v2("clip", "A", description="d"), legacy=given)
    assert ModelRecord.objects.get(category="clip").legacy == '{"type":"coca","name":"A"}'
    assert write.legacy_after == given


# Imports


def test_the_first_import_stamps_every_record_with_one_time():
    counts = sources_import(
        [make_source("clip", make_legacy("clip", "A"), make_legacy("clip", "B"))], at=1_800_000_000
    )
    category = Category.objects.get(pk="clip")
    assert counts == {"clip": ImportCounts(created=2)}
    for stored in ModelRecord.objects.filter(category="clip"):
        assert stored.as_dict()["metadata"] == {
            "schema_version": "2.0.0",
            "created_at": 1_800_000_000,
            "updated_at": 1_800_000_000,
        }
    assert (category.initialized_at, category.last_successful_operation) == (1_800_000_000, 1_800_000_000)
    assert (category.total_creates, category.total_updates, category.total_deletes) == (0, 0, 0)
    assert (category.last_operation_type, category.last_operation_model) == (None, None)


def test_a_repeated_import_changes_nothing_at_all(real_sources):
    sources_import(real_sources, at=1_800_000_000)
    before = (
        [(state(name), rows(name)) for name in CATEGORIES],
        list(LegacySource.objects.order_by("pk").values()),
    )
    counts = sources_import(real_sources, at=1_900_000_000)
    after = (
        [(state(name), rows(name)) for name in CATEGORIES],
        list(LegacySource.objects.order_by("pk").values()),
    )
    assert before == after
    assert {
        source.category: count.unchanged for source, count in zip(real_sources, counts.values(), strict=True)
    } == {source.category: len(source.records) for source in real_sources}
    assert all(count.changed == count.kept == 0 for count in counts.values())


def test_an_import_touches_only_the_record_that_changed():
    first = [make_legacy("clip", "A"), make_legacy("clip", "B", description="old")]
    second = [first[0], make_legacy("clip", "B", description="new")]
    sources_import([make_source("clip", *first)], at=1_800_000_000)
    untouched, _ = rows("clip")
    revision = Category.objects.get(pk="clip").revision

    counts = sources_import([make_source("clip", *second)], at=1_800_000_100)
    same, changed = rows("clip")
    assert counts["clip"] == ImportCounts(updated=1, unchanged=1)
    assert same == untouched
    metadata = json.loads(changed["record"])["metadata"]
    assert (metadata["created_at"], metadata["updated_at"]) == (1_800_000_000, 1_800_000_100)
    assert changed["updated_at"] == 1_800_000_100
    assert json.loads(changed["legacy"])["description"] == "new"
    assert Category.objects.get(pk="clip").revision == revision + 1


@pytest.mark.parametrize(("was", "now"), [(1, True), (1, 1.0), ([0], [False])])
def test_a_value_that_only_changes_its_kind_moves_the_time_of_the_record(was, now):
    records_import(
        category="lora", records=[ImportedRecord("A", {"name": "A", "extra": was}, None)], at=1_800
    )
    counts = records_import(
        category="lora", records=[ImportedRecord("A", {"name": "A", "extra": now}, None)], at=1_900
    )
    stored = ModelRecord.objects.get(category="lora").as_dict()
    assert counts == ImportCounts(updated=1)
    assert json.dumps(stored["extra"]) == json.dumps(now)
    assert stored["metadata"] == {"created_at": 1_800, "updated_at": 1_900}


def test_timestamps_that_a_record_brings_are_never_overwritten():
    brought = make_imported("A", metadata={"created_at": 1, "updated_at": 2, "created_by": "someone"})
    records_import(category="lora", records=[brought], at=1_800_000_000)
    metadata = ModelRecord.objects.get(category="lora").as_dict()["metadata"]
    assert metadata == {"schema_version": "2.0.0", "created_at": 1, "updated_at": 2, "created_by": "someone"}

    changed = make_imported("A", homepage="h", metadata={"created_at": 1, "updated_at": 3})
    records_import(category="lora", records=[changed], at=1_900_000_000)
    assert ModelRecord.objects.get(category="lora").as_dict()["metadata"] == {
        "schema_version": "2.0.0",
        "created_at": 1,
        "updated_at": 3,
    }


def test_a_record_that_brings_one_timestamp_gets_the_other():
    records_import(
        category="lora",
        records=[
            make_imported("A", metadata={"created_at": 1}),
            make_imported("B", metadata={"updated_at": 2}),
        ],
        at=1_800_000_000,
    )
    stored = {
        record.name: record.as_dict()["metadata"] for record in ModelRecord.objects.filter(category="lora")
    }
    assert (stored["A"]["created_at"], stored["A"]["updated_at"]) == (1, 1_800_000_000)
    assert (stored["B"]["created_at"], stored["B"]["updated_at"]) == (1_800_000_000, 2)


def test_records_of_a_later_import_are_stamped_with_the_time_the_category_began():
    records_import(category="lora", records=[make_imported("A")], at=1_800_000_000)
    records_import(category="lora", records=[make_imported("A"), make_imported("B")], at=1_900_000_000)
    late = ModelRecord.objects.get(category="lora", name="B").as_dict()["metadata"]
    assert (late["created_at"], late["updated_at"]) == (1_800_000_000, 1_800_000_000)
    assert Category.objects.get(pk="lora").last_updated == 1_900_000_000


def test_records_the_source_lacks_are_kept_unless_pruned():
    records_import(category="lora", records=[make_imported(name) for name in "ABC"], at=1_800_000_000)
    kept = records_import(category="lora", records=[make_imported("B")])
    assert (kept, names_in_order("lora")) == (ImportCounts(unchanged=1, kept=2, moved=2), ["B", "A", "C"])
    pruned = records_import(category="lora", records=[make_imported("B")], prune=True)
    assert (pruned, names_in_order("lora")) == (ImportCounts(unchanged=1, removed=2), ["B"])
    assert Category.objects.get(pk="lora").total_deletes == 0


def test_a_large_import_keeps_the_order_of_its_source():
    names = [f"model {number * 7919 % 1201}" for number in range(1201)]
    records_import(category="lora", records=[make_imported(name) for name in names])
    assert names_in_order("lora") == names


@pytest.mark.parametrize("known", ["", "a", "c", "ca", "dcba", "xay", "xyz", "xaybzc"])
def test_after_an_import_records_stand_as_in_the_source_and_others_behind_them(known):
    for name in known:
        make_record("lora", name)
    records = [make_imported(name, homepage="h") for name in "abcd"]
    counts = records_import(category="lora", records=records, at=1_800_000_000)
    kept = [name for name in known if name not in "abcd"]
    assert names_in_order("lora") == [*"abcd", *kept]
    assert (counts.created + counts.updated, counts.kept) == (4, len(kept))

    before = state("lora"), rows("lora")
    assert records_import(category="lora", records=records) == ImportCounts(unchanged=4, kept=len(kept))
    assert (state("lora"), rows("lora")) == before


def test_a_record_that_only_moves_is_written_in_a_new_revision_and_the_others_are_not():
    first = [make_imported(name) for name in "abcde"]
    records_import(category="lora", records=first, at=1_800_000_000)
    before, texts = state("lora"), {row["name"]: row["record"] for row in rows("lora")}
    counts = records_import(
        category="lora", records=[first[index] for index in (0, 2, 1, 3, 4)], at=1_900_000_000
    )
    assert counts == ImportCounts(unchanged=5, moved=2)
    assert counts.changed
    after = state("lora")
    assert (after["revision"], after["last_updated"]) == (before["revision"] + 1, 1_900_000_000)
    assert names_in_order("lora") == ["a", "c", "b", "d", "e"]
    assert {row["name"] for row in rows("lora") if row["revision"] == after["revision"]} == {"b", "c"}
    assert {row["name"]: row["record"] for row in rows("lora")} == texts


def test_many_records_change_places_at_once():
    names = [f"model {number}" for number in range(1201)]
    records_import(category="lora", records=[make_imported(name) for name in names])
    wanted = [*names[1::2], "new", *reversed(names[::2])]
    records_import(category="lora", records=(make_imported(name) for name in wanted))
    assert names_in_order("lora") == wanted


def test_neighbours_change_places_in_one_write(django_assert_max_num_queries):
    names = [f"model {number}" for number in range(1200)]
    records_import(category="lora", records=[make_imported(name) for name in names])
    with django_assert_max_num_queries(30):
        counts = records_import(category="lora", records=[make_imported(name) for name in ["new", *names]])
    assert (counts.moved, names_in_order("lora")) == (1200, ["new", *names])


def test_what_a_source_knows_to_be_stored_is_not_read_again():
    records_import(category="lora", records=[make_imported(name) for name in "ABC"])
    stored = [
        ImportedRecord(record.name, record.as_dict(), None, is_stored=True)
        for record in ModelRecord.objects.filter(category="lora")
    ]
    before = rows("lora")
    with CaptureQueriesContext(connection) as asked:
        assert records_import(category="lora", records=stored) == ImportCounts(unchanged=3)
    assert rows("lora") == before
    assert not [query["sql"] for query in asked if '"references_modelrecord"."record"' in query["sql"]]


def test_what_a_source_knows_to_be_stored_is_completed_all_the_same():
    plain = make_imported("plain", category="clip")
    records_import(category="clip", records=[plain, make_imported("old", category="clip")], at=1_800_000_000)
    ModelRecord.objects.filter(name="plain").update(legacy=None)
    ModelRecord.objects.filter(name="old").update(record='{"name":"old"}')
    stored = [
        ImportedRecord(record.name, record.as_dict(), None, is_stored=True)
        for record in ModelRecord.objects.filter(category="clip").in_stored_order()
    ]
    assert records_import(category="clip", records=stored) == ImportCounts(updated=2)
    completed = {record.name: record for record in ModelRecord.objects.filter(category="clip")}
    assert completed["plain"].legacy_as_dict()["name"] == "plain"
    assert completed["old"].as_dict()["metadata"]["created_at"] == 1_800_000_000


def test_only_some_records_are_held_at_a_time():
    taken = []

    def records():
        for number in range(1500):
            taken.append(number)
            if number == 1400:
                assert ModelRecord.objects.count() == 1000
            yield make_imported(f"model {number}")

    records_import(category="lora", records=records())
    assert (len(taken), ModelRecord.objects.count()) == (1500, 1500)


def test_one_category_that_cannot_be_stored_rolls_back_all():
    good = make_source("clip", make_legacy("clip", "A"))
    bad = make_source("blip", make_legacy("blip", "A"))
    bad.records.append(bad.records[0])
    before = state("clip"), state("blip")
    with pytest.raises(IntegrityError), transaction.atomic():
        sources_import([good, bad])
    assert not ModelRecord.objects.exists()
    assert (state("clip"), state("blip")) == before


def test_the_registry_gives_each_category_one_row():
    Category.objects.filter(pk="ti").delete()
    make_record("lora", "A", at=2_000_000_000)
    kept = state("lora")
    categories_sync(at=1_800_000_000)
    assert list(Category.objects.values_list("pk", flat=True).order_by("pk")) == sorted(CATEGORIES)
    assert state("lora") == kept
    assert (state("ti")["revision"], state("ti")["initialized_at"]) == (0, 1_800_000_000)


# The text of the source


def source_is_current(category: str) -> bool:
    return LegacySource.objects.filter(
        category=category, revision=Category.objects.get(pk=category).revision
    ).exists()


def test_the_text_of_a_complete_source_is_kept_while_it_is_true():
    source = make_source("clip", make_legacy("clip", "A"), make_legacy("clip", "B"))
    sources_import([source])
    assert LegacySource.objects.get(category="clip").text == source.text
    assert source_is_current("clip")
    make_record("clip", "C")
    assert not source_is_current("clip")


def test_the_text_of_a_source_with_a_skipped_record_is_not_kept():
    source = make_source("clip", make_legacy("clip", "A"), make_legacy("clip", "\x07"))
    assert not source.is_complete
    sources_import([source])
    assert names_in_order("clip") == ["A"]
    assert not LegacySource.objects.filter(category="clip").exists()


def test_the_text_of_a_source_is_not_kept_beside_records_it_lacks():
    sources_import([make_source("clip", make_legacy("clip", "A"), make_legacy("clip", "B"))])
    sources_import([make_source("clip", make_legacy("clip", "B"))])
    assert names_in_order("clip") == ["B", "A"]
    held = LegacySource.objects.filter(category="clip", revision=Category.objects.get(pk="clip").revision)
    assert all('"A"' in each.text for each in held)


def test_the_text_of_a_source_is_true_again_once_all_records_are_back_in_their_places():
    sources_import([make_source("clip", make_legacy("clip", "A"), make_legacy("clip", "B"))])
    removed = record_delete(category="clip", name="A")
    assert not source_reinstate(category="clip")
    back = {"category": "clip", "name": "A", "record": removed.before, "legacy": removed.legacy_before}
    record_put(**back)
    assert not source_reinstate(category="clip")
    record_delete(category="clip", name="A")
    record_put(**back, position=removed.position)
    assert not source_is_current("clip")
    assert source_reinstate(category="clip")
    assert source_is_current("clip")


@pytest.mark.parametrize("category", ["lora", "clip", "text_generation"])
def test_where_version_1_serves_no_text_there_is_none_to_go_back_to(category):
    if category == "text_generation":
        sources_import([make_source(category, {"name": "A", "parameters_bn": "7"})])
    assert not source_reinstate(category=category)


def test_the_text_of_a_source_is_served_even_where_its_records_stood_in_another_order():
    for name in "CA":
        make_record("clip", name)
    source = make_source("clip", *(make_legacy("clip", name) for name in "ABC"))
    sources_import([source])
    assert names_in_order("clip") == ["A", "B", "C"]
    assert source_is_current("clip")
    revision = Category.objects.get(pk="clip").revision
    sources_import([source])
    assert Category.objects.get(pk="clip").revision == revision


def test_a_source_that_only_looks_different_is_the_new_text():
    records = [make_legacy("clip", "A")]
    sources_import([make_source("clip", *records)])
    before, stored = Category.objects.get(pk="clip"), rows("clip")
    spaced = make_source("clip", *records)
    object.__setattr__(spaced, "text", spaced.text.replace("\t", "  "))
    sources_import([spaced])
    after = Category.objects.get(pk="clip")
    assert LegacySource.objects.get(category="clip").text == spaced.text
    assert source_is_current("clip")
    assert (after.revision, after.last_updated) == (before.revision + 1, before.last_updated)
    assert rows("clip") == stored


# The journal


def test_listeners_hear_of_a_write_before_it_is_committed(monkeypatch):
    heard = []

    def listen(writes):
        heard.append((transaction.get_connection().in_atomic_block, names_in_order("lora"), list(writes)))

    monkeypatch.setattr(journal, "listeners", [listen])
    write = record_put(
        category="lora", name="A", record={"name": "A"}, actor="7", request_id="job-1", at=2_000_000_000
    )
    assert heard == [(True, ["A"], [write])]
    assert write == RecordWrite(
        category="lora",
        name="A",
        operation="create",
        before=None,
        after={"name": "A"},
        legacy_before=None,
        legacy_after=None,
        actor="7",
        request_id="job-1",
        position=1,
    )


def test_the_journal_gets_both_forms_before_and_after(announced):
    sources_import([make_source("clip", make_legacy("clip", "A"))], at=1_800_000_000)
    stored = ModelRecord.objects.get(category="clip")
    record, legacy = stored.as_dict(), stored.legacy_as_dict()
    changed = {**record, "config": {"download": [make_download("a.pt")]}}
    record_put(category="clip", name="A", record=changed, actor="1")
    legacy_changed = ModelRecord.objects.get(category="clip").legacy_as_dict()
    record_delete(category="clip", name="A", actor="2", request_id="job")

    assert legacy_changed["config"]["files"] == [{"path": "a.pt"}]
    assert announced == [
        RecordWrite("clip", "A", "create", None, record, None, legacy, position=1),
        RecordWrite("clip", "A", "update", record, changed, legacy, legacy_changed, "1", position=1),
        RecordWrite("clip", "A", "delete", changed, None, legacy_changed, None, "2", "job", position=1),
    ]
    assert announced[0].actor == journal.SYSTEM


def test_an_import_announces_what_it_changed_and_nothing_else(announced):
    records_import(category="lora", records=[make_imported(name) for name in "ABC"], at=1_800_000_000)
    stored = {record.name: record.as_dict() for record in ModelRecord.objects.filter(category="lora")}
    announced.clear()
    records_import(
        category="lora",
        records=[make_imported("A"), make_imported("B", homepage="h"), make_imported("D")],
        prune=True,
        at=1_900_000_000,
    )
    after = {record.name: record.as_dict() for record in ModelRecord.objects.filter(category="lora")}
    assert announced == [
        RecordWrite("lora", "B", "update", stored["B"], after["B"], position=2),
        RecordWrite("lora", "D", "create", None, after["D"], position=4),
        RecordWrite("lora", "C", "delete", stored["C"], None, position=3),
    ]


def test_the_new_places_of_records_are_announced_once(monkeypatch, announced):
    orders = []
    monkeypatch.setattr(journal, "order_listeners", [orders.append])
    records_import(category="lora", records=[make_imported(name) for name in "abc"], at=1_800_000_000)
    assert orders == []
    announced.clear()
    records_import(category="lora", records=[make_imported(name) for name in "bxac"], at=1_900_000_000)
    [created] = announced
    assert (created.name, created.position) == ("x", 4)
    [order] = orders
    assert (order.category, order.actor) == ("lora", journal.SYSTEM)
    stored = {row["name"]: row["position"] for row in rows("lora")}
    assert {**{"a": 1, "b": 2, "c": 3, "x": 4}, **order.positions} == stored
