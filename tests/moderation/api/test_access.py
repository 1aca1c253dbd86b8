"""Who may call what: every route of the API, with and without a key."""

import re
from collections.abc import Iterator
from typing import Any
from unittest.mock import Mock

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from references.horde import HordeUser
from references.vocabulary import CanonicalFormat, ReadRole, ReplicateMode
from tests.moderation.api.callers import APPROVER, PLAIN, REQUESTOR, send, told

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("people")]

Endpoint = tuple[str, str]

# Who may call an operation; everyone after that may, too.
PUBLIC, ANY_KEY, REQUESTORS, APPROVERS = "public", "any key", "requestors", "approvers"
LADDER = {ANY_KEY: PLAIN, REQUESTORS: REQUESTOR, APPROVERS: APPROVER}

ENTRY = "model_references"
RECORDS = "<model_category_name>"
ONE_RECORD = f"{RECORDS}/model/<model_name>"
TEXT = f"{ENTRY}/v2/text_generation"
SAMPLES = {"model_category_name": "clip", "change_id": "1", "batch_id": "1"}
OTHER_SAMPLE = "Nobody"

QUEUE_ACCESS = {
    ("GET", "my_changes"): REQUESTORS,
    ("GET", "changes"): APPROVERS,
    ("GET", "changes/<change_id>"): APPROVERS,
    ("GET", "changes/<change_id>/diff"): APPROVERS,
    ("POST", "changes/<change_id>/apply"): APPROVERS,
    ("POST", "changes/<change_id>/withdraw"): REQUESTORS,
    ("POST", "changes/<change_id>/reopen"): APPROVERS,
    ("POST", "changes/<change_id>/revert"): APPROVERS,
    ("GET", "diffs"): APPROVERS,
    ("POST", "purge"): APPROVERS,
    ("POST", "batches"): APPROVERS,
    ("POST", "batches/<batch_id>/revert"): APPROVERS,
    ("POST", "apply"): APPROVERS,
    ("POST", "apply_batch/<batch_id>"): APPROVERS,
    ("GET", "audit/current"): APPROVERS,
    ("GET", "audit/batches"): APPROVERS,
    ("GET", "audit/batches/<batch_id>"): APPROVERS,
    ("GET", "audit/batches/<batch_id>/net_changes"): APPROVERS,
}
V2_ACCESS = {
    ("POST", RECORDS): REQUESTORS,
    ("POST", f"{RECORDS}/add"): REQUESTORS,
    ("PUT", ONE_RECORD): REQUESTORS,
    ("DELETE", ONE_RECORD): REQUESTORS,
    ("GET", f"{RECORDS}/pending"): ANY_KEY,
    ("GET", "me/roles"): ANY_KEY,
}
V1_ACCESS = {
    ("POST", RECORDS): REQUESTORS,
    ("PUT", RECORDS): REQUESTORS,
    ("POST", "text_generation"): REQUESTORS,
    ("PUT", "text_generation"): REQUESTORS,
    ("DELETE", ONE_RECORD): REQUESTORS,
    ("GET", "me/roles"): ANY_KEY,
}
TEXT_WRITES = {
    ("PUT", "group/name_schema"),
    ("DELETE", "group/name_schema"),
    ("PUT", "group/common_fields"),
    ("PUT", "group/<group_name>/name_schema"),
    ("DELETE", "group/<group_name>/name_schema"),
    ("PUT", "group/<group_name>/common_fields"),
    ("PUT", "aliases/<canonical>"),
    ("DELETE", "aliases/<canonical>"),
    ("POST", "aliases/<canonical>/add"),
    ("POST", "aliases/<canonical>/remove"),
    ("PUT", "families/detect"),
    ("PUT", "families/<family_name>"),
    ("DELETE", "families/<family_name>"),
    ("POST", "families/<family_name>/add"),
    ("POST", "families/<family_name>/remove"),
    ("PUT", "<model_name>/name_exception"),
}
KEYED: dict[Endpoint, str] = {
    **{(method, f"{ENTRY}/v2/{route}"): who for (method, route), who in V2_ACCESS.items()},
    **{(method, f"{ENTRY}/v1/{route}"): who for (method, route), who in V1_ACCESS.items()},
    **{
        (method, f"{ENTRY}/{version}/pending_queue/{route}"): who
        for version in ("v1", "v2")
        for (method, route), who in QUEUE_ACCESS.items()
    },
    **{(method, f"{TEXT}/{route}"): REQUESTORS for method, route in TEXT_WRITES},
}
PUBLIC_READS = {
    "",
    "feed.atom",
    "heartbeat",
    "replicate_mode",
    "openapi.json",
    "docs",
    "redoc",
    f"{ENTRY}/statistics/{RECORDS}",
    f"{ENTRY}/statistics/{RECORDS}/deletion-risk",
    f"{ENTRY}/statistics/{RECORDS}/with-stats",
    f"{ENTRY}/statistics/{RECORDS}/usage-history",
    *(
        f"{ENTRY}/{version}/{route}"
        for version in ("v1", "v2")
        for route in (
            "info",
            "model_categories",
            "metadata/last_updated",
            "metadata/metadata",
            f"metadata/{RECORDS}",
            f"metadata/{RECORDS}/last_updated",
            RECORDS,
        )
    ),
    f"{ENTRY}/v1/text_generation",
    f"{ENTRY}/v2/{ONE_RECORD}",
    f"{ENTRY}/v2/search",
    f"{ENTRY}/v2/changes",
    f"{ENTRY}/v2/by-hash/<sha256>",
    f"{ENTRY}/v2/{RECORDS}/search",
    f"{ENTRY}/v2/{RECORDS}/popular",
    *(
        f"{TEXT}/{route}"
        for route in (
            "parse_name",
            "distinct_baselines",
            "groups",
            "groups/summary",
            "groups/health",
            "group",
            "group/<group_name>",
            "group/name_schema",
            "group/<group_name>/name_schema",
            "aliases",
            "aliases/<canonical>",
            "families",
            "families/detect",
            "families/<family_name>",
        )
    ),
}
# Works on what it is sent, and neither reads nor writes anything else.
PUBLIC_POSTS = {f"{TEXT}/compose_name"}


