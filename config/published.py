"""Published variables that a deployment may set and that change nothing here; their values are checked all the same.

Queue and log lie in the database, not in files; figures are kept by the AI-Horde copies in the database; no process
needs to be told of another one's write, because each read asks for the revision.
"""

from config.environment import PREFIX, boolean, number, text, url

_TEXTS = (
    "PENDING_QUEUE__RELATIVE_SUBDIR",
    "PENDING_QUEUE__ROOT_PATH_OVERRIDE",
    "AUDIT__RELATIVE_SUBDIR",
    "AUDIT__ROOT_PATH_OVERRIDE",
)
_URLS = ("R2__GATEWAY_URL",)
_FLAGS = ("MAKE_FOLDERS", "ENABLE_STATISTICS_PRECOMPUTE", "CACHE_HYDRATION_ENABLED", "REDIS__USE_PUBSUB")
_NUMBERS = {
    "PENDING_QUEUE__MAX_SEGMENT_BYTES": 5_242_880,
    "AUDIT__MAX_SEGMENT_BYTES": 5_242_880,
    "CACHE_HYDRATION_INTERVAL_SECONDS": 240,
    "CACHE_HYDRATION_STALE_TTL_SECONDS": 3600,
    "CACHE_HYDRATION_STARTUP_DELAY_SECONDS": 5,
}
# Of the tools that upload mirrors of files, whose names nobody lists.
FOREIGN_PREFIXES = (f"{PREFIX}R2__UPLOAD_",)


def without_effect_check() -> None:
    """Raises ImproperlyConfigured for a value that is none of its kind."""
    for name in _TEXTS:
        text(PREFIX + name)
    for name in _URLS:
        url(PREFIX + name)
    for name in _FLAGS:
        boolean(PREFIX + name, default=False)
    for name, default in _NUMBERS.items():
        number(PREFIX + name, default=default, minimum=0)
