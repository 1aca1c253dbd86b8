import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.core.cache import caches
from django.core.cache.backends.locmem import LocMemCache
from django.core.exceptions import ImproperlyConfigured

from config import caches as module
from config.caches import PassableRedisCache, cache_config

PREFIX = "HORDE_MODEL_REFERENCE_REDIS__"
SERVER = shutil.which("redis-server")


@pytest.fixture(autouse=True)
def unset(monkeypatch):
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        monkeypatch.delenv(name)


@pytest.fixture
def clock(monkeypatch):
    """Seconds that only the test lets pass."""

    class Clock:
        now = 1000.0

        def monotonic(self) -> float:
            return self.now

    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    return clock


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def redis_server(folder: Path, port: int) -> Iterator[subprocess.Popen]:
    command = [SERVER, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.02)
        yield process
    finally:
        process.kill()
        process.wait()


def redis_cache(port: int, monkeypatch, **variables: str) -> PassableRedisCache:
    given = {
        "USE_REDIS": "true",
        "URL": f"redis://127.0.0.1:{port}/3",
        "RETRY_MAX_ATTEMPTS": "0",
        **variables,
    }
    for name, value in given.items():
        monkeypatch.setenv(PREFIX + name, value)
    config = cache_config(ttl=60, is_used=True)
    parameters = {key: value for key, value in config.items() if key not in ("BACKEND", "LOCATION")}
    return PassableRedisCache(config["LOCATION"], parameters)


@pytest.fixture
def needs_redis():
    if SERVER is None:
        if os.environ.get("REQUIRE_ALL"):
            pytest.fail("redis-server is missing")
        pytest.skip("needs redis-server")


def test_each_process_remembers_for_itself_unless_told_otherwise():
    assert cache_config(ttl=60, is_used=True) == {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "KEY_PREFIX": "horde:model_ref",
        "TIMEOUT": 60,
    }
    assert isinstance(caches["default"], LocMemCache)


def test_every_variable_of_redis_is_used(monkeypatch):
    for name, value in {
        "USE_REDIS": "true",
        "URL": "rediss://:hidden@redis.example:6380/5",
        "POOL_SIZE": "7",
        "SOCKET_TIMEOUT": "1.5",
        "SOCKET_CONNECT_TIMEOUT": "2",
        "RETRY_MAX_ATTEMPTS": "4",
        "RETRY_BACKOFF_SECONDS": "0.25",
        "KEY_PREFIX": "mine",
        "TTL_SECONDS": "9",
    }.items():
        monkeypatch.setenv(PREFIX + name, value)
    config = cache_config(ttl=60, is_used=True)
    assert config["BACKEND"] == "config.caches.PassableRedisCache"
    assert config["LOCATION"] == "rediss://:hidden@redis.example:6380/5"
    assert (config["KEY_PREFIX"], config["TIMEOUT"]) == ("mine", 9)
    options = config["OPTIONS"]
    retry = options.pop("retry")
    assert options == {"max_connections": 7, "socket_timeout": 1.5, "socket_connect_timeout": 2.0}
    assert retry.get_retries() == 4
    assert retry._backoff.compute(1) == 0.5


@pytest.mark.parametrize("end", ["/store", "/0?socket_timeout=long", "/0?colour=red"])
def test_an_address_of_redis_that_would_fail_later_stops_the_start_and_is_not_repeated(monkeypatch, end):
    monkeypatch.setenv(f"{PREFIX}USE_REDIS", "true")
    monkeypatch.setenv(f"{PREFIX}URL", f"redis://:hidden@127.0.0.1:9{end}")
    with pytest.raises(ImproperlyConfigured, match="REDIS__URL must name a database") as caught:
        cache_config(ttl=60, is_used=True)
    assert "hidden" not in str(caught.value)


def test_a_replica_uses_no_redis(monkeypatch):
    monkeypatch.setenv(f"{PREFIX}USE_REDIS", "true")
    assert cache_config(ttl=60, is_used=False)["BACKEND"].endswith("LocMemCache")


def test_redis_needs_its_library(monkeypatch):
    monkeypatch.setenv(f"{PREFIX}USE_REDIS", "true")
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    with pytest.raises(ImproperlyConfigured, match="REDIS__USE_REDIS must be false without"):
        cache_config(ttl=60, is_used=True)


def test_what_one_process_keeps_another_finds(needs_redis, tmp_path, monkeypatch):
    port = free_port()
    with redis_server(tmp_path, port):
        one, other = (redis_cache(port, monkeypatch) for _ in range(2))
        stranger = redis_cache(port, monkeypatch, KEY_PREFIX="stranger")
        one.set("key", "value")
        assert other.get("key") == "value"
        assert stranger.get("key", "nothing") == "nothing"
        assert (other.add("key", "second"), one.get("key")) == (False, "value")
        assert other.delete("key") is True
        assert one.get("key") is None


def test_without_redis_nothing_is_found_and_nothing_fails(monkeypatch, caplog):
    cache = redis_cache(free_port(), monkeypatch, URL="redis://:hidden@127.0.0.1:1/0")
    assert cache.get("key", "nothing") == "nothing"
    assert cache.set("key", "value") is None
    assert cache.add("key", "value") is False
    assert cache.delete("key") is False
    assert [record.getMessage() for record in caplog.records] == [
        "The shared cache is down (ConnectionError); going on without it for 10 seconds."
    ]
    assert "hidden" not in caplog.text


def test_a_redis_that_dies_is_left_alone_for_a_while_and_found_again(
    needs_redis, tmp_path, monkeypatch, caplog, clock
):
    port = free_port()
    with redis_server(tmp_path, port):
        cache = redis_cache(port, monkeypatch)
        cache.set("key", "value")
        assert cache.get("key") == "value"
    assert cache.get("key") is None
    with redis_server(tmp_path, port):
        cache.set("key", "dropped")
        assert cache.get("key") is None
        clock.now += module.PAUSE_SECONDS
        assert cache.get("key") is None
        cache.set("key", "kept")
        assert cache.get("key") == "kept"
    assert len(caplog.records) == 1


def test_a_redis_that_never_answers_costs_its_timeout_once(monkeypatch):
    asked = []
    with socket.create_server(("127.0.0.1", 0)) as silent:
        cache = redis_cache(silent.getsockname()[1], monkeypatch, SOCKET_TIMEOUT="0.05")
        attempt = module.RedisCache.get
        monkeypatch.setattr(module.RedisCache, "get", lambda *given: asked.append(given) or attempt(*given))
        assert [cache.get(f"key-{number}") for number in range(50)] == [None] * 50
    assert len(asked) == 1
