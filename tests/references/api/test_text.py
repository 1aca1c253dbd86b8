from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client

from tests.hordedouble import HordeDouble
from tests.recorded import golden
from tests.textapi import TEXT, ask, got, known_keys, problems, wrote

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("real_reference")]


@pytest.fixture
def horde(settings: Any) -> Iterator[HordeDouble]:
    with known_keys(settings) as double:
        yield double


# Names ------------------------------------------------------------------------------------------------------


def test_every_recorded_name_is_parsed_as_recorded():
    wrong = {
        name: answer
        for name, recorded in golden("parse_name.json").items()
        if (answer := got(f"parse_name?name={quote(name, safe='')}")) != (200, recorded)
    }
    assert wrong == {}


@pytest.mark.parametrize(
    ("name", "size", "base_name", "group"),
    [
        ("Mixtral-8x22B-Instruct", "2B", "Mixtral-8x2", "Mixtral-8x2"),
        ("8x7B", "8X7B", "8x7B", "8x7B"),
        ("koboldcpp/Lumimaid-v0.2-8B", "8B", "koboldcpp/Lumimaid", "Lumimaid"),
        ("", None, "", ""),
    ],
)
def test_a_name_is_parsed_as_given_but_its_group_without_backend_and_author(name, size, base_name, group):
    status, answer = got(f"parse_name?name={quote(name, safe='')}")
    assert status == 200
    assert (answer["original_name"], answer["size"], answer["base_name"], answer["suggested_group"]) == (
        name,
        size,
        base_name,
        group,
    )


def test_a_name_to_parse_must_be_given():
    status, answer = got("parse_name")
    assert (status, problems(answer)) == (422, [("missing", ["query", "name"])])


def test_a_name_is_composed_of_the_parts_in_the_order_asked_for():
    parts = {"base_name": "Lumimaid", "size": "8B", "version": "v0.2", "author": "NeverSleep"}
    response = ask("POST", "compose_name", {**parts, "part_order": ["base", "version", "size"]})
    assert response.json() == {
        "composed_name": "NeverSleep/Lumimaid-v0.2-8B",
        "already_exists": True,
        "suggested_group": "Lumimaid",
    }
    odd = {"base_name": "Qwen3", "size": "8B", "separator": "_", "variant": "Chat"}
    response = ask("POST", "compose_name", {**odd, "part_order": ["size", "base", "bogus"]})
    assert (response.status_code, response.json()["composed_name"]) == (200, "8B_Qwen3")
    assert response.json()["already_exists"] is False


@pytest.mark.parametrize("separator", [None, ""])
def test_names_are_composed_with_hyphens_unless_something_else_is_asked_for(separator):
    body = {"base_name": "Qwen3", "size": "8B", "quant": "", "separator": separator, "part_order": []}
    assert ask("POST", "compose_name", body).json()["composed_name"] == "Qwen3-8B"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (None, [("missing", ["body"])]),
        ([], [("model_attributes_type", ["body"])]),
        ({"size": 7}, [("missing", ["body", "base_name"]), ("string_type", ["body", "size"])]),
        ({"base_name": "a", "size": "b", "part_order": [1]}, [("string_type", ["body", "part_order", 0])]),
    ],
)
def test_what_a_name_cannot_be_composed_of_is_named(body, expected):
    response = ask("POST", "compose_name", body)
    assert (response.status_code, problems(response.json())) == (422, expected)


# Groups -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("recorded", "path"),
    [
        ("groups", "groups"),
        ("groups_summary", "groups/summary"),
        ("groups_health", "groups/health"),
        ("distinct_baselines", "distinct_baselines"),
        ("families_detect", "families/detect"),
        ("families_detect_4_3", "families/detect?min_prefix_length=4&min_family_size=3"),
    ],
)
def test_answers_over_all_groups_are_as_recorded(recorded, path):
    answer = golden("text_utils", f"{recorded}.json")
    assert got(path) == (answer["status"], answer["body"])


@pytest.mark.parametrize("form", ["group?name={}", "group/{}"])
def test_groups_are_as_recorded(form):
    for group, answer in golden("text_utils", "group_by_name.json").items():
        assert got(form.format(quote(group, safe=""))) == (answer["status"], answer["body"])


@pytest.mark.parametrize("form", ["group/name_schema?name={}", "group/{}/name_schema"])
def test_naming_schemas_are_inferred_as_recorded(form):
    for group, answer in golden("text_utils", "group_name_schema.json").items():
        status, body = got(form.format(quote(group, safe="")))
        assert status == answer["status"]
        if status == 200:
            assert body == answer["body"]


