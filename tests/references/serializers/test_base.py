"""Query strings, and running a serializer over a request."""

import pytest
from django.http import QueryDict

from references.problems import RequestInvalid
from references.serializers.base import ObjectSerializer, QuerySerializer, request_validated, serializer_of
from references.serializers.fields import (
    BooleanField,
    EnumField,
    IntegerField,
    ListField,
    LiteralField,
    StringField,
)


class ExampleQuery(QuerySerializer):
    limit = IntegerField(default=50, min_value=1, max_value=500)
    nsfw = BooleanField(required=False)
    baseline = StringField(required=False)
    tags_any = ListField(child=StringField(), required=False)
    statuses = ListField(child=EnumField(["pending", "applied"]), required=False)
    sort_by = LiteralField(["name", "size"], required=False)


class NeedyQuery(QuerySerializer):
    change_ids = ListField(child=IntegerField())


class Inner(ObjectSerializer):
    name = StringField()


class Outer(ObjectSerializer):
    inner = Inner(required=False)
    items = ListField(child=Inner(), required=False)


def problems_of(query_class: type[QuerySerializer], query: str) -> list[tuple]:
    with pytest.raises(RequestInvalid) as caught:
        query_class.parse(QueryDict(query))
    return [(problem["type"], problem["loc"]) for problem in caught.value.detail]


@pytest.mark.parametrize(
    ("query", "values"),
    [
        ("", {"limit": 50}),
        ("limit=7&unknown=1", {"limit": 7}),
        ("limit=x&limit=8", {"limit": 8}),
        ("nsfw=YES&baseline=", {"limit": 50, "nsfw": True, "baseline": ""}),
        ("baseline=%20a%20", {"limit": 50, "baseline": " a "}),
        ("tags_any=a,b&tags_any=%20c%20&tags_any=%20", {"limit": 50, "tags_any": ["a,b", "c"]}),
        ("tags_any=&tags_any=%20%20", {"limit": 50}),
        ("tags_any=a&tags_any=a", {"limit": 50, "tags_any": ["a", "a"]}),
        ("sort_by=size", {"limit": 50, "sort_by": "size"}),
    ],
)
def test_query_strings_are_read(query: str, values: dict):
    assert ExampleQuery.parse(QueryDict(query)) == values


@pytest.mark.parametrize(
    ("query", "problems"),
    [
        ("limit=501", [("less_than_equal", ["query", "limit"])]),
        ("limit=0", [("greater_than_equal", ["query", "limit"])]),
        ("limit=", [("int_parsing", ["query", "limit"])]),
        ("nsfw=", [("bool_parsing", ["query", "nsfw"])]),
        ("statuses=pending&statuses=bogus", [("enum", ["query", "statuses", 1])]),
        (
            "sort_by=foo&nsfw=maybe",
            [("bool_parsing", ["query", "nsfw"]), ("literal_error", ["query", "sort_by"])],
        ),
    ],
)
def test_bad_query_strings_are_refused(query: str, problems: list):
    assert problems_of(ExampleQuery, query) == problems


def test_a_required_list_without_values_is_missing():
    assert problems_of(NeedyQuery, "change_ids=&change_ids=%20") == [("missing", ["query", "change_ids"])]


def test_the_value_is_echoed_as_it_was_sent():
    with pytest.raises(RequestInvalid) as caught:
        ExampleQuery.parse(QueryDict("limit=501"))
    assert caught.value.detail[0]["input"] == "501"
    assert caught.value.detail[0]["ctx"] == {"le": 500}


def test_one_instance_serves_all_requests():
    assert serializer_of(ExampleQuery) is serializer_of(ExampleQuery)
    ExampleQuery.parse(QueryDict("tags_any=a"))
    assert ExampleQuery.parse(QueryDict("")) == {"limit": 50}


@pytest.mark.parametrize(
    ("body", "code"), [(None, "missing"), ([], "model_attributes_type"), ("x", "model_attributes_type")]
)
def test_a_body_that_is_no_object_is_refused(body: object, code: str):
    with pytest.raises(RequestInvalid) as caught:
        request_validated(Outer, body)
    assert [(problem["type"], problem["loc"]) for problem in caught.value.detail] == [(code, ["body"])]


def test_unknown_members_are_dropped():
    assert request_validated(Outer, {"x": 1, "inner": {"name": "a", "y": 2}}) == {"inner": {"name": "a"}}


def test_unknown_members_are_refused_at_any_depth_while_testing(settings):
    settings.AI_HORDE_TESTING = True
    body = {"x": 1, "inner": {"name": "a", "y": 2}, "items": [{"name": "b"}, {"name": 3, "z": 4}, 5]}
    with pytest.raises(RequestInvalid) as caught:
        request_validated(Outer, body)
    assert [(problem["type"], problem["loc"]) for problem in caught.value.detail] == [
        ("string_type", ["body", "items", 1, "name"]),
        ("model_attributes_type", ["body", "items", 2]),
        ("extra_forbidden", ["body", "x"]),
        ("extra_forbidden", ["body", "inner", "y"]),
        ("extra_forbidden", ["body", "items", 1, "z"]),
    ]


def test_unknown_parameters_are_ignored_even_while_testing(settings):
    settings.AI_HORDE_TESTING = True
    assert ExampleQuery.parse(QueryDict("unknown=1")) == {"limit": 50}
