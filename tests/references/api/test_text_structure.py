from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from references.categories import TEXT_CATEGORY
from references.structure_models import TextStructureState
from references.vocabulary import CanonicalFormat, ReplicateMode
from tests.factories import make_record
from tests.hordedouble import FIND_USER, HordeDouble
from tests.textapi import REQUESTOR, ask, got, known_keys, problems, wrote

WRITES: list[tuple[str, str, Any]] = [
    ("PUT", "aliases/Lumimaid", {"aliases": ["a"]}),
    ("POST", "aliases/Lumimaid/add", {"alias": "a"}),
    ("POST", "aliases/Lumimaid/remove", {"alias": "a"}),
    ("DELETE", "aliases/Lumimaid", None),
    ("PUT", "families/Fam", {"members": ["a"]}),
    ("PUT", "families/detect", {"members": ["a"]}),
    ("POST", "families/Fam/add", {"group_name": "a"}),
    ("POST", "families/Fam/remove", {"group_name": "a"}),
    ("DELETE", "families/Fam", None),
    ("PUT", "group/name_schema?name=Lumimaid", {"separator": "_"}),
    ("PUT", "group/Lumimaid/name_schema", {"separator": "_"}),
    ("DELETE", "group/name_schema?name=Lumimaid", None),
    ("DELETE", "group/Lumimaid/name_schema", None),
]

pytestmark = pytest.mark.django_db


@pytest.fixture
def horde(settings: Any) -> Iterator[HordeDouble]:
    with known_keys(settings) as double:
        yield double


# Groups -----------------------------------------------------------------------------------------------------


def test_without_models_there_are_no_groups():
    assert got("groups") == (200, {"groups": []})
    assert got("distinct_baselines") == (200, {"baselines": []})
    assert got("groups/health") == (
        200,
        {"issues": [], "total_groups_checked": 0, "groups_with_issues": 0, "issue_counts_by_type": {}},
    )
    assert got("families/detect") == (
        200,
        {"suggestions": [], "total_groups_analyzed": 0, "groups_in_families": 0, "standalone_groups": 0},
    )


def test_a_group_without_models_is_not_found():
    assert got("group?name=Nope") == (404, {"detail": "No models found in group 'Nope'"})
    assert got("group?name=")[0] == 404
    assert got("group/name_schema?name=Nope")[0] == 404
    assert problems(got("group")[1]) == [("missing", ["query", "name"])]


@pytest.mark.parametrize("form", ["group?name={}", "group/{}"])
def test_a_group_may_have_any_name(form):
    for group in ("b/c", "x/add", "50%", "ä b", "name", "a?b&c=d#e"):
        make_record(TEXT_CATEGORY, f"Org/{len(group)}-{group[0]}", text_model_group=group)
        status, answer = got(form.format(quote(group, safe="")))
        assert (status, answer["group_name"]) == (200, group)
    assert got("group/b/c")[1]["group_name"] == "b/c"


def test_a_group_shows_its_family_and_its_exceptions(horde):
    make_record(TEXT_CATEGORY, "Org/Lumimaid-8B", text_model_group="Lumimaid", name_schema_exception="old")
    wrote("PUT", "families/Fam", {"members": ["Lumimaid", "Skyfall"]})
    _, group = got("group?name=Lumimaid")
    assert group["related_family"] == {"family_name": "Fam", "members": ["Lumimaid", "Skyfall"]}
    assert group["exception_members"] == [{"name": "Org/Lumimaid-8B", "reason": "old"}]
    _, summary = got("groups/summary")
    assert (summary["groups"][0]["family_name"], summary["groups_with_families"]) == ("Fam", 1)


# Naming schemas ---------------------------------------------------------------------------------------------


def test_a_schema_can_be_laid_down_for_a_group_that_is_not_there_in_both_forms(horde):
    wrote("PUT", "group/b/c/name_schema", {"separator": "_"})
    assert got("group/name_schema?name=b%2Fc")[1]["name_schema"]["separator"] == "_"
    assert wrote("DELETE", "group/b%2Fc/name_schema") == (204, None)
    assert got("group/b/c/name_schema")[0] == 404


