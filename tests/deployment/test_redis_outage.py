"""Redis dies, comes back and hangs: keys are checked a little slower then, and never wrongly."""

import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.deployment.backends import Redis, migrated, running_redis
from tests.deployment.clients import V2
from tests.hordedouble import FIND_USER, HordeDouble, running_horde
from tests.moderation.factories import IMAGES
from tests.moderation.processes import PATIENCE, REQUESTOR, Site, at_once, live_server

pytestmark = pytest.mark.deployment

CALLS = 24
# The default of HORDE_MODEL_REFERENCE_REDIS__SOCKET_TIMEOUT, in seconds.
SOCKET_TIMEOUT = 5


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Redis]:
    with running_redis(tmp_path) as redis:
        yield redis


@pytest.fixture
def horde() -> Iterator[HordeDouble]:
    with running_horde() as horde:
        yield horde


@pytest.fixture
def site(redis: Redis, horde: HordeDouble, tmp_path: Path) -> Iterator[Site]:
    """A deployment that asks the AI-Horde about keys, and has Redis remember them."""
    store = migrated(f"sqlite:///{tmp_path / 'store.sqlite3'}", tmp_path)
    variables = {
        "HORDE_URL": horde.url,
        "HORDE_MODEL_REFERENCE_STATIC_API_KEYS": "",
        "HORDE_MODEL_REFERENCE_REDIS__USE_REDIS": "true",
        "HORDE_MODEL_REFERENCE_REDIS__URL": redis.url,
    }
    with live_server(store, workers=2, **variables) as site:
        yield site
        assert "Traceback" not in site.logged()


def roles(site: Site, key: str = REQUESTOR) -> tuple[int, object]:
    answer = site.send("GET", f"{V2}/me/roles", key=key)
    return answer.status_code, answer.json().get("roles")


def assert_answers(site: Site) -> float:
    """That many callers at once get what is right; returns the seconds the last of them waited."""
    begun = time.monotonic()
    checks = at_once(*[partial(site.send, "GET", f"{V2}/me/roles", key=REQUESTOR)] * CALLS)
    assert [(check.status_code, check.json()["roles"]) for check in checks] == [(200, ["requestor"])] * CALLS
    lasted = time.monotonic() - begun
    assert roles(site, "unknown") == (401, None)
    reads = at_once(*[partial(site.send, "GET", f"{V2}/{IMAGES}")] * CALLS)
    assert {read.status_code for read in reads} == {200}
    return lasted


def await_remembering(site: Site, horde: HordeDouble) -> None:
    """Returns once both workers find a key in Redis again."""
    deadline = time.monotonic() + PATIENCE
    while True:
        asked = horde.calls[FIND_USER]
        answers = at_once(*[partial(roles, site)] * CALLS)
        assert set(map(str, answers)) == {"(200, ['requestor'])"}
        if horde.calls[FIND_USER] == asked:
            return
        assert time.monotonic() < deadline, "keys are still asked about"
        time.sleep(0.5)


def test_keys_are_checked_without_a_redis_that_died(site: Site, redis: Redis, horde: HordeDouble) -> None:
    await_remembering(site, horde)
    redis.kill()
    asked = horde.calls[FIND_USER]
    assert_answers(site)
    assert assert_answers(site) < SOCKET_TIMEOUT
    assert horde.calls[FIND_USER] > asked
    redis.start()
    await_remembering(site, horde)


def test_a_redis_that_hangs_is_soon_left_alone(site: Site, redis: Redis, horde: HordeDouble) -> None:
    await_remembering(site, horde)
    redis.hang()
    try:
        assert assert_answers(site) < 2 * SOCKET_TIMEOUT
        assert assert_answers(site) < SOCKET_TIMEOUT
    finally:
        redis.resume()
    await_remembering(site, horde)
