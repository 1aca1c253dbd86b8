from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from moderation.models import AuditEvent, PendingChange
from references import text_structure
from references.categories import TEXT_CATEGORY
from references.models import ModelRecord
from references.problems import Conflict
from references.vocabulary import CanonicalFormat, ReplicateMode
from tests.factories import make_record
from tests.hordedouble import FIND_USER, HordeDouble
from tests.textapi import REQUESTOR, ask, got, known_keys, problems, wrote

MAIDENS = ("NeverSleep/Maiden-8B", "NeverSleep/Maiden-70B", "Other/Maiden-12B")
WRITES: list[tuple[str, str, Any]] = [
    ("PUT", "group/common_fields?name=Maiden", {"nsfw": True}),
    ("PUT", "group/Maiden/common_fields", {"nsfw": True}),
    ("PUT", "NeverSleep/Maiden-8B/name_exception", {"reason": "old"}),
]

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("real_reference")]


@pytest.fixture(autouse=True)
def nothing_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_structure, "_held", None)


@pytest.fixture
def horde(settings: Any) -> Iterator[HordeDouble]:
    with known_keys(settings) as double:
        yield double


@pytest.fixture
def maidens() -> None:
    for name in MAIDENS:
        make_record(TEXT_CATEGORY, name, description="a maid", text_model_group="Maiden")
    make_record(TEXT_CATEGORY, "TheDrummer/Butler-36B", text_model_group="Butler")


def live(name: str) -> dict[str, Any]:
    return ModelRecord.objects.get(category=TEXT_CATEGORY, name=name).as_dict()


# Common fields ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["group/common_fields?name=Maiden", "group/Maiden/common_fields"])
def test_common_fields_queue_one_update_for_each_member_and_change_nothing(horde, maidens, path):
    before = {name: live(name) for name in MAIDENS}
    status, answer = wrote("PUT", path, {"nsfw": True, "tags": [" a", "a"], "description": None})
    changes = list(PendingChange.objects.all())
    assert status == 202
    assert UUID(answer["batch_id"]).version == 4
    assert answer == {
        "updated_count": 3,
        "batch_id": answer["batch_id"],
        "pending_change_ids": [change.change_id for change in changes],
    }
    assert [change.model_name for change in changes] == list(MAIDENS)
    for change in changes:
        assert change.payload_as_dict() == {**before[change.model_name], "nsfw": True, "tags": ["a"]}
        assert change.request_metadata_as_dict() == {
            "route": "update_group_common_fields",
            "batch_id": answer["batch_id"],
        }
        assert (change.operation, change.status, change.domain) == ("update", "pending", "v2")
        assert (change.requested_by, change.requested_username) == ("101", "Rita#101")
        assert "'Maiden'" in change.notes
        assert change.batch_id is None
    assert changes[0].related_models_as_list() == [
        "aphrodite/NeverSleep/Maiden-8B",
        "koboldcpp/Maiden-8B",
    ]
    assert {name: live(name) for name in MAIDENS} == before
    assert AuditEvent.objects.filter(category=AuditEvent.QUEUE).count() == 3


def test_the_four_lumimaids_of_the_real_reference_are_queued_together(horde):
    before = got("group?name=Lumimaid")
    status, answer = wrote("PUT", "group/common_fields?name=Lumimaid", {"nsfw": True})
    assert (status, answer["updated_count"], len(answer["pending_change_ids"])) == (202, 4, 4)
    assert got("group?name=Lumimaid") == before


def test_common_fields_pass_backend_duplicates_over(horde, maidens):
    make_record(TEXT_CATEGORY, "koboldcpp/Maiden-8B", text_model_group="Maiden")
    make_record(TEXT_CATEGORY, "koboldcpp/Alone-8B", text_model_group="Alone")
    assert wrote("PUT", "group/Maiden/common_fields", {"nsfw": True})[1]["updated_count"] == 3
    assert wrote("PUT", "group/Alone/common_fields", {"nsfw": True})[0] == 404


def test_common_fields_can_be_emptied_but_not_with_null(horde, maidens):
    wrote("PUT", "group/Maiden/common_fields", {"description": "", "tags": []})
    payload = PendingChange.objects.first().payload_as_dict()
    assert (payload["description"], payload["tags"]) == ("", [])
    for nothing in ({}, {"nsfw": None}, {"unknown": 1}):
        assert wrote("PUT", "group/Maiden/common_fields", nothing)[0] == 400


def test_a_group_that_is_not_there_is_missed_before_fields_are(horde, maidens):
    assert wrote("PUT", "group/common_fields?name=Nope", {}) == (
        404,
        {"detail": "No models found in group 'Nope'"},
    )
    assert wrote("PUT", "group/common_fields?name=Nope", {"nsfw": True})[0] == 404


def test_aliases_are_not_followed(horde, maidens):
    wrote("PUT", "aliases/Maiden", {"aliases": ["Alias"]})
    assert wrote("PUT", "group/Alias/common_fields", {"nsfw": True})[0] == 404