def test_the_schema_of_an_alias_is_that_of_its_group(horde):
    make_record(TEXT_CATEGORY, "Org/Alias-8B", text_model_group="Alias")
    wrote("PUT", "aliases/Lumimaid", {"aliases": ["Alias"]})
    wrote("PUT", "group/name_schema?name=Lumimaid", {"template": "{base}"})
    _, answer = got("group/name_schema?name=Alias")
    assert (answer["group_name"], answer["is_custom"]) == ("Alias", True)
    _, group = got("group?name=Alias")
    assert (group["name_schema_is_custom"], group["name_format"]["template"]) == (True, "{base}")
    assert got("groups/summary")[1]["groups"][0]["has_custom_schema"] is True
    assert wrote("DELETE", "group/name_schema?name=Alias")[0] == 404


@pytest.mark.parametrize(
    ("path", "body", "expected"),
    [
        ("group/name_schema", {}, ("missing", ["query", "name"])),
        ("group/name_schema?name=", {}, ("string_too_short", ["query", "name"])),
        (f"group/{'x' * 256}/name_schema", {}, ("string_too_long", ["path", "group_name"])),
        ("group/a%00b/name_schema", {}, ("value_error", ["path", "group_name"])),
        ("group/x/name_schema", {"separator": 1}, ("string_type", ["body", "separator"])),
        ("group/x/name_schema", {"author_included": "maybe"}, ("bool_parsing", ["body", "author_included"])),
        ("group/x/name_schema", {"part_order": "base"}, ("list_type", ["body", "part_order"])),
    ],
)
def test_schemas_that_cannot_be_stored_are_refused(horde, path, body, expected):
    status, answer = wrote("PUT", path, body)
    assert (status, problems(answer)) == (422, [expected])


# Aliases ----------------------------------------------------------------------------------------------------


def test_alias_entries_are_written_and_read(horde):
    assert wrote("PUT", "aliases/Lumimaid", {"aliases": ["b", "a", "b"]}) == (
        200,
        {"canonical": "Lumimaid", "aliases": ["b", "a"]},
    )
    assert wrote("POST", "aliases/Behemoth/add", {"alias": "c"})[1]["aliases"] == ["c"]
    assert got("aliases") == (
        200,
        {
            "entries": [
                {"canonical": "Behemoth", "aliases": ["c"]},
                {"canonical": "Lumimaid", "aliases": ["b", "a"]},
            ]
        },
    )
    assert wrote("POST", "aliases/Lumimaid/remove", {"alias": "b"})[1]["aliases"] == ["a"]
    assert got("aliases/Lumimaid") == (200, {"canonical": "Lumimaid", "aliases": ["a"]})
    assert wrote("PUT", "aliases/Behemoth", {"aliases": []}) == (
        200,
        {"canonical": "Behemoth", "aliases": []},
    )
    assert got("aliases/Behemoth")[1]["aliases"] == []
    assert wrote("DELETE", "aliases/Behemoth") == (204, None)
    assert got("aliases/Behemoth")[0] == 404


def test_a_group_may_have_thousands_of_aliases(horde):
    aliases = [f"alias-{number}" for number in range(5000)]
    assert wrote("PUT", "aliases/x", {"aliases": aliases})[0] == 200
    assert got("aliases/x")[1]["aliases"] == aliases


def test_clashes_of_aliases_are_conflicts(horde):
    wrote("PUT", "aliases/Lumimaid", {"aliases": ["a"]})
    for method, path, body in (
        ("PUT", "aliases/Other", {"aliases": ["a"]}),
        ("PUT", "aliases/Other", {"aliases": ["Other"]}),
        ("POST", "aliases/Other/add", {"alias": "a"}),
        ("POST", "aliases/Other/add", {"alias": "Other"}),
    ):
        assert wrote(method, path, body)[0] == 409
    assert got("aliases/Other")[0] == 404


def test_aliases_that_are_not_there_are_not_found(horde):
    wrote("PUT", "aliases/Lumimaid", {"aliases": ["a"]})
    assert wrote("POST", "aliases/Lumimaid/remove", {"alias": "b"})[0] == 404
    assert wrote("POST", "aliases/Other/remove", {"alias": "a"})[0] == 404
    assert wrote("DELETE", "aliases/Other")[0] == 404


