import gc
import gzip
import json
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from references import documents
from references.documents import Document, record_document, snapshot, snapshots
from references.legacy import category_dump
from references.models import Category, LegacySource, ModelRecord
from references.remembered import READ_ATTEMPTS
from references.rows import Row
from references.services import record_delete, record_put, records_import, sources_import
from tests.factories import make_imported, make_legacy, make_record, make_source
from tests.references.processes import fresh_process

NAMES = ["a", "b", "Org/c", "Other/c", "ü d"]
# One of each kind: legacy objects, computed legacy entries, no legacy form.
CATEGORIES = ["clip", "text_generation", "lora"]

names = st.sampled_from(NAMES)
steps = st.one_of(
    st.tuples(st.just("put"), names, st.integers(0, 2)),
    st.tuples(st.just("delete"), names),
    st.tuples(st.just("import"), st.lists(st.tuples(names, st.integers(0, 2)), max_size=4), st.booleans()),
    st.tuples(st.just("source"), st.lists(names, max_size=3, unique=True), st.integers(0, 2)),
    st.just(("read",)),
)


def representations(category: str) -> dict:
    """All that clients can be sent of a category."""
    held = snapshot(category)
    documents_sent = {"v2": held.v2, "v1": held.v1, "v1_grouped": held.v1_grouped}
    return {
        **{
            name: (document.body, document.digest, document.gzipped)
            for name, document in documents_sent.items()
        },
        "records": {name: record_document(category, name).body for name in held.by_name},
        "presented": [row.presented_json for row in held.rows],
        "names": [row.name for row in held.rows],
        "about": (held.revision, held.last_updated, held.v2.revision, held.v2.last_modified),
    }


def representations_of_a_fresh_process(category: str) -> dict:
    with fresh_process():
        return representations(category)


def take(category: str, step: tuple) -> None:
    match step:
        case ("put", name, number):
            make_record(category, name, description=f"description {number}")
        case ("delete", name) if ModelRecord.objects.filter(category=category, name=name).exists():
            record_delete(category=category, name=name)
        case ("import", given_records, prune):
            # The same name twice in one list would be no list of models.
            records = {
                name: make_imported(name, category=category, description=f"description {number}")
                for name, number in given_records
            }
            records_import(category=category, records=list(records.values()), prune=prune)
        case ("source", given_names, number) if category == "clip":
            legacy = [make_legacy("clip", name, description=f"description {number}") for name in given_names]
            sources_import([make_source("clip", *legacy)])
        case ("read",):
            representations(category)


@pytest.mark.django_db
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(category=st.sampled_from(CATEGORIES), taken=st.lists(steps, max_size=8))
def test_a_snapshot_that_followed_every_write_equals_one_built_anew(category, taken):
    with transaction.atomic():
        for step in [*taken, ("read",)]:
            take(category, step)
            # A process that reads now and then catches up over several revisions at once.
            if step[0] == "read":
                assert representations(category) == representations_of_a_fresh_process(category)
        transaction.set_rollback(True)


@pytest.mark.django_db
def test_what_did_not_change_is_not_read_again():
    for name in "ab":
        make_record("lora", name)
    before = snapshot("lora")
    make_record("lora", "b", homepage="new")
    after = snapshot("lora")
    assert after is not before
    assert after.by_name["a"] is before.by_name["a"]
    assert after.by_name["b"] is not before.by_name["b"]
    assert snapshot("lora") is after


@pytest.mark.django_db
def test_a_read_of_what_is_current_costs_one_query(django_assert_num_queries):
    make_record("clip", "a")
    snapshot("clip").v1  # noqa: B018 - builds it
    with django_assert_num_queries(1):
        snapshot("clip").v1.body  # noqa: B018
    with django_assert_num_queries(1):
        record_document("clip", "a")


@pytest.mark.django_db
def test_catching_up_takes_a_fixed_number_of_queries(django_assert_max_num_queries):
    for number in range(30):
        make_record("lora", f"model {number}")
    snapshot("lora")
    make_record("lora", "model 7", homepage="new")
    with django_assert_max_num_queries(5):
        snapshot("lora")


@pytest.mark.django_db
def test_a_record_removed_and_made_again_between_two_reads_comes_last():
    for name in "ab":
        make_record("lora", name)
    snapshot("lora")
    record_delete(category="lora", name="a")
    make_record("lora", "a")
    assert [row.name for row in snapshot("lora").rows] == ["b", "a"]