def endpoints() -> set[Endpoint]:
    """Every method of every route below the prefix of the API, parameters written as `<name>`."""
    [api] = [each for each in get_resolver().url_patterns if str(each.pattern) == "api/"]
    return {
        (method, re.sub(r"<\w+:(\w+)>", r"<\1>", route))
        for route, callback in _leaves(api, "")
        for method in _methods(callback)
    }


def _leaves(resolver: URLResolver, prefix: str) -> Iterator[tuple[str, Any]]:
    for each in resolver.url_patterns:
        route = prefix + str(each.pattern)
        if isinstance(each, URLPattern):
            yield route, each.callback
        else:
            yield from _leaves(each, route)


def _methods(callback: Any) -> set[str]:
    methods = getattr(callback, "actions", None)
    if methods is None:
        view = callback.view_class
        methods = [name for name in view.http_method_names if hasattr(view, name)]
    return {method.upper() for method in methods} - {"HEAD", "OPTIONS"}


def path_of(route: str) -> str:
    return "/api/" + re.sub(r"<(\w+)>", lambda found: SAMPLES.get(found[1], OTHER_SAMPLE), route)


def mount_of(route: str) -> CanonicalFormat:
    return CanonicalFormat.LEGACY if route.startswith(f"{ENTRY}/v1/") else CanonicalFormat.V2


def is_write(endpoint: Endpoint) -> bool:
    return endpoint[0] != "GET"


def keys_that_lack(who: str) -> list[str]:
    names = [*LADDER]
    return [LADDER[name] for name in names[: names.index(who)]]


KEYED_CASES = [pytest.param(*endpoint, who, id=" ".join(endpoint)) for endpoint, who in KEYED.items()]
WRITE_CASES = [pytest.param(*endpoint, id=" ".join(endpoint)) for endpoint in KEYED if is_write(endpoint)]


def test_every_operation_is_listed_here():
    public = {("GET", route) for route in PUBLIC_READS} | {("POST", route) for route in PUBLIC_POSTS}
    assert endpoints() - public - KEYED.keys() == set(), "say who may call these"
    assert (public | KEYED.keys()) - endpoints() == set(), "these are not mounted"


@pytest.mark.parametrize("route", sorted(PUBLIC_READS))
def test_public_reads_ask_for_no_key_and_mind_none(route):
    assert send("GET", path_of(route)).status_code != 401
    assert send("GET", path_of(route), key="wrong").status_code != 401


