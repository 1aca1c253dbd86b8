"""What is read of a record without presenting it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from references import rows
from references.categories import CATEGORIES
from references.rows import Row, RowReader
from references.search import SearchIndex, value_at
from references.serializers import record_presented, schema_fields
from tests.recorded import golden
from tests.references.serializers.test_any_json import near_records

PATHS = {
    category: list(SearchIndex(category, [], schema_fields(category)).sortable.values())
    for category in CATEGORIES
}


def assert_reads_as_presented(category: str, stored: dict) -> None:
    reader = RowReader(Row(category, "N", 1, json.dumps(stored), None))
    shown = record_presented(category, stored)
    for path in PATHS[category]:
        expected = value_at(shown, path)
        # As text, in which 1, 1.0 and true differ.
        assert json.dumps(reader.at(path)) == json.dumps(expected), path
        assert json.dumps(reader.at(path, or_false=True)) in (
            json.dumps(expected or None),
            json.dumps(expected),
        )


@given(category=st.sampled_from(list(CATEGORIES)), data=st.data())
def test_every_value_is_read_as_the_presented_record_shows_it(category: str, data: st.DataObject):
    assert_reads_as_presented(category, data.draw(near_records(category)))


@pytest.mark.parametrize("category", [name for name, spec in CATEGORIES.items() if spec.has_legacy_form])
def test_recorded_values_are_read_as_the_presented_record_shows_them(category: str):
    for stored in golden("v2", f"{category}.json").values():
        assert_reads_as_presented(category, stored)


@pytest.mark.parametrize(
    ("category", "stored"),
    [
        ("text_generation", {"name": "N", "parameters": 7, "parameters_count": 9}),
        ("text_generation", {"name": "N", "parameters_count": 9}),
        ("text_generation", {"name": "N", "parameters": 7}),
        ("lora", {"name": "N"}),
        ("lora", {"name": 5}),
        ("image_generation", {"name": "N", "baseline": "stable_diffusion_1", "nsfw": False, "tags": []}),
        ("image_generation", {"name": "N", "config": {"download": [{"file_name": "a"}]}, "metadata": [1]}),
    ],
)
def test_defaults_and_second_names_are_read_too(category, stored):
    assert_reads_as_presented(category, stored)


def test_what_is_stored_as_shown_is_read_without_presenting(monkeypatch):
    stored = {"name": "N", "nsfw": False, "metadata": {"updated_at": 3}}
    monkeypatch.setattr(rows, "record_presented", None)
    reader = RowReader(Row("image_generation", "N", 1, json.dumps(stored), None))
    read = [reader.at(path) for path in (("name",), ("nsfw",), ("style",), ("metadata", "updated_at"))]
    assert read == ["N", False, None, 3]
    assert reader.at(("inpainting",), or_false=True) is None