def test_the_numbers_of_the_real_reference():
    _, summary = got("groups/summary")
    _, health = got("groups/health")
    assert (summary["total_groups"], summary["total_models"]) == (419, 719)
    assert health["issue_counts_by_type"]["singleton_group"] == 312


def test_aliases_lead_suggestions_and_detection_and_leave_the_groups_alone(horde):
    lumimaids = ["Llama-3-Lumimaid", "Llama-3-Lumimaid-OAS"]
    status, entry = wrote("PUT", "aliases/Lumimaid", {"aliases": lumimaids})
    assert (status, entry) == (200, {"canonical": "Lumimaid", "aliases": lumimaids})
    name = quote("NeverSleep/Llama-3-Lumimaid-8B-v0.1", safe="")
    assert got(f"parse_name?name={name}")[1]["suggested_group"] == "Lumimaid"
    composed = ask("POST", "compose_name", {"base_name": "Llama-3-Lumimaid", "size": "8B"})
    assert composed.json()["suggested_group"] == "Lumimaid"
    assert got("families/detect")[1]["total_groups_analyzed"] == 417
    assert len(got("groups")[1]["groups"]) == 419
    assert got("group?name=Llama-3-Lumimaid")[1]["canonical_count"] == 2
    assert wrote("PUT", "aliases/Other", {"aliases": lumimaids[:1]})[0] == 409
    groups = {group["group_name"]: group for group in got("groups/summary")[1]["groups"]}
    assert groups["Llama-3-Lumimaid"]["alias_canonical"] == "Lumimaid"
    assert (groups["Lumimaid"]["aliases"], groups["Lumimaid"]["alias_canonical"]) == (lumimaids, None)
    assert got("groups/summary")[1]["groups_with_aliases"] == 3


def test_a_schema_that_is_laid_down_hides_the_inferred_one_until_it_goes(horde):
    path = "group/name_schema?name=Lumimaid"
    status, answer = wrote("PUT", path, {"separator": "_"})
    assert (status, answer) == (
        200,
        {
            "group_name": "Lumimaid",
            "name_schema": {
                "separator": "_",
                "part_order": ["base", "size", "variant", "version", "quant"],
                "author_included": True,
                "common_author": None,
                "template": None,
                "extra_parts": [],
            },
            "is_custom": True,
        },
    )
    _, answer = wrote("PUT", path, {"extra_parts": ["date"], "common_author": None})
    assert (answer["name_schema"]["separator"], answer["name_schema"]["extra_parts"]) == ("_", ["date"])
    assert got(path) == (200, answer)
    _, group = got("group?name=Lumimaid")
    assert (group["name_schema_is_custom"], group["name_format"]["template"]) == (True, "")
    assert wrote("DELETE", path) == (204, None)
    assert wrote("DELETE", path)[0] == 404
    _, inferred = got(path)
    assert (inferred["is_custom"], inferred["name_schema"]["template"]) == (
        False,
        "{author}/{base}-{version}-{size}",
    )


def test_answers_over_all_groups_are_made_once(django_assert_num_queries):
    for path in ("groups", "groups/summary", "groups/health", "distinct_baselines", "families/detect"):
        first = ask("GET", path)
        with django_assert_num_queries(2):
            again = Client().get(f"{TEXT}/{path}", headers={"If-None-Match": first.headers["ETag"]})
        assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("min_prefix_length=1", ("greater_than_equal", ["query", "min_prefix_length"])),
        ("min_prefix_length=21", ("less_than_equal", ["query", "min_prefix_length"])),
        ("min_family_size=1", ("greater_than_equal", ["query", "min_family_size"])),
        ("min_family_size=51", ("less_than_equal", ["query", "min_family_size"])),
        ("min_family_size=x", ("int_parsing", ["query", "min_family_size"])),
    ],
)
def test_detection_has_bounds(query, expected):
    status, answer = got(f"families/detect?{query}")
    assert (status, problems(answer)) == (422, [expected])


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "parse_name", {"GET"}),
        ("GET", "compose_name", {"POST"}),
        ("POST", "groups", {"GET"}),
        ("POST", "groups/summary", {"GET"}),
        ("PUT", "group/Lumimaid", {"GET"}),
    ],
)
def test_other_methods_are_named_in_the_refusal(method, path, allowed):
    response = ask(method, path)
    assert (response.status_code, response.json()) == (405, {"detail": "Method Not Allowed"})
    assert set(response.headers["Allow"].split(", ")) - {"HEAD", "OPTIONS"} == allowed