@pytest.mark.django_db
@pytest.mark.parametrize("after", ["cba", "bac", "adc", "dbc", "abd", "dce", "aec"])
def test_records_that_took_the_places_of_others_stand_there(after):
    for listed in ("axbc", "abc", after):
        records_import(category="lora", records=[make_imported(name) for name in listed], prune=True)
        assert [row.name for row in snapshot("lora").rows] == list(listed)
    assert representations("lora") == representations_of_a_fresh_process("lora")
    assert sorted(snapshot("lora").by_name) == sorted(after)


@pytest.mark.parametrize(("position", "kept"), [(1, "xb"), (2, None), (3, "ax"), (0, None), (4, None)])
def test_a_row_replaces_the_one_in_its_place_and_no_other(position, kept):
    a, b, x = (Row("lora", name, place, "{}", None) for name, place in [("a", 1), ("b", 3), ("x", position)])
    replaced = documents._replaced([a, b], [x])
    assert (replaced and "".join(row.name for row in replaced)) == kept


@pytest.mark.django_db
def test_another_category_s_write_leaves_a_snapshot():
    make_record("lora", "a")
    held = snapshot("lora")
    make_record("ti", "a")
    assert snapshot("lora") is held


@pytest.mark.django_db
def test_the_documents_hold_the_stored_bytes_in_stored_order():
    first = make_record("clip", "z", description="Ü 模型")
    second = make_record("clip", 'a/b "quoted"')
    held = snapshot("clip")
    assert held.v2.body == ('{"z":' + first.record + ',"a/b \\"quoted\\"":' + second.record + "}").encode()
    assert held.v1.body.decode() == category_dump(
        {"z": first.legacy_as_dict(), 'a/b "quoted"': second.legacy_as_dict()}
    )
    assert gzip.decompress(Document(held.v2.body * 10).gzipped) == held.v2.body * 10


@pytest.mark.django_db
def test_an_empty_category_is_an_empty_object():
    held = snapshot("lora")
    assert (held.rows, held.v2.body, json.loads(held.v1.body)) == ([], b"{}", {})


@pytest.mark.django_db
def test_a_category_without_a_row_is_empty_at_revision_zero():
    Category.objects.filter(pk="lora").delete()
    held = snapshot("lora")
    assert (held.revision, held.last_updated, list(held.rows)) == (0, 0, [])
    assert record_document("lora", "a") is None


@pytest.mark.django_db
def test_two_authors_models_share_one_koboldcpp_entry_and_the_later_one_owns_it():
    make_record("text_generation", "One/M-7B", description="first")
    make_record("text_generation", "Two/M-7B", description="second")
    entries = json.loads(snapshot("text_generation").v1.body)
    assert list(entries) == [
        "One/M-7B",
        "aphrodite/One/M-7B",
        "koboldcpp/M-7B",
        "Two/M-7B",
        "aphrodite/Two/M-7B",
    ]
    assert entries["koboldcpp/M-7B"]["description"] == "second"
    record_delete(category="text_generation", name="Two/M-7B")
    assert json.loads(snapshot("text_generation").v1.body)["koboldcpp/M-7B"]["description"] == "first"


@pytest.mark.django_db
def test_v1_is_the_source_s_text_until_the_first_change():
    source = make_source("clip", make_legacy("clip", "a"), make_legacy("clip", "b"))
    sources_import([source])
    assert snapshot("clip").v1.body.decode() == source.text
    stored = ModelRecord.objects.get(category="clip", name="b")
    record_put(category="clip", name="b", record={**stored.as_dict(), "description": "new"})
    assert snapshot("clip").v1.body.decode() == category_dump(
        {"a": make_legacy("clip", "a"), "b": {**make_legacy("clip", "b"), "description": "new"}}
    )


@pytest.mark.django_db
def test_a_source_that_dropped_a_kept_record_is_not_served_as_it_is():
    sources_import([make_source("clip", make_legacy("clip", "a"), make_legacy("clip", "b"))])
    sources_import([make_source("clip", make_legacy("clip", "b"))])
    assert list(json.loads(snapshot("clip").v1.body)) == ["b", "a"]


@pytest.mark.django_db
def test_a_source_with_a_skipped_record_is_not_served_as_it_is():
    sources_import([make_source("clip", make_legacy("clip", "a"), make_legacy("clip", "\x07"))])
    assert list(json.loads(snapshot("clip").v1.body)) == ["a"]


# Entity tags


@pytest.mark.django_db
def test_digests_follow_the_content():
    make_record("lora", "a")
    first = snapshot("lora").v2.digest
    make_record("lora", "a", homepage="new")
    second = snapshot("lora").v2.digest
    make_record("lora", "a")
    assert first != second
    assert snapshot("lora").v2.digest == first