@pytest.mark.parametrize("written", ["b/c", "b%2Fc"])
def test_a_canonical_name_may_hold_slashes(horde, written):
    assert wrote("PUT", f"aliases/{written}", {"aliases": ["a"]})[1]["canonical"] == "b/c"
    assert wrote("POST", f"aliases/{written}/add", {"alias": "d/e"})[1]["aliases"] == ["a", "d/e"]
    assert got(f"aliases/{written}") == (200, {"canonical": "b/c", "aliases": ["a", "d/e"]})
    assert wrote("POST", f"aliases/{written}/remove", {"alias": "a"})[1]["aliases"] == ["d/e"]
    assert wrote("DELETE", f"aliases/{written}") == (204, None)


@pytest.mark.parametrize(
    ("method", "path", "body", "expected"),
    [
        ("PUT", "aliases/x", {}, ("missing", ["body", "aliases"])),
        ("PUT", "aliases/x", {"aliases": None}, ("list_type", ["body", "aliases"])),
        ("PUT", "aliases/x", {"aliases": ["a", ""]}, ("string_too_short", ["body", "aliases", 1])),
        ("PUT", "aliases/x", {"aliases": ["a" * 256]}, ("string_too_long", ["body", "aliases", 0])),
        ("PUT", "aliases/x", {"aliases": ["a"] * 5001}, ("too_long", ["body", "aliases"])),
        ("PUT", "aliases/x", {"aliases": ["a\0"]}, ("value_error", ["body", "aliases", 0])),
        ("PUT", f"aliases/{'x' * 256}", {"aliases": []}, ("string_too_long", ["path", "canonical"])),
        ("POST", "aliases/x/add", {"alias": ""}, ("string_too_short", ["body", "alias"])),
        ("POST", "aliases/x/remove", {"alias": 1}, ("string_type", ["body", "alias"])),
        ("PUT", "families/x", {"members": "a"}, ("list_type", ["body", "members"])),
        ("PUT", "families/x", {"members": [""]}, ("string_too_short", ["body", "members", 0])),
        ("POST", "families/x/add", {}, ("missing", ["body", "group_name"])),
        ("POST", "families/x/remove", None, ("missing", ["body"])),
    ],
)
def test_names_that_cannot_be_stored_are_refused(horde, method, path, body, expected):
    status, answer = wrote(method, path, body)
    assert (status, problems(answer)) == (422, [expected])


# Families ---------------------------------------------------------------------------------------------------


def test_families_are_written_and_read(horde):
    assert wrote("PUT", "families/Fam", {"members": ["Skyfall", "Lumimaid", "Skyfall"]}) == (
        200,
        {"family_name": "Fam", "members": ["Lumimaid", "Skyfall"]},
    )
    assert wrote("PUT", "families/Other", {"members": ["Skyfall"]})[0] == 409
    assert wrote("POST", "families/Fam/add", {"group_name": "Behemoth"})[1]["members"] == [
        "Behemoth",
        "Lumimaid",
        "Skyfall",
    ]
    wrote("PUT", "families/A/b", {"members": ["c"]})
    assert [family["family_name"] for family in got("families")[1]["families"]] == ["A/b", "Fam"]
    assert got("families/A%2Fb") == (200, {"family_name": "A/b", "members": ["c"]})
    for member in ("Behemoth", "Lumimaid", "Skyfall"):
        status, answer = wrote("POST", "families/Fam/remove", {"group_name": member})
        assert status == 200
    assert answer == {"family_name": "Fam", "members": []}
    assert got("families/Fam") == (404, {"detail": "Family 'Fam' does not exist."})
    assert wrote("DELETE", "families/A/b") == (204, None)
    assert got("families") == (200, {"families": []})


def test_clashes_of_families_are_conflicts_and_missing_ones_are_not_found(horde):
    wrote("PUT", "families/Fam", {"members": ["Skyfall"]})
    assert wrote("PUT", "families/Fam", {"members": []})[0] == 409
    assert wrote("PUT", "families/detect", {"members": ["a"]})[0] == 409
    assert wrote("POST", "families/Nope/add", {"group_name": "a"}) == (
        404,
        {"detail": "Family 'Nope' does not exist."},
    )
    assert wrote("POST", "families/Fam/remove", {"group_name": "a"})[0] == 404
    assert wrote("DELETE", "families/Nope")[0] == 404


