import pytest
from django.test import RequestFactory
from django.urls import path
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import APIException
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from references import auth
from references.auth import HordeKeyAuthentication, Role, authorize, read_role
from references.horde import users
from references.vocabulary import ReadRole
from tests.hordedouble import FIND_USER, running_horde

NOT_AUTHENTICATED = (401, "Not authenticated")
INVALID_KEY = (401, "Invalid API key")
PATH = "/"


ROLES = {
    "roles": lambda: Role.ANY_KEY,
    "propose": lambda: Role.REQUESTOR,
    "decide": lambda: Role.APPROVER,
    "changes": read_role,
}


class _Doors(ViewSet):
    def get_authenticators(self):
        return [HordeKeyAuthentication(ROLES[self.action_map["post"]]())]

    def roles(self, request):
        return Response(request.user.roles)

    propose = decide = changes = roles


@pytest.fixture
def horde(settings, monkeypatch):
    settings.QUEUE_REQUESTOR_IDS = frozenset({"101"})
    settings.QUEUE_APPROVER_IDS = frozenset({"900"})
    monkeypatch.setattr(users, "CHECK_TIMEOUT", 0.3)
    with running_horde() as horde:
        settings.HORDE_URL = horde.url
        yield horde


def knock(action, apikey=None):
    headers = {} if apikey is None else {"apikey": apikey}
    request = RequestFactory().post(PATH, headers=headers)
    return _Doors.as_view({"post": action})(request)


def refusal(action, apikey=None):
    response = knock(action, apikey)
    expected = "APIKey" if response.status_code == 401 else None
    assert response.headers.get("WWW-Authenticate") == expected
    return response.status_code, response.data["detail"]


@pytest.mark.parametrize("apikey", [None, "", "  "])
@pytest.mark.parametrize("action", ["roles", "propose", "decide"])
def test_without_a_key_nobody_is_authenticated(horde, action, apikey):
    assert refusal(action, apikey) == NOT_AUTHENTICATED
    assert not horde.calls


@pytest.mark.parametrize("action", ["roles", "propose", "decide"])
@pytest.mark.parametrize("username", [None, "Anon", "Anon#", b"<html></html>"])
def test_a_key_without_a_user_is_invalid(horde, action, username):
    horde.users["key-odd"] = username
    assert refusal(action, "key-odd") == INVALID_KEY


@pytest.mark.parametrize(
    ("mode", "detail"),
    [
        ("slow", "Auth service timed out"),
        ("down", "Auth service unavailable"),
        ("500", "Auth service unavailable"),
        ("429", "Auth service unavailable"),
    ],
)
def test_a_check_that_is_impossible_is_a_503(horde, mode, detail):
    horde.mode = mode
    assert refusal("propose", "key-requestor") == (503, detail)


@pytest.mark.parametrize(
    ("action", "apikey", "roles"),
    [
        ("roles", "key-plain", []),
        ("roles", "key-requestor", ["requestor"]),
        ("roles", "key-approver", ["approver", "requestor"]),
        ("propose", "key-requestor", ["requestor"]),
        ("propose", "key-approver", ["approver", "requestor"]),
        ("decide", "key-approver", ["approver", "requestor"]),
    ],
)
def test_the_right_role_opens_the_door(horde, action, apikey, roles):
    response = knock(action, apikey)
    assert (response.status_code, response.data) == (200, roles)


@pytest.mark.parametrize(
    ("action", "apikey", "role"),
    [
        ("propose", "key-plain", "requestor"),
        ("decide", "key-plain", "approver"),
        ("decide", "key-requestor", "approver"),
    ],
)
def test_a_valid_key_without_the_role_is_refused_as_the_constant_says(horde, action, apikey, role):
    status, detail = refusal(action, apikey)
    assert status == auth.ROLE_MISSING_STATUS == 401
    assert role in detail
    assert detail != INVALID_KEY[1]


@pytest.mark.parametrize(
    ("requestors", "approvers", "action", "expected"),
    [
        ([], [], "propose", INVALID_KEY),
        ([], [], "decide", INVALID_KEY),
        (["101"], [], "decide", INVALID_KEY),
    ],
)
def test_a_role_that_nobody_has_is_refused_without_asking(
    horde, settings, requestors, approvers, action, expected
):
    settings.QUEUE_REQUESTOR_IDS = frozenset(requestors)
    settings.QUEUE_APPROVER_IDS = frozenset(approvers)
    assert refusal(action, "key-approver") == expected
    assert refusal(action) == NOT_AUTHENTICATED
    assert not horde.calls


def test_an_approver_proposes_while_there_are_no_requestors(horde, settings):
    settings.QUEUE_REQUESTOR_IDS = frozenset()
    assert knock("propose", "key-approver").status_code == 200


def test_any_key_will_do_where_no_role_is_needed_even_without_allowlists(horde, settings):
    settings.QUEUE_REQUESTOR_IDS = settings.QUEUE_APPROVER_IDS = frozenset()
    response = knock("roles", "key-approver")
    assert (response.status_code, response.data) == (200, [])


@pytest.mark.parametrize(
    ("setting", "role", "admitted"),
    [
        (ReadRole.APPROVER, Role.APPROVER, {"key-approver"}),
        (ReadRole.REQUESTOR, Role.REQUESTOR, {"key-approver", "key-requestor"}),
        (ReadRole.ANY, Role.ANY_KEY, {"key-approver", "key-requestor", "key-plain"}),
    ],
)
def test_the_role_for_reading_is_a_setting(horde, settings, setting, role, admitted):
    settings.QUEUE_READ_ROLE = setting
    assert read_role() is role
    keys = ("key-approver", "key-requestor", "key-plain", "key-unknown")
    assert {key for key in keys if knock("changes", key).status_code == 200} == admitted


def test_authorize_takes_a_request_of_django_itself(horde):
    request = RequestFactory().get(PATH, headers={"apikey": "key-requestor"})
    assert authorize(request, Role.REQUESTOR).user_id == "101"
    with pytest.raises(APIException) as refused:
        authorize(RequestFactory().get(PATH), Role.REQUESTOR)
    assert (refused.value.status_code, refused.value.auth_header) == (401, "APIKey")


def test_the_authentication_class_takes_any_key(horde):
    class Greeting(ViewSet):
        authentication_classes = [HordeKeyAuthentication]

        def greet(self, request):
            return Response(request.user.username)

    view = Greeting.as_view({"get": "greet"})
    assert view(RequestFactory().get(PATH, headers={"apikey": "key-plain"})).data == "Paul#555"
    response = view(RequestFactory().get(PATH))
    assert (response.status_code, response.headers["WWW-Authenticate"]) == (401, "APIKey")
    assert horde.calls == {FIND_USER: 1}


def test_the_schema_names_the_key_header():
    class Documented(ViewSet):
        authentication_classes = [HordeKeyAuthentication]

        @extend_schema(request=None, responses={200: str})
        def propose(self, request):
            return Response("")

    schema = SchemaGenerator(patterns=[path("things", Documented.as_view({"post": "propose"}))]).get_schema(
        request=None, public=True
    )
    assert schema["components"]["securitySchemes"] == {
        "APIKeyHeader": {"type": "apiKey", "in": "header", "name": "apikey"}
    }
    assert schema["paths"]["/things"]["post"]["security"] == [{"APIKeyHeader": []}]
