"""Properties that hold for every JSON value a client or an import may come with."""

import json
import math

from hypothesis import event, given
from hypothesis import strategies as st

from references.categories import CATEGORIES
from references.problems import RequestInvalid
from references.serializers import (
    LEGACY_RECORD_TYPES,
    legacy_validate,
    record_presented,
    record_validate,
    schema_fields,
)
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