def test_small_bodies_are_not_compressed_and_large_ones_are_the_same_each_time():
    assert Document(b"x" * (documents.GZIP_MINIMUM - 1)).gzipped is None
    large = b"x" * documents.GZIP_MINIMUM
    assert Document(large).gzipped == Document(large).gzipped
    assert gzip.decompress(Document(large).gzipped) == large


# Snapshots


@pytest.mark.django_db
def test_version_1_is_of_the_revision_of_its_snapshot_even_if_it_is_built_later():
    first = make_source("clip", make_legacy("clip", "a"))
    sources_import([first])
    held = snapshot("clip")
    sources_import([make_source("clip", make_legacy("clip", "a"), make_legacy("clip", "b"))])
    assert (held.revision, held.v1.revision) == (1, 1)
    assert held.v1.body.decode() == first.text


@pytest.mark.django_db(transaction=True)
def test_what_is_behind_leaves_memory_with_the_next_snapshot():
    make_record("lora", "a")
    held = snapshot("lora")
    assert held.index.ordering("name", descending=False)
    assert held.index.matches((("name_contains", "a"),), "name", False)
    past = weakref.ref(held)
    del held
    gc.disable()
    try:
        make_record("lora", "b")
        snapshot("lora")
        assert past() is None
    finally:
        gc.enable()


# One record


@pytest.mark.django_db
def test_a_record_is_found_by_a_process_that_holds_nothing_what_was_or_what_is():
    make_record("lora", "a", homepage="one")
    held_nothing = record_document("lora", "a")
    assert documents._held("lora") is None
    snapshot("lora")
    held_current = record_document("lora", "a")
    make_record("lora", "a", homepage="two")
    held_past = record_document("lora", "a")

    assert held_nothing.body == held_current.body == held_past.body.replace(b"two", b"one")
    assert (held_current.revision, held_past.revision) == (1, 2)
    assert held_past.last_modified == Category.objects.get(pk="lora").last_updated
    assert documents._held("lora").revision == 1


@pytest.mark.django_db
@pytest.mark.parametrize("row_reads", [0, documents.ROW_READS], ids=["of the row", "of the category"])
def test_a_record_that_is_written_while_it_is_read_bears_its_own_revision(monkeypatch, row_reads):
    make_record("lora", "a", homepage="one")
    asked = documents._state_stored

    def ask(category: str) -> documents._State:
        state = asked(category)
        if state.revision == 1:
            make_record("lora", "a", homepage="two")
        return state

    monkeypatch.setattr(documents, "_state_stored", ask)
    monkeypatch.setitem(documents._row_reads, "lora", row_reads)
    found = record_document("lora", "a")
    assert json.loads(found.body)["homepage"] == "two"
    assert found.revision == 2


@pytest.mark.django_db
@pytest.mark.parametrize("prepare", [lambda: None, lambda: snapshot("lora")], ids=["nothing held", "held"])
@pytest.mark.parametrize("name", ["A", "", "a ", "a/", "b\x00", "x" * 10_000])
def test_no_other_name_finds_a_record(prepare: Callable, name: str):
    make_record("lora", "a")
    prepare()
    assert record_document("lora", name) is None


@pytest.mark.django_db
def test_a_removed_record_is_gone_for_every_process():
    make_record("lora", "a")
    snapshot("lora")
    record_delete(category="lora", name="a")
    assert record_document("lora", "a") is None
    snapshot("lora")
    assert record_document("lora", "a") is None


@pytest.mark.django_db
def test_a_record_document_tells_no_newer_revision_than_its_content(monkeypatch):
    make_record("lora", "a", homepage="one")
    original = documents._state
    pending = [lambda: make_record("lora", "a", homepage="two")]

    def state_then_write(category):
        found = original(category)
        if pending:
            pending.pop()()
        return found

    monkeypatch.setattr(documents, "_state", state_then_write)
    document = record_document("lora", "a")
    assert document.revision <= {"one": 1, "two": 2}[json.loads(document.body)["homepage"]]


# Transactions


def homepage_of(name: str) -> str:
    return snapshot("lora").by_name[name].record["homepage"]


def roll_back(work: Callable[[], object]) -> None:
    with transaction.atomic():
        work()
        transaction.set_rollback(True)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("held_before", [True, False])
