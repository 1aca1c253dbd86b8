"""Keys and roles of API requests: the `apikey` header becomes a user, or the right refusal."""

from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import APIException
from rest_framework.request import Request

from references.horde import HordeTimeout, HordeUnavailable, HordeUser, InvalidKey, Role, role_ids, user_find
from references.problems import HordeSilent

CHALLENGE = "APIKey"
INVALID_KEY = "Invalid API key"
# What a valid key without the role it needs is answered.
ROLE_MISSING_STATUS = HTTPStatus.UNAUTHORIZED


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
        super().__init__(f"You are not on the pending queue {role} list.")


class HordeKeyAuthentication(BaseAuthentication):
    """Takes the AI-Horde key in the `apikey` header, if its user has the role; any valid key by default.

    There is no anonymous request here: one without a key is refused too.
    """

    def __init__(self, role: Role = Role.ANY_KEY) -> None:
        self.role = role

    def authenticate(self, request: HttpRequest | Request) -> tuple[HordeUser, None]:
        """The user of the key, and nothing beside; raises KeyRefused, RoleMissing or HordeSilent.

        A role that nobody has is refused without asking the AI-Horde.
        """
        apikey = request.META.get("HTTP_APIKEY", "").strip()
        if not apikey:
            raise KeyRefused("Not authenticated")
        if self.role is not Role.ANY_KEY and not role_ids(self.role):
            raise KeyRefused
        user = _user_of(apikey)
        if not user.has_role(self.role):
            raise RoleMissing(self.role)
        return user, None

    def authenticate_header(self, request: Request) -> str:
        return CHALLENGE


def _user_of(apikey: str) -> HordeUser:
    try:
        return user_find(apikey)
    except InvalidKey:
        raise KeyRefused from None
    except HordeTimeout:
        raise HordeSilent("Auth service timed out") from None
    except HordeUnavailable:
        raise HordeSilent("Auth service unavailable") from None


def authorize(request: HttpRequest | Request, role: Role) -> HordeUser:
    """The authenticated user, for views that have more to check before the key."""
    user, _ = HordeKeyAuthentication(role).authenticate(request)
    # For the line that is logged of the request.
    request.user = user
    return user


def read_role() -> Role:
    """The role that reading the queue and its audit views takes."""
    return Role(settings.QUEUE_READ_ROLE)


class HordeKeyScheme(OpenApiAuthenticationExtension):
    target_class = HordeKeyAuthentication
    name = "APIKeyHeader"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, str]:
        return {"type": "apiKey", "in": "header", "name": "apikey"}
