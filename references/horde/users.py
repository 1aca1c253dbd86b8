"""Who an AI-Horde key belongs to, and what that person may do here."""

import hashlib
import hmac
import re
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from typing import ClassVar

from django.conf import settings
from django.core.cache import cache
from django.views.decorators.debug import sensitive_variables

from references.horde.answers import username_parse
from references.horde.client import Answer, BackgroundCall, HordeBadAnswer, HordeError, horde_get
from references.horde.waiting import KEY_CHECK_PLACES, Waits

CHECK_TIMEOUT = 10.0
CACHE_SECONDS = 60
ANSWER_LIMIT = 1024 * 1024

_SENDABLE = re.compile(r"[!-~\xa1-\xff]+")
_waits = Waits(KEY_CHECK_PLACES)


class InvalidKey(HordeError):
    """A key that belongs to nobody."""


class Role(StrEnum):
    """What a caller must be; each role includes the ones before it."""

    ANY_KEY = "any"
    REQUESTOR = "requestor"
    APPROVER = "approver"


def role_ids(role: Role) -> frozenset[str]:
    """The ids on the allowlist of a role. Any valid key will do for ANY_KEY, which has no list."""
    if role is Role.APPROVER:
        return frozenset(settings.QUEUE_APPROVER_IDS)
    return frozenset({*settings.QUEUE_REQUESTOR_IDS, *settings.QUEUE_APPROVER_IDS})


@dataclass(frozen=True, slots=True)
class HordeUser:
    """Someone with a valid key. Roles follow the allowlists as they are when asked."""

    user_id: str
    username: str

    is_authenticated: ClassVar[bool] = True

    def has_role(self, role: Role) -> bool:
        return role is Role.ANY_KEY or self.user_id in role_ids(role)

    @property
    def is_approver(self) -> bool:
        return self.has_role(Role.APPROVER)

    @property
    def is_requestor(self) -> bool:
        return self.has_role(Role.REQUESTOR)

    @property
    def roles(self) -> list[str]:
        return sorted(role.value for role in (Role.REQUESTOR, Role.APPROVER) if self.has_role(role))


@sensitive_variables("apikey")
def user_find(apikey: str) -> HordeUser:
    """The user a key belongs to; raises InvalidKey, HordeTimeout or HordeUnavailable.

    HordeBusy, one of the last, comes at once: too many threads wait for checks of keys already.
    """
    if not _SENDABLE.fullmatch(apikey):
        raise InvalidKey("characters that no key has")
    if username := _static_username(apikey):
        return _user(username)
    entry = _cache_entry(apikey)
    known = cache.get(entry)
    if known is not None:
        return _user(known)
    user = _user(_username_ask(apikey) or "")
    cache.set(entry, user.username, CACHE_SECONDS)
    return user


def _user(username: str) -> HordeUser:
    """`Rita#101` is the user 101; the name before the last `#` may hold further ones."""
    _, mark, user_id = username.rpartition("#")
    if not mark or not user_id.strip():
        raise InvalidKey("a user name without an id")
    return HordeUser(user_id=user_id, username=username)


@sensitive_variables("apikey")
def _static_username(apikey: str) -> str | None:
    """The user of a key from the settings. Every key is compared, and each in constant time."""
    given = apikey.encode()
    matches = [
        username
        for key, username in settings.STATIC_API_KEYS.items()
        if hmac.compare_digest(key.encode(), given)
    ]
    return matches[0] if matches else None


@sensitive_variables("apikey")
def _username_ask(apikey: str) -> str | None:
    def ask() -> Answer:
        return horde_get("find_user", headers={"apikey": apikey}, timeout=CHECK_TIMEOUT, limit=ANSWER_LIMIT)

    # The timeouts of a request bound its parts; only a thread bounds the whole, name lookup included.
    check: BackgroundCall[Answer] = BackgroundCall(ask, name="key check")
    try:
        with _waits.waiting(CHECK_TIMEOUT) as seconds:
            check.start()
            answer = check.outcome(wait=seconds)
        return username_parse(answer.body) if answer.status == HTTPStatus.OK else None
    except HordeBadAnswer as error:
        raise InvalidKey(str(error)) from None


@sensitive_variables("apikey")
def _cache_entry(apikey: str) -> str:
    digest = hmac.new(settings.SECRET_KEY.encode(), apikey.encode(), hashlib.sha256).hexdigest()
    return f"horde-user-{digest}"