def test_what_was_read_in_a_transaction_goes_with_its_rollback(held_before):
    make_record("lora", "a", homepage="one")
    if held_before:
        snapshot("lora")

    def write_and_read():
        make_record("lora", "a", homepage="never")
        assert homepage_of("a") == "never"
        assert json.loads(record_document("lora", "a").body)["homepage"] == "never"

    roll_back(write_and_read)
    assert homepage_of("a") == "one"
    roll_back(write_and_read)
    make_record("lora", "a", homepage="two")
    assert json.loads(record_document("lora", "a").body)["homepage"] == "two"
    assert (snapshot("lora").revision, homepage_of("a")) == (2, "two")


@pytest.mark.django_db
def test_what_was_read_after_a_savepoint_goes_with_it():
    make_record("lora", "a", homepage="one")
    before = snapshot("lora")

    def write_and_read():
        make_record("lora", "a", homepage="never")
        assert homepage_of("a") == "never"

    roll_back(write_and_read)
    assert snapshot("lora") is before
    make_record("lora", "a", homepage="two")
    assert homepage_of("a") == "two"


@pytest.mark.django_db(transaction=True)
def test_what_was_read_in_a_transaction_is_kept_at_its_commit():
    with transaction.atomic():
        make_record("lora", "a")
        held = snapshot("lora")
        assert snapshot("lora") is held
    assert snapshot("lora") is held


@pytest.mark.django_db
def test_a_store_put_back_to_an_earlier_state_is_read_anew():
    make_record("lora", "a", homepage="one")
    make_record("lora", "b")
    make_record("lora", "a", homepage="two")
    snapshot("lora")
    ModelRecord.objects.filter(name="a").update(record='{"name":"a","homepage":"one"}', revision=1)
    Category.objects.filter(pk="lora").update(revision=2)
    assert homepage_of("a") == "one"


# Other connections


def elsewhere(work: Callable[[], object]) -> None:
    """Does work on a connection of its own, as another process would."""

    def run() -> None:
        try:
            work()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        pool.submit(run).result()


@pytest.mark.django_db(transaction=True)
def test_another_connection_s_write_is_in_the_next_read():
    make_record("lora", "a")
    assert list(json.loads(snapshot("lora").v2.body)) == ["a"]
    elsewhere(lambda: make_record("lora", "b"))
    assert list(json.loads(snapshot("lora").v2.body)) == ["a", "b"]
    elsewhere(lambda: record_delete(category="lora", name="a"))
    assert [each.category for each in snapshots(["lora", "ti"])] == ["lora", "ti"]
    assert list(json.loads(snapshot("lora").v2.body)) == ["b"]
    elsewhere(lambda: make_record("lora", "b", homepage="new"))
    assert json.loads(record_document("lora", "b").body)["homepage"] == "new"


@pytest.mark.django_db(transaction=True)
def test_a_write_in_the_middle_of_a_read_is_not_mixed_into_it(monkeypatch):
    for name in "abc":
        make_record("lora", name, homepage="one")
    snapshot("lora")
    make_record("lora", "a", homepage="two")
    original = documents._rows
    pending = [
        lambda: make_record("lora", "b", homepage="three"),
        lambda: record_delete(category="lora", name="c"),
    ]

    def rows_then_write(category, known):
        found = original(category, known)
        if pending:
            elsewhere(pending.pop(0))
        return found

    monkeypatch.setattr(documents, "_rows", rows_then_write)
    held = snapshot("lora")
    assert (held.revision, {row.name: row.record["homepage"] for row in held.rows}) == (
        6,
        {"a": "two", "b": "three"},
    )


@pytest.mark.django_db(transaction=True)
def test_a_category_that_never_rests_is_an_error_and_not_a_mixture(monkeypatch):
    make_record("lora", "a")
    original = documents._rows
    written = []

    def rows_then_write(category, known):
        found = original(category, known)
        written.append(make_record("lora", "a", homepage=str(len(written))))
        return found

    monkeypatch.setattr(documents, "_rows", rows_then_write)
    with pytest.raises(RuntimeError, match="the store changed during each of"):
        snapshot("lora")
    assert len(written) == READ_ATTEMPTS
    assert documents._held("lora") is None


@pytest.mark.django_db
def test_v1_of_a_snapshot_is_of_its_revision_even_when_built_after_a_write():
    sources_import([make_source("clip", make_legacy("clip", "a", description="old"))])
    held = snapshot("clip")
    sources_import([make_source("clip", make_legacy("clip", "a", description="new"))])
    assert LegacySource.objects.get(category="clip").revision == 2
    assert json.loads(held.v1.body)["a"]["description"] == "old"
