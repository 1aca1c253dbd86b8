import pytest
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError

from references.categories import CATEGORIES
from references.models import CATEGORY_MODELS, Category, LegacySource, ModelRecord
from tests.factories import make_record

pytestmark = pytest.mark.django_db


def new_record(**fields) -> ModelRecord:
    given = {
        "category_id": "lora",
        "name": "A",
        "position": 1,
        "revision": 1,
        "record": "{}",
        "updated_at": 0,
    }
    return ModelRecord(**{**given, **fields})


def test_every_category_of_the_registry_has_a_row_from_the_start():
    rows = {row.name: row for row in Category.objects.all()}
    assert sorted(rows) == sorted(CATEGORIES)
    for row in rows.values():
        assert (
            row.revision
            == row.total_creates
            == row.total_updates
            == row.total_deletes
            == row.error_count
            == 0
        )
        assert row.last_updated == row.initialized_at == row.last_successful_operation > 1_700_000_000
        assert row.spec is CATEGORIES[row.name]


@pytest.mark.parametrize(
    ("fields", "constraint"),
    [
        ({"position": 2}, "name"),
        ({"name": "B"}, "position"),
        ({"name": "", "position": 2}, "record_has_a_name"),
    ],
)
def test_the_database_refuses_records_that_contradict_each_other(fields, constraint):
    new_record().save()
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        new_record(**fields).save()
    assert ModelRecord.objects.count() == 1


@pytest.mark.parametrize("counter", ["revision", "total_creates", "total_updates", "total_deletes"])
def test_counters_cannot_fall_below_zero(counter):
    with pytest.raises(IntegrityError), transaction.atomic():
        Category.objects.filter(pk="lora").update(**{counter: -1})


def test_a_category_with_records_cannot_be_removed():
    make_record("lora", "A")
    with pytest.raises(ProtectedError):
        Category.objects.get(pk="lora").delete()


def test_names_that_differ_in_case_or_in_unicode_form_are_different_models():
    names = ["deliberate", "Deliberate", "é", "e\u0301", "a", "a "]
    for name in names:
        ModelRecord.objects.create(
            category_id="lora", name=name, position=names.index(name), revision=1, record="{}", updated_at=0
        )
    assert [ModelRecord.objects.get(category="lora", name=name).name for name in names] == names


def test_stored_order_is_that_of_positions_within_a_category():
    for position, name in enumerate("cab"):
        new_record(name=name, position=10 - position).save()
    new_record(category_id="ti", name="d").save()
    assert list(ModelRecord.objects.in_category("lora").in_stored_order().names()) == ["b", "a", "c"]
    assert list(ModelRecord.objects.names()) == ["b", "a", "c", "d"]


def test_what_changed_since_a_revision_was_written_after_it():
    for revision in (1, 2, 3):
        new_record(name=f"r{revision}", position=revision, revision=revision).save()
    changed = ModelRecord.objects.in_category("lora").in_stored_order().changed_since(1)
    assert list(changed.names()) == ["r2", "r3"]


def test_categories_count_their_models():
    for name in "ab":
        make_record("lora", name)
    counts = {row.name: row.model_count for row in Category.objects.with_model_count()}
    assert counts == {**dict.fromkeys(CATEGORIES, 0), "lora": 2}


def test_each_category_has_a_model_that_sees_its_records_only():
    make_record("lora", "A")
    make_record("ti", "B")
    assert list(CATEGORY_MODELS) == list(CATEGORIES)
    assert CATEGORY_MODELS["lora"].__name__ == "Lora"
    assert CATEGORY_MODELS["image_generation"].__name__ == "ImageGeneration"
    seen = {name: [record.name for record in model.objects.all()] for name, model in CATEGORY_MODELS.items()}
    assert seen == {**{name: [] for name in CATEGORIES}, "lora": ["A"], "ti": ["B"]}


def test_rows_have_names_for_people():
    record = make_record("lora", "A")
    assert (str(record), str(record.category)) == ("A", "lora")
    assert str(LegacySource(category=record.category, text="", revision=1)) == "source of lora"
    assert record.legacy_as_dict() is None
    assert make_record("clip", "A").legacy_as_dict()["type"] == "clip"
