"""Keys and roles of API requests: the `apikey` header becomes a user, or the right refusal."""

from collections.abc import Callable, Mapping
from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import APIException
from rest_framework.request import Request

from references.horde import HordeTimeout, HordeUnavailable, HordeUser, InvalidKey, Role, role_ids, user_find
from references.problems import Unavailable

CHALLENGE = "APIKey"
INVALID_KEY = "Invalid API key"
# What a valid key without the role it needs is answered.
ROLE_MISSING_STATUS = HTTPStatus.UNAUTHORIZED

RoleSource = Role | Callable[[], Role]


class KeyRefused(APIException):
    """No key, or one that opens nothing. Not an AuthenticationFailed, which becomes a 403 in some views."""

    status_code = HTTPStatus.UNAUTHORIZED
    default_detail = INVALID_KEY
    default_code = "not_authenticated"
    auth_header = CHALLENGE


class RoleMissing(APIException):
    status_code = ROLE_MISSING_STATUS
    default_code = "role_missing"
    auth_header = CHALLENGE if ROLE_MISSING_STATUS == HTTPStatus.UNAUTHORIZED else None

    def __init__(self, role: Role) -> None:
        super().__init__(f"This needs the {role} role, which the user of this key does not have.")


def authorize(request: HttpRequest | Request, role: Role) -> HordeUser:
    """The user of the request's key; raises KeyRefused, RoleMissing or Unavailable.

    A role that nobody has is refused without asking the AI-Horde.
    """
    apikey = request.META.get("HTTP_APIKEY", "").strip()
    if not apikey:
        raise KeyRefused("Not authenticated")
    if role is not Role.ANY_KEY and not role_ids(role):
        raise KeyRefused
    try:
        user = user_find(apikey)
    except InvalidKey:
        raise KeyRefused from None
    except HordeTimeout:
        raise Unavailable("Auth service timed out") from None
    except HordeUnavailable:
        raise Unavailable("Auth service unavailable") from None
    if not user.has_role(role):
        raise RoleMissing(role)
    return user


def read_role() -> Role:
    """The role that reading the queue and its audit views takes."""
    return Role(settings.QUEUE_READ_ROLE)


class HordeKeyAuthentication(BaseAuthentication):
    """Takes any valid key."""

    def authenticate(self, request: Request) -> tuple[HordeUser, None]:
        return authorize(request, Role.ANY_KEY), None

    def authenticate_header(self, request: Request) -> str:
        return CHALLENGE


class HordeKeyScheme(OpenApiAuthenticationExtension):
    target_class = HordeKeyAuthentication
    name = "APIKeyHeader"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, str]:
        return {"type": "apiKey", "in": "header", "name": "apikey"}


class RoleRequired:
    """For views whose callers need a role: `required_role` names it, for a view set perhaps by action.

    In place of a role there may be a function that returns it for each request, e.g. `read_role`.
    """

    authentication_classes = [HordeKeyAuthentication]
    required_role: RoleSource | Mapping[str, RoleSource]

    def get_required_role(self) -> Role:
        role = self.required_role
        if isinstance(role, Mapping):
            role = role[self.action]
        return role if isinstance(role, Role) else role()

    def perform_authentication(self, request: Request) -> None:
        # A method that the view does not have is a 405 for everyone, and OPTIONS tells nothing of the data.
        if request.method != "OPTIONS" and hasattr(self, request.method.lower()):
            request.user = authorize(request, self.get_required_role())
