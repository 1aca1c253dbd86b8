"""A PostgreSQL and a Redis of a test's own: started, stopped, killed and held as the test wants."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.benchmarks.servers import free_port
from tests.moderation.processes import Store

PATIENCE = 60
# What `rebuild_from_audit --check` says of a store that the log explains.
ALL_IS_WELL = "all is as the log says"
# The server refuses to run as root; Debian's package comes with this user.
POSTGRES_USER = "postgres"
REDIS = shutil.which("redis-server")


def part_missing(what: str) -> None:
    """Fails where everything has to be there, else skips."""
    if os.environ.get("REQUIRE_ALL"):
        pytest.fail(f"{what} is missing")
    pytest.skip(f"needs {what}")


class Postgres:
    """A cluster in a folder of its own."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self.programs = programs
        self.folder = folder
        self.port = free_port()
        self._run("initdb", "--auth=trust", f"--username={POSTGRES_USER}", "--encoding=UTF8", "--locale=C")

    @property
    def url(self) -> str:
        return f"postgres://{POSTGRES_USER}@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        """Returns once it lets clients in."""
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories=''"
        self._run("pg_ctl", "start", "--wait", "-l", str(self.folder / "log"), "-o", options)

    def stop(self, mode: str) -> None:
        """`fast` disconnects clients and tidies up; `immediate` is a crash, which the next start recovers from."""
        self._run("pg_ctl", "stop", "--wait", "-m", mode)

    def discard(self) -> None:
        if (self.folder / "data" / "postmaster.pid").exists():
            self.stop("immediate")

    def _run(self, program: str, *arguments: str) -> None:
        is_root = os.geteuid() == 0
        subprocess.run(
            [self.programs / program, *arguments, "-D", str(self.folder / "data")],
            cwd=self.folder,
            check=True,
            # What it starts keeps these open.
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=PATIENCE,
            user=POSTGRES_USER if is_root else None,
            group=POSTGRES_USER if is_root else None,
            extra_groups=[] if is_root else None,
        )


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    programs = max(Path("/usr/lib/postgresql").glob("*/bin"), key=_version, default=None)
    if programs is None:
        part_missing("PostgreSQL")
    # The folders of tests are closed to other users.
    folder = Path(tempfile.mkdtemp(prefix="postgres-"))
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, POSTGRES_USER, POSTGRES_USER)
        postgres = Postgres(programs, folder)
        try:
            postgres.start()
            yield postgres
        finally:
            postgres.discard()
    finally:
        shutil.rmtree(folder)


def _version(programs: Path) -> int:
    return int(programs.parent.name)


def migrated(url: str, folder: Path) -> Store:
    """A store with the starter catalogue."""
    store = Store(url, folder)
    store.manage("migrate", "--verbosity", "0")
    store.manage("load_starter")
    return store


class Redis:
    """A server that keeps nothing when it ends."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self._process: subprocess.Popen | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Returns once it lets clients in."""
        self._process = subprocess.Popen(
            [REDIS, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port)):
                return
            time.sleep(0.02)
        raise AssertionError("redis-server does not listen")

    def hang(self) -> None:
        """It takes connections and answers nothing, until `resume`."""
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()


@contextmanager
def running_redis(folder: Path) -> Iterator[Redis]:
    if REDIS is None:
        part_missing("redis-server")
    redis = Redis(folder)
    redis.start()
    try:
        yield redis
    finally:
        redis.kill()
