"""The cache that the processes of a deployment share: Redis where there is one, each process's memory otherwise."""

import logging
import time
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit

from django.core.cache.backends.redis import RedisCache
from django.core.exceptions import ImproperlyConfigured

from config.environment import PREFIX, boolean, number, text, url

logger = logging.getLogger(__name__)

# Seconds without another attempt after a failure: a Redis that does not answer costs its timeout each time.
PAUSE_SECONDS = 10.0
# When a Redis that failed is asked again, by its URL. Each thread has a cache object of its own; what one of them
# found out must not cost the others the same.
_resumes_at: dict[str, float] = {}


def cache_config(*, ttl: int, is_used: bool) -> dict[str, Any]:
    """Django's setting of one cache, from the REDIS__ variables; in memory unless they are to be used."""
    prefix = f"{PREFIX}REDIS__"
    use_redis = boolean(f"{prefix}USE_REDIS", default=False)
    location = url(f"{prefix}URL", default="redis://localhost:6379/0", schemes=("redis", "rediss"))
    options = {
        "max_connections": number(f"{prefix}POOL_SIZE", default=10, minimum=1),
        "socket_timeout": number(f"{prefix}SOCKET_TIMEOUT", default=5, minimum=0.01, kind=float),
        "socket_connect_timeout": number(
            f"{prefix}SOCKET_CONNECT_TIMEOUT", default=5, minimum=0.01, kind=float
        ),
    }
    attempts = number(f"{prefix}RETRY_MAX_ATTEMPTS", default=3, minimum=0)
    backoff = number(f"{prefix}RETRY_BACKOFF_SECONDS", default=0.5, minimum=0, kind=float)
    common = {
        "KEY_PREFIX": text(f"{prefix}KEY_PREFIX", default="horde:model_ref"),
        "TIMEOUT": number(f"{prefix}TTL_SECONDS", default=ttl, minimum=1),
    }
    if not (use_redis and is_used):
        return {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", **common}
    if find_spec("redis") is None:
        raise ImproperlyConfigured(f'{prefix}USE_REDIS must be false without the extra "redis".')
    _address_check(f"{prefix}URL", location)
    return {
        "BACKEND": "config.caches.PassableRedisCache",
        "LOCATION": location,
        "OPTIONS": {**options, "retry": _retries(attempts, backoff)},
        **common,
    }


def _address_check(name: str, location: str) -> None:
    """The client takes any other database for the first, and finds its options out when it first connects."""
    from redis import ConnectionPool

    database = urlsplit(location).path.strip("/")
    is_usable = not database or database.isdecimal()
    try:
        ConnectionPool.from_url(location).make_connection()
    except (TypeError, ValueError):
        is_usable = False
    if not is_usable:
        raise ImproperlyConfigured(f"{name} must name a database by its number, and known options alone.")


def _retries(attempts: int, backoff: float) -> Any:
    """For connections that fail. A Redis that hangs would only be waited for again, with every thread in turn."""
    from redis.backoff import ExponentialBackoff
    from redis.exceptions import ConnectionError
    from redis.retry import Retry

    return Retry(ExponentialBackoff(base=backoff, cap=max(backoff, 2.0)), attempts, (ConnectionError,))


class PassableRedisCache(RedisCache):
    """A cache that may be gone: reads then find nothing, writes are dropped, and the log has one line a pause."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._server = server

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        return self._attempt(lambda: RedisCache.get(self, key, default, version), default)

    def set(self, key: str, value: Any, *args: Any, **kwargs: Any) -> None:
        self._attempt(lambda: RedisCache.set(self, key, value, *args, **kwargs), None)

    def add(self, key: str, value: Any, *args: Any, **kwargs: Any) -> bool:
        return self._attempt(lambda: RedisCache.add(self, key, value, *args, **kwargs), False)

    def delete(self, key: str, version: int | None = None) -> bool:
        return self._attempt(lambda: RedisCache.delete(self, key, version), False)

    def _attempt(self, call: Callable[[], Any], otherwise: Any) -> Any:
        from redis.exceptions import RedisError

        resumes_at = _resumes_at.get(self._server)
        if resumes_at is not None:
            if time.monotonic() < resumes_at:
                return otherwise
            # This thread finds out whether it is back; the others do not wait for it.
            self._pause()
        try:
            answer = call()
        except RedisError as error:
            # Threads that were asking too when the first one failed have nothing to add.
            if resumes_at is not None or self._server not in _resumes_at:
                # The error's own text may repeat the address, and with it a password.
                logger.warning(
                    "The shared cache is down (%s); going on without it for %.0f seconds.",
                    type(error).__name__,
                    PAUSE_SECONDS,
                )
            self._pause()
            return otherwise
        if resumes_at is not None:
            _resumes_at.pop(self._server, None)
        return answer

    def _pause(self) -> None:
        _resumes_at[self._server] = time.monotonic() + PAUSE_SECONDS