# Deployments, roles and methods -----------------------------------------------------------------------------


@pytest.mark.parametrize(("method", "path", "body"), WRITES)
@pytest.mark.parametrize("apikey", [None, "", "nonsense", "key-plain"])
def test_nobody_writes_without_the_role(horde, method, path, body, apikey):
    response = ask(method, path, body, apikey=apikey)
    assert (response.status_code, response.headers["WWW-Authenticate"]) == (401, "APIKey")
    assert not TextStructureState.objects.exists()


@pytest.mark.parametrize(("method", "path", "body"), WRITES)
@pytest.mark.parametrize("apikey", [REQUESTOR, "key-approver"])
def test_requestors_and_approvers_get_past_the_door(horde, method, path, body, apikey):
    assert ask(method, path, body, apikey=apikey).status_code in {200, 404, 409}


@pytest.mark.parametrize(("method", "path", "body"), WRITES)
def test_an_empty_allowlist_lets_nobody_in_and_asks_nobody(horde, settings, method, path, body):
    settings.QUEUE_REQUESTOR_IDS = settings.QUEUE_APPROVER_IDS = frozenset()
    assert ask(method, path, body, apikey=REQUESTOR).status_code == 401
    assert horde.calls[FIND_USER] == 0


@pytest.mark.parametrize(("method", "path", "body"), WRITES)
def test_a_replica_takes_no_writes(horde, settings, method, path, body):
    settings.REPLICATE_MODE = ReplicateMode.REPLICA
    response = ask(method, path, body)
    assert response.status_code == 503
    assert "REPLICA mode" in response.json()["detail"]


@pytest.mark.parametrize(("method", "path", "body"), WRITES)
def test_without_the_queue_nothing_is_written(horde, settings, method, path, body):
    settings.QUEUE_ENABLED = False
    assert ask(method, path, body, apikey=REQUESTOR).status_code == 503
    assert horde.calls[FIND_USER] == 0


def test_an_upstream_that_fails_is_not_the_callers_fault(horde):
    horde.mode = "500"
    assert wrote("PUT", "aliases/x", {"aliases": ["a"]})[0] == 503


def test_writes_belong_to_no_canonical_format(horde, settings):
    settings.CANONICAL_FORMAT = CanonicalFormat.LEGACY
    assert wrote("PUT", "aliases/Lumimaid", {"aliases": ["a"]})[0] == 200


def test_a_replica_has_no_store_of_aliases_and_families_but_answers_the_rest(settings):
    make_record(TEXT_CATEGORY, "Org/Lumimaid-8B", text_model_group="Lumimaid")
    settings.REPLICATE_MODE = ReplicateMode.REPLICA
    for path in ("aliases", "aliases/x", "families", "families/x"):
        status, answer = got(path)
        assert status == 503
        assert "REPLICA mode" in answer["detail"]
    for path in (
        "groups",
        "groups/summary",
        "families/detect",
        "group/Lumimaid",
        "group/Lumimaid/name_schema",
    ):
        assert got(path)[0] == 200


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "group/name_schema", {"GET", "PUT", "DELETE"}),
        ("GET", "aliases/x/add", {"POST"}),
        ("PUT", "aliases/x/remove", {"POST"}),
        ("PATCH", "aliases/x", {"GET", "PUT", "DELETE"}),
        ("POST", "aliases", {"GET"}),
        ("POST", "families/x", {"GET", "PUT", "DELETE"}),
        ("GET", "families/x/add", {"POST"}),
        ("DELETE", "families/detect", {"GET", "PUT"}),
    ],
)
def test_other_methods_are_named_in_the_refusal(horde, method, path, allowed):
    response = ask(method, path)
    assert (response.status_code, response.json()) == (405, {"detail": "Method Not Allowed"})
    assert set(response.headers["Allow"].split(", ")) - {"HEAD", "OPTIONS"} == allowed
    assert horde.calls[FIND_USER] == 0