@pytest.mark.parametrize(
    ("path", "body", "expected"),
    [
        ("group/common_fields", {"nsfw": True}, ("missing", ["query", "name"])),
        ("group/Maiden/common_fields", {"nsfw": "maybe"}, ("bool_parsing", ["body", "nsfw"])),
        ("group/Maiden/common_fields", {"url": 1}, ("string_type", ["body", "url"])),
        ("group/Maiden/common_fields", {"tags": "a"}, ("list_type", ["body", "tags"])),
        ("group/Maiden/common_fields", None, ("missing", ["body"])),
        ("a/b/name_exception", {}, ("missing", ["body", "reason"])),
        ("a/b/name_exception", {"reason": 1}, ("string_type", ["body", "reason"])),
    ],
)
def test_what_is_not_well_formed_is_refused_first(horde, path, body, expected):
    status, answer = wrote("PUT", path, body)
    assert (status, problems(answer)) == (422, [expected])


def test_all_members_of_a_group_are_queued_or_none(horde, maidens, monkeypatch):
    save = PendingChange.save

    def fail_late(change: PendingChange, **kwargs: Any) -> None:
        if change.model_name == MAIDENS[-1]:
            raise Conflict("no room")
        save(change, **kwargs)

    monkeypatch.setattr(PendingChange, "save", fail_late)
    assert wrote("PUT", "group/Maiden/common_fields", {"nsfw": True})[0] == 409
    assert not PendingChange.objects.exists()
    assert not AuditEvent.objects.filter(category=AuditEvent.QUEUE).exists()


def test_the_payloads_are_those_of_the_records_as_they_are_now(horde, maidens):
    got("group?name=Maiden")
    make_record(TEXT_CATEGORY, MAIDENS[0], description="a newer maid", text_model_group="Maiden")
    wrote("PUT", "group/Maiden/common_fields", {"nsfw": True})
    change = PendingChange.objects.get(model_name=MAIDENS[0])
    assert change.payload_as_dict()["description"] == "a newer maid"
    assert change.base_as_dict() == live(MAIDENS[0])


# Exceptions to naming schemas -------------------------------------------------------------------------------


@pytest.mark.parametrize("written", ["NeverSleep/Maiden-8B", "NeverSleep%2FMaiden-8B"])
@pytest.mark.parametrize("reason", ["an old name", ""])
def test_an_exception_is_queued_for_the_whole_record(horde, maidens, written, reason):
    before = live("NeverSleep/Maiden-8B")
    status, answer = wrote("PUT", f"{written}/name_exception", {"reason": reason})
    change = PendingChange.objects.get()
    assert (status, answer) == (202, {"pending_change_id": change.change_id})
    assert (change.model_name, change.operation) == ("NeverSleep/Maiden-8B", "update")
    assert change.payload_as_dict() == {**before, "name_schema_exception": reason}
    assert change.request_metadata_as_dict() == {"route": "set_name_exception"}
    assert change.notes is None
    assert live("NeverSleep/Maiden-8B") == before


def test_null_takes_an_exception_back(horde):
    make_record(TEXT_CATEGORY, "Org/Model-7B", name_schema_exception="old")
    assert wrote("PUT", "Org/Model-7B/name_exception", {"reason": None})[0] == 202
    payload = PendingChange.objects.get().payload_as_dict()
    assert payload == {
        key: value for key, value in live("Org/Model-7B").items() if key != "name_schema_exception"
    }


@pytest.mark.parametrize("name", ["Nope", "koboldcpp/Maiden-8B", "neversleep/Maiden-8B"])
def test_exceptions_are_for_models_that_are_there_under_exactly_that_name(horde, maidens, name):
    assert wrote("PUT", f"{name}/name_exception", {"reason": "old"})[0] == 404


# Deployments, roles and methods -----------------------------------------------------------------------------


@pytest.mark.parametrize(("method", "path", "body"), WRITES)
@pytest.mark.parametrize("apikey", [None, "", "nonsense", "key-plain"])
def test_nobody_proposes_without_the_role(horde, maidens, method, path, body, apikey):
    response = ask(method, path, body, apikey=apikey)
    assert (response.status_code, response.headers["WWW-Authenticate"]) == (401, "APIKey")
    assert not PendingChange.objects.exists()


@pytest.mark.parametrize(("method", "path", "body"), WRITES)
@pytest.mark.parametrize("apikey", [REQUESTOR, "key-approver"])
def test_requestors_and_approvers_propose(horde, maidens, method, path, body, apikey):
    assert ask(method, path, body, apikey=apikey).status_code == 202


@pytest.mark.parametrize(("method", "path", "body"), WRITES)
def test_a_replica_and_a_deployment_without_queue_take_no_proposals(horde, settings, method, path, body):
    settings.QUEUE_ENABLED = False
    assert ask(method, path, body, apikey=REQUESTOR).status_code == 503
    settings.REPLICATE_MODE = ReplicateMode.REPLICA
    response = ask(method, path, body)
    assert response.status_code == 503
    assert "REPLICA mode" in response.json()["detail"]
    assert horde.calls[FIND_USER] == 0


@pytest.mark.parametrize(("method", "path", "body"), WRITES)
def test_proposals_of_the_toolkit_belong_to_no_canonical_format(horde, maidens, settings, method, path, body):
    settings.CANONICAL_FORMAT = CanonicalFormat.LEGACY
    assert ask(method, path, body, apikey=REQUESTOR).status_code == 202
    assert set(PendingChange.objects.values_list("domain", flat=True)) == {"v2"}


@pytest.mark.parametrize("path", ["group/common_fields", "group/Maiden/common_fields", "a/b/name_exception"])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_the_only_method_is_put(horde, path, method):
    response = ask(method, path)
    assert response.status_code == 405
    assert set(response.headers["Allow"].split(", ")) - {"OPTIONS"} == {"PUT"}
