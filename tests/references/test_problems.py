"""Exceptions that become answers, and the flattening of serializer errors."""

import json

import pytest
from rest_framework import serializers
from rest_framework.exceptions import APIException, ErrorDetail, ValidationError
from rest_framework.views import exception_handler

from references.problems import (
    INPUT_LIMIT,
    PROBLEM_LIMIT,
    BadRequest,
    Conflict,
    Problem,
    ProblemCode,
    RequestInvalid,
    Unavailable,
    Unprocessable,
    request_problems,
)

PROBLEM = Problem(
    type="less_than_equal", loc=["query", "limits", 0], msg="Too much", input=True, ctx={"le": 500}
)


def make_error(code: str, message: str = "No", **ctx) -> list[ErrorDetail]:
    return [ErrorDetail(message, code=ProblemCode(code, ctx))]


def test_problems_reach_the_answer_untouched():
    response = exception_handler(RequestInvalid([PROBLEM]), {})
    assert response.status_code == 422
    assert response.data == [PROBLEM]
    assert type(response.data[0]["loc"][2]) is int
    assert response.data[0]["input"] is True
    assert type(response.data[0]["msg"]) is str


def test_a_request_error_names_its_codes():
    assert RequestInvalid([PROBLEM]).get_codes() == ["less_than_equal"]
    assert RequestInvalid([PROBLEM]).get_full_details() == [PROBLEM]


@pytest.mark.parametrize(
    ("error", "status"), [(BadRequest, 400), (Conflict, 409), (Unprocessable, 422), (Unavailable, 503)]
)
def test_the_other_errors_carry_a_sentence(error: type[APIException], status: int):
    response = exception_handler(error("What is wrong."), {})
    assert (response.status_code, response.data) == (status, {"detail": "What is wrong."})
    assert isinstance(error().detail, str)


def test_nested_errors_are_flattened_with_indices_as_numbers():
    errors = {"config": {"download": {2: {"file_url": make_error("required")}}}}
    assert request_problems(errors, {}, root="body") == [
        {"type": "missing", "loc": ["body", "config", "download", 2, "file_url"], "msg": "No"}
    ]


def test_a_member_name_that_looks_like_a_number_stays_text():
    [problem] = request_problems({"settings": {"2": make_error("x")}}, {"settings": {"2": 1}}, root="body")
    assert problem["loc"] == ["body", "settings", "2"]


def test_errors_of_an_object_are_put_at_the_object():
    errors = {"inner": {"non_field_errors": make_error("value_error")}, "non_field_errors": make_error("x")}
    assert [problem["loc"] for problem in request_problems(errors, {}, root="body")] == [
        ["body", "inner"],
        ["body"],
    ]


def test_lists_of_error_objects_are_counted():
    errors = {"items": [{}, {"name": make_error("string_type")}]}
    assert request_problems(errors, {"items": [{}, {"name": 1}]}, root="body")[0]["loc"] == [
        "body",
        "items",
        1,
        "name",
    ]


def test_bounds_survive_the_nesting_of_the_framework():
    nested = ValidationError({"a": ValidationError("No", code=ProblemCode("greater_than", {"gt": 0})).detail})
    [problem] = request_problems(nested.detail, {"a": 0}, root="body")
    assert (problem["type"], problem["ctx"], problem["input"]) == ("greater_than", {"gt": 0}, 0)


def test_errors_raised_by_ordinary_serializers_become_value_errors():
    class Ordinary(serializers.Serializer):
        def validate(self, attrs: dict) -> dict:
            raise serializers.ValidationError("These do not go together.")

    serializer = Ordinary(data={"a": 1})
    assert not serializer.is_valid()
    assert request_problems(serializer.errors, {"a": 1}, root="body") == [
        {"type": "value_error", "loc": ["body"], "msg": "These do not go together.", "input": {"a": 1}}
    ]


@pytest.mark.parametrize(
    "value",
    [float("nan"), float("inf"), "\ud800", {"\udfff": 1}, "x" * INPUT_LIMIT],
    ids=["nan", "infinity", "surrogate", "surrogate in a name", "too long"],
)
def test_a_value_that_an_answer_cannot_hold_is_not_echoed(value: object):
    [problem] = request_problems({"a": make_error("x")}, {"a": value}, root="body")
    assert "input" not in problem


def test_a_value_of_just_the_limit_is_echoed():
    value = "x" * (INPUT_LIMIT - 2)
    assert request_problems({"a": make_error("x")}, {"a": value}, root="body")[0]["input"] == value


def test_lone_surrogates_in_names_and_messages_are_spelled_out():
    [problem] = request_problems({"a\ud800": make_error("x", "bad: \udfff")}, {}, root="body")
    assert problem["loc"] == ["body", "a\\ud800"]
    assert problem["msg"] == "bad: \\udfff"
    json.dumps(problem, ensure_ascii=False).encode()


def test_the_list_of_problems_is_limited():
    errors = {"tags": {index: make_error("string_type") for index in range(PROBLEM_LIMIT + 5)}}
    assert len(request_problems(errors, {}, root="body")) == PROBLEM_LIMIT
