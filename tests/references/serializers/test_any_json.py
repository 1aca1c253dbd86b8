"""Properties that hold for every JSON value a client or an import may come with."""

import json
import math

import pytest
from hypothesis import event, given
from hypothesis import strategies as st
from rest_framework.exceptions import ValidationError

from references.categories import CATEGORIES
from references.problems import RequestInvalid
from references.serializers import (
    LEGACY_RECORD_TYPES,
    legacy_validate,
    record_presented,
    record_type,
    record_validate,
    schema_fields,
)
from references.serializers.base import serializer_of
from tests.recorded import golden
from tests.references.serializers.comparing import assert_holds

numbers = (
    st.integers() | st.floats() | st.sampled_from([True, math.inf, 10**400, 2**63, "1", "yes", "9" * 400])
)
json_values = st.recursive(
    st.none() | st.text() | st.characters(codec=None) | numbers,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def near_records(category: str) -> st.SearchStrategy:
    """Objects with the category's own members, mostly sensible, so that some get through."""
    sensible = {
        "name": st.text(),
        "baseline": st.sampled_from(["SDXL", "infer", "zzz"]),
        "nsfw": st.booleans() | st.just("no"),
        "parameters": st.integers(1, 10**12) | st.just("7"),
        "tags": st.lists(st.text(max_size=3), max_size=3) | st.none(),
        "config": st.just({"download": [{"file_name": "f", "file_url": "u", "content_hash": None}]}),
        "requirements": st.dictionaries(
            st.text(max_size=3), numbers | st.lists(st.text(), max_size=2), max_size=2
        ),
    }
    names = [*schema_fields(category), "surplus"]
    wild = st.dictionaries(st.sampled_from(names), json_values, max_size=3)
    return st.builds(lambda base, change: {**base, **change}, st.fixed_dictionaries(sensible), wild)


@given(category=st.sampled_from(list(CATEGORIES)), data=st.data())
def test_any_json_is_either_refused_or_stored_for_good(category: str, data: st.DataObject):
    body = data.draw(json_values | near_records(category))
    try:
        record = record_validate(category, body)
    except RequestInvalid as invalid:
        event("refused")
        json.dumps(invalid.detail, allow_nan=False, ensure_ascii=False).encode()
        return
    event("stored")
    json.dumps(record, allow_nan=False, ensure_ascii=False).encode()
    assert record_validate(category, record) == record
    assert list(record_validate(category, record)) == list(record)
    assert_holds(record_presented(category, record), record)


@given(category=st.sampled_from(list(CATEGORIES)), data=st.data())
def test_any_stored_object_can_be_shown(category: str, data: st.DataObject):
    stored = data.draw(st.dictionaries(st.text(), json_values, max_size=3) | near_records(category))
    shown = record_presented(category, stored)
    for name, value in stored.items():
        assert value is None or name in shown


def shown_after_full_validation(category: str, stored: dict) -> dict:
    """What search shows by definition: the validated record, with the values of the stored one."""
    serializer = serializer_of(record_type(category))
    try:
        shown = with_stored_values(serializer.to_internal_value(stored), stored)
    except ValidationError:
        return stored
    return shown | {second: shown[name] for name, second in serializer.second_names.items()}


def with_stored_values(validated: object, stored: object) -> object:
    if isinstance(validated, dict) and isinstance(stored, dict):
        shown = {
            name: value if stored.get(name) is None else with_stored_values(value, stored[name])
            for name, value in validated.items()
        }
        return shown | {
            name: value for name, value in stored.items() if name not in validated and value is not None
        }
    if isinstance(validated, list) and isinstance(stored, list) and len(validated) == len(stored):
        return [with_stored_values(*pair) for pair in zip(validated, stored, strict=True)]
    return stored


@given(category=st.sampled_from(list(CATEGORIES)), data=st.data())
def test_any_stored_object_is_shown_as_full_validation_would_have_it(category: str, data: st.DataObject):
    stored = data.draw(near_records(category))
    shown, expected = record_presented(category, stored), shown_after_full_validation(category, stored)
    event("unchanged" if expected is stored else "filled in")
    assert (shown is stored) is (expected is stored)
    # As text, in which 1, 1.0 and true differ and the order of members counts.
    assert json.dumps(shown) == json.dumps(expected)


@pytest.mark.parametrize("category", [name for name, spec in CATEGORIES.items() if spec.has_legacy_form])
def test_recorded_records_are_shown_as_full_validation_would_have_them(category: str):
    for stored in golden("v2", f"{category}.json").values():
        expected = shown_after_full_validation(category, stored)
        assert json.dumps(record_presented(category, stored)) == json.dumps(expected)


@given(category=st.sampled_from(list(LEGACY_RECORD_TYPES)), data=st.data())
def test_any_json_is_either_refused_or_a_legacy_record_for_good(category: str, data: st.DataObject):
    body = data.draw(json_values | near_records(category))
    try:
        record = legacy_validate(category, body)
    except RequestInvalid as invalid:
        event("refused")
        json.dumps(invalid.detail, allow_nan=False, ensure_ascii=False).encode()
        return
    event("kept")
    json.dumps(record, allow_nan=False, ensure_ascii=False).encode()
    assert list(record) == list(body)
    assert legacy_validate(category, record) == record
