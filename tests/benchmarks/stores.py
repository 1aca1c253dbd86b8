"""Throw-away stores: the real records, and as many made-up ones besides as a size asks for."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from tests.benchmarks.data import records
from tests.benchmarks.double import APPROVER_ID, REQUESTOR_ID
from tests.benchmarks.load import LoadError
from tests.benchmarks.servers import ROOT

LEGACY_FILES = ROOT.parent / "shared" / "data" / "legacy"
REAL = "real data"
PREFIX = "HORDE_MODEL_REFERENCE_"
# Variables of the machine that would change what is measured.
_OWN_VARIABLES = (
    "DATABASE_URL",
    "DEBUG",
    "HORDE_URL",
    "AI_HORDE_URL",
    "AIWORKER_CACHE_HOME",
    "ALLOWED_HOSTS",
)


@dataclass(frozen=True, slots=True)
class Size:
    """How many made-up image models a store holds besides the real records."""

    label: str
    made_up: int

    @classmethod
    def parse(cls, text: str) -> "Size":
        if text == "real":
            return cls(REAL, 0)
        number = int(text.removesuffix("k")) * (1000 if text.endswith("k") else 1)
        return cls(f"{number:,}", number)


@dataclass(frozen=True, slots=True)
class Store:
    """A database, by the environment in which `manage.py` finds it."""

    size: Size
    env: Mapping[str, str]

    def manage(self, *arguments: str) -> float:
        """Runs a command; returns how long it took, in seconds."""
        begun = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=dict(self.env),
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise LoadError(f"manage.py {arguments[0]} failed:\n{(done.stdout + done.stderr)[-2000:]}")
        return time.perf_counter() - begun

    def import_real(self) -> float:
        if LEGACY_FILES.is_dir():
            return self.manage("import_legacy", str(LEGACY_FILES))
        return self.manage("load_starter")

    def import_made_up(self, folder: Path) -> float:
        """Adds the made-up image models of the store's size."""
        folder.mkdir()
        made_up = dict(records(self.size.made_up))
        (folder / "image_generation.json").write_text(json.dumps(made_up))
        return self.manage("import_v2", str(folder))


@contextmanager
def store(size: Size, folder: Path, *, horde_url: str, server_url: str) -> Iterator[Store]:
    """An empty store with its tables; gone afterwards.

    It is a database of its own on the PostgreSQL server of `server_url`, or else an SQLite file.
    """
    folder.mkdir()
    if urlsplit(server_url).scheme in {"postgres", "postgresql"}:
        with _postgres_database(server_url) as url:
            made = Store(size, _environment(folder, database_url=url, horde_url=horde_url))
            made.manage("migrate", "--noinput")
            yield made
        return
    made = Store(
        size, _environment(folder, database_url=f"sqlite:///{folder}/store.sqlite3", horde_url=horde_url)
    )
    made.manage("migrate", "--noinput")
    yield made


def _environment(folder: Path, *, database_url: str, horde_url: str) -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in _OWN_VARIABLES and not name.startswith((PREFIX, "REDIS"))
    }
    return kept | {
        "DATABASE_URL": database_url,
        "SECRET_KEY": "only for measuring, and long enough not to be warned of, 50",
        "HORDE_URL": horde_url,
        "AIWORKER_CACHE_HOME": str(folder),
        f"{PREFIX}PENDING_QUEUE__REQUESTOR_IDS": REQUESTOR_ID,
        f"{PREFIX}PENDING_QUEUE__APPROVER_IDS": APPROVER_ID,
        # No refresh of the figures falls into a measurement.
        f"{PREFIX}HORDE_API_CACHE_TTL": "86400",
    }


@contextmanager
def _postgres_database(server_url: str) -> Iterator[str]:
    import psycopg
    from psycopg.sql import SQL, Identifier

    name = f"model_reference_bench_{os.getpid()}_{time.monotonic_ns()}"
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
    try:
        yield urlunsplit(urlsplit(server_url)._replace(path=f"/{name}"))
    finally:
        with psycopg.connect(server_url, autocommit=True) as connection:
            connection.execute(SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(Identifier(name)))
