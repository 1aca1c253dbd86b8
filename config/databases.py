"""Turns DATABASE_URL into Django's database setting."""

import os
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError
from django.db.backends.base.base import BaseDatabaseWrapper

# Write-ahead logging lets readers go on while one writes. IMMEDIATE takes the write lock when a transaction
# begins: a transaction that reads first and writes later would otherwise fail instead of waiting its turn.
SQLITE_OPTIONS = {
    "timeout": 20,
    "transaction_mode": "IMMEDIATE",
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-16000;",
}
# Seconds and milliseconds after which a server that is out of reach counts as gone; by themselves, systems wait for
# minutes. What DATABASE_URL says comes first (https://www.postgresql.org/docs/current/libpq-connect.html).
POSTGRES_OPTIONS = {
    "connect_timeout": "3",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "15000",
}


def database_config(url: str) -> dict:
    """`sqlite:///path` (relative), `sqlite:////path` (absolute) or `postgres://user:password@host:port/name?…`.

    Raises ImproperlyConfigured for any other URL. The message does not repeat it: it may hold a password.
    """
    try:
        parts = urlsplit(url)
        # Reading the port is what finds a wrong one.
        parts.port  # noqa: B018
    except ValueError:
        raise ImproperlyConfigured("DATABASE_URL is not a valid URL.") from None
    if parts.scheme == "sqlite":
        return _sqlite_config(parts)
    if parts.scheme in {"postgres", "postgresql"}:
        return _postgres_config(parts)
    raise ImproperlyConfigured("DATABASE_URL must begin with sqlite:// or postgres://.")


def connection_problem(database: BaseDatabaseWrapper) -> str | None:
    """Why nobody can connect to the database, in a line that may be shown; None where one can."""
    try:
        database.ensure_connection()
    except DatabaseError as error:
        settings = database.settings_dict
        server = f"{settings['HOST']}:{settings['PORT']}".rstrip(":")
        shown = f"{server}/{settings['NAME']}" if server else settings["NAME"]
        reason = " ".join(str(error).split())
        return f"No connection to DATABASE_URL ({shown}): {reason}"
    return None


def _sqlite_config(parts: SplitResult) -> dict:
    path = unquote(parts.path)[1:]
    # With two slashes, the first folder would stand where a host does, and be left out.
    if not path or parts.netloc:
        raise ImproperlyConfigured("DATABASE_URL names no SQLite file; write sqlite:///path/to/file.sqlite3.")
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": path if path == ":memory:" else str(_file(Path(path).absolute())),
        "CONN_MAX_AGE": None,
        "OPTIONS": SQLITE_OPTIONS,
    }


def _postgres_config(parts: SplitResult) -> dict:
    name = unquote(parts.path).lstrip("/")
    if not name:
        raise ImproperlyConfigured("DATABASE_URL names no PostgreSQL database.")
    options = POSTGRES_OPTIONS | dict(parse_qsl(parts.query))
    _options_check(options)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        "HOST": parts.hostname or "",
        "PORT": str(parts.port or ""),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        # A connection a thread, kept: a deployment opens workers x threads of them, and no more.
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": options,
    }


def _options_check(options: dict[str, str]) -> None:
    """Options with names that PostgreSQL does not know would be found out by the first query."""
    if find_spec("psycopg") is None:
        # Django says so when it loads its part for PostgreSQL.
        return
    from psycopg import ProgrammingError
    from psycopg.conninfo import make_conninfo

    try:
        make_conninfo(**options)
    except ProgrammingError as error:
        raise ImproperlyConfigured(f"DATABASE_URL: {str(error).strip()}.") from None


def _file(path: Path) -> Path:
    """A file that SQLite can open; it writes beside it too."""
    if path.is_dir():
        raise ImproperlyConfigured(f"DATABASE_URL must name a file: {path} is a folder.")
    if not path.parent.is_dir():
        raise ImproperlyConfigured(f"DATABASE_URL must name a file in a folder that exists: {path.parent}.")
    if not os.access(path.parent, os.W_OK | os.X_OK) or (path.exists() and not os.access(path, os.W_OK)):
        raise ImproperlyConfigured(f"DATABASE_URL must name a file that can be written: {path}.")
    if not path.exists():
        # What is kept there is for its owner; SQLite gives the files beside it the same permissions.
        path.touch(mode=0o600)
    return path