@pytest.mark.parametrize(("method", "route", "who"), KEYED_CASES)
def test_only_a_key_with_the_role_opens_a_route(settings, method, route, who):
    settings.CANONICAL_FORMAT = mount_of(route)
    path = path_of(route)
    assert told(send(method, path)) == (401, {"detail": "Not authenticated"})
    assert told(send(method, path, key="")) == (401, {"detail": "Not authenticated"})
    for key in ("no key of anybody", *keys_that_lack(who)):
        refused = send(method, path, key=key, body={"anything": 1})
        assert (refused.status_code, refused.headers["WWW-Authenticate"]) == (401, "APIKey")
        assert isinstance(refused.json()["detail"], str)
    assert send(method, path, key=LADDER[who]).status_code not in (401, 403, 405, 500)
    assert send(method, path, key=APPROVER).status_code not in (401, 403, 405, 500)


@pytest.mark.parametrize(("method", "route", "who"), KEYED_CASES)
def test_a_role_that_nobody_has_is_refused_without_a_look_at_the_key(
    settings, monkeypatch, method, route, who
):
    settings.CANONICAL_FORMAT = mount_of(route)
    settings.QUEUE_REQUESTOR_IDS = settings.QUEUE_APPROVER_IDS = frozenset()
    find = Mock(return_value=HordeUser(user_id="900", username="Ada#900"))
    monkeypatch.setattr("references.auth.user_find", find)
    status = send(method, path_of(route), key=APPROVER).status_code
    if who == ANY_KEY:
        assert status != 401
        find.assert_called_once_with(APPROVER)
    else:
        assert status == 401
        find.assert_not_called()


@pytest.mark.parametrize("key", [None, "wrong", APPROVER])
@pytest.mark.parametrize(("method", "route"), WRITE_CASES)
def test_a_replica_takes_no_writes_and_asks_for_no_key(settings, method, route, key):
    settings.REPLICATE_MODE = ReplicateMode.REPLICA
    response = send(method, path_of(route), key=key, body={"anything": 1})
    assert response.status_code == 503
    assert "REPLICA mode" in response.json()["detail"]


@pytest.mark.parametrize("key", [None, "wrong", APPROVER])
@pytest.mark.parametrize(("method", "route"), [case for case in WRITE_CASES if TEXT not in case.values[1]])
def test_only_the_canonical_format_takes_writes(settings, method, route, key):
    mount = mount_of(route)
    settings.CANONICAL_FORMAT = next(other for other in CanonicalFormat if other is not mount)
    response = send(method, path_of(route), key=key, body={"anything": 1})
    assert response.status_code == 503
    assert f"canonical_format='{mount}'" in response.json()["detail"]
    settings.REPLICATE_MODE = ReplicateMode.REPLICA
    assert "REPLICA mode" in send(method, path_of(route), key=key).json()["detail"]


@pytest.mark.parametrize("key", [None, APPROVER])
@pytest.mark.parametrize(
    ("method", "route", "who"),
    [case for case in KEYED_CASES if "pending" in case.values[1] or f"v2/{RECORDS}" in case.values[1]],
)
def test_without_a_queue_what_needs_one_is_unavailable_to_everyone(settings, method, route, who, key):
    settings.CANONICAL_FORMAT = mount_of(route)
    settings.QUEUE_ENABLED = False
    response = send(method, path_of(route), key=key, body={"anything": 1})
    assert response.status_code == 503
    assert "queue is disabled" in response.json()["detail"]


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("route", sorted({route for _, route in KEYED}))
def test_a_method_that_a_route_does_not_have_is_told_before_anything_else(settings, method, route):
    if (method, route) in endpoints():
        return
    settings.REPLICATE_MODE = ReplicateMode.REPLICA
    response = send(method, path_of(route))
    assert told(response) == (405, {"detail": "Method Not Allowed"})
    assert method not in response.headers["Allow"].split(", ")


@pytest.mark.parametrize(
    ("role", "readers"),
    [
        (ReadRole.APPROVER, {APPROVER}),
        (ReadRole.REQUESTOR, {APPROVER, REQUESTOR}),
        (ReadRole.ANY, {APPROVER, REQUESTOR, PLAIN}),
    ],
)
def test_the_role_that_reading_the_queue_takes_is_a_setting(settings, role, readers):
    settings.QUEUE_READ_ROLE = role
    reads = [
        endpoint
        for endpoint, who in KEYED.items()
        if not is_write(endpoint) and "pending_queue" in endpoint[1] and who == APPROVERS
    ]
    assert len(reads) == 16
    for method, route in reads:
        path = path_of(route)
        assert {key for key in LADDER.values() if send(method, path, key=key).status_code != 401} == readers


def test_writes_take_any_accept_header():
    response = send("POST", "/api/model_references/v2/clip?format=xml", {}, key=REQUESTOR, accept="text/html")
    assert response.status_code == 422
    assert response.headers["Content-Type"] == "application/json"
