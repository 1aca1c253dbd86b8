import logging
import socket

import pytest
from django.core.cache import cache
from redis.backoff import NoBackoff
from redis.retry import Retry

from references.horde import HordeTimeout, HordeUnavailable, HordeUser, InvalidKey, Role, user_find, users
from tests.hordedouble import FIND_USER, running_horde, stop_clock

RITA = HordeUser(user_id="101", username="Rita#101")


@pytest.fixture
def horde(settings):
    with running_horde() as horde:
        settings.HORDE_URL = horde.url
        yield horde


def test_the_key_of_a_user_brings_name_and_id(horde):
    assert user_find("key-requestor") == RITA
    assert horde.headers[0]["apikey"] == "key-requestor"
    assert horde.calls == {FIND_USER: 1}


@pytest.mark.parametrize(
    ("username", "user_id"),
    [("a#b#77", "77"), ("#5", "5"), ("Zoë 🦊#12", "12"), ("x#not a number", "not a number")],
)
def test_the_id_is_what_follows_the_last_hash(horde, username, user_id):
    horde.users["key"] = username
    assert user_find("key") == HordeUser(user_id=user_id, username=username)


@pytest.mark.parametrize(
    "body",
    [
        {"username": "Anon"},
        {"username": "Anon#"},
        {"username": "Anon# "},
        {"username": 101},
        {"username": None},
        {"username": "bad\udc00#5"},
        {"username": "bad\0#5"},
        {"id": 101},
        ["Rita#101"],
        b"",
        b"Rita#101",
        b"<html>Rita#101</html>",
        b'{"username": "Rita#101"',
        b"\xff\xfe\xfd",
        b"[" * 100_000,
        b'"' + b"#" * (users.ANSWER_LIMIT + 1) + b'"',
    ],
)
def test_an_answer_without_a_user_is_an_invalid_key(horde, body):
    horde.users["key"] = body
    with pytest.raises(InvalidKey):
        user_find("key")


@pytest.mark.parametrize("mode", ["400", "401", "403", "404", "204", "redirect", "garbage", "html"])
def test_any_other_answer_than_200_is_an_invalid_key(horde, mode):
    horde.mode = mode
    with pytest.raises(InvalidKey):
        user_find("key-requestor")
    assert horde.calls == {FIND_USER: 1}


@pytest.mark.parametrize("mode", ["500", "502", "503", "429", "down", "cut"])
def test_a_fault_of_the_ai_horde_is_not_the_callers_and_is_not_tried_again(horde, mode):
    horde.mode = mode
    with pytest.raises(HordeUnavailable):
        user_find("key-requestor")
    assert horde.calls == {FIND_USER: 1}


def test_a_refused_connection_means_unavailable(settings):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        settings.HORDE_URL = f"http://127.0.0.1:{closed.getsockname()[1]}/api/"
        with pytest.raises(HordeUnavailable):
            user_find("key-requestor")


@pytest.mark.parametrize("mode", ["slow", "drip"])
def test_an_answer_that_does_not_end_in_time_is_a_timeout(horde, monkeypatch, mode):
    monkeypatch.setattr(users, "CHECK_TIMEOUT", 0.2)
    horde.mode = mode
    with pytest.raises(HordeTimeout):
        user_find("key-requestor")
    assert horde.calls == {FIND_USER: 1}


@pytest.mark.parametrize(
    "key", ["", "a\nb", "a\r\nx: y", "a b", "a\0b", "a\tb", " a", "ключ", "\ud800", "a\x7f"]
)
def test_a_key_that_no_header_can_carry_is_invalid_without_a_call(horde, key):
    with pytest.raises(InvalidKey):
        user_find(key)
    assert not horde.calls


def test_a_key_in_latin_1_is_sent_as_it_is(horde):
    horde.users["clé"] = "Renée#7"
    assert user_find("clé").user_id == "7"


def test_a_valid_key_is_asked_for_again_after_a_minute(horde, monkeypatch):
    clock = stop_clock(monkeypatch)
    user_find("key-requestor")
    clock.now += 59
    assert user_find("key-requestor") == RITA
    assert horde.calls == {FIND_USER: 1}
    clock.now += 2
    assert user_find("key-requestor") == RITA
    assert horde.calls == {FIND_USER: 2}


def test_a_refusal_is_not_remembered(horde):
    with pytest.raises(InvalidKey):
        user_find("key-new")
    horde.users["key-new"] = "New#9"
    assert user_find("key-new").user_id == "9"


def test_what_is_remembered_holds_no_key(horde):
    user_find("key-requestor")
    remembered = [*cache._cache.items()]
    assert len(remembered) == 1
    assert "key-requestor" not in repr(remembered)


def test_another_secret_remembers_under_another_name(horde, settings):
    user_find("key-requestor")
    settings.SECRET_KEY = "another"
    user_find("key-requestor")
    assert horde.calls == {FIND_USER: 2}


def test_keys_are_checked_while_the_cache_is_down(horde, settings, caplog):
    settings.CACHES = {
        "default": {
            "BACKEND": "config.caches.PassableRedisCache",
            "LOCATION": "redis://127.0.0.1:1/0",
            "OPTIONS": {"retry": Retry(NoBackoff(), 0)},
        }
    }
    assert [user_find("key-requestor"), user_find("key-requestor")] == [RITA, RITA]
    assert horde.calls == {FIND_USER: 2}
    assert [record.name for record in caplog.records if record.levelname == "WARNING"] == ["config.caches"]


def test_a_key_from_the_settings_needs_no_ai_horde(horde, settings):
    settings.STATIC_API_KEYS = {"house-key": "House#1", "other-key": "Other#2"}
    assert user_find("other-key") == HordeUser(user_id="2", username="Other#2")
    assert not horde.calls
    assert user_find("key-requestor") == RITA
    assert horde.calls == {FIND_USER: 1}


@pytest.mark.parametrize("mode", ["ok", "404", "500", "down", "html"])
def test_no_key_gets_into_a_log_or_an_error(horde, caplog, mode):
    horde.mode = mode
    horde.users["a-secret-key"] = "Rita#101"
    failure = None
    with caplog.at_level(logging.DEBUG):
        try:
            user_find("a-secret-key")
        except (InvalidKey, HordeUnavailable) as error:
            failure = error
    assert "a-secret-key" not in caplog.text
    assert "a-secret-key" not in repr(failure)
    assert any(record.name.startswith("urllib3") for record in caplog.records)


def test_cookies_of_one_caller_are_not_sent_with_the_next_call(horde):
    user_find("key-requestor")
    user_find("key-plain")
    assert [headers["Cookie"] for headers in horde.headers] == [None, None]


@pytest.mark.parametrize(
    ("requestors", "approvers", "roles"),
    [
        ([], [], []),
        (["101"], [], ["requestor"]),
        ([], ["101"], ["approver", "requestor"]),
        (["101"], ["101"], ["approver", "requestor"]),
        (["10", "1"], ["1010"], []),
    ],
)
def test_roles_follow_the_allowlists_at_once(settings, requestors, approvers, roles):
    user = HordeUser(user_id="101", username="Rita#101")
    settings.QUEUE_REQUESTOR_IDS = frozenset(requestors)
    settings.QUEUE_APPROVER_IDS = frozenset(approvers)
    assert user.roles == roles
    assert user.is_requestor == ("requestor" in roles)
    assert user.is_approver == ("approver" in roles)
    assert user.has_role(Role.ANY_KEY)
    assert user.is_authenticated
