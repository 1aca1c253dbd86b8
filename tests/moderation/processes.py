"""Real processes over stores that are thrown away: calls in new processes, forks, and live servers."""

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import requests
from django.db import connection, connections
from pytest_django import DjangoDbBlocker

from config.databases import database_config
from references import thread_store
from tests.benchmarks.servers import free_port

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 60
STOP_PATIENCE = 10
NOBODY = "http://127.0.0.1:9/api/"
KEYS = {"key-requestor": "Rita#101", "key-approver": "Ada#900", "key-approver2": "Ben#901"}
REQUESTOR, APPROVER, APPROVER2 = KEYS
_SETTINGS = {
    "DJANGO_SETTINGS_MODULE": "config.settings",
    "SECRET_KEY": "for tests, and long enough that nobody would ever guess it",
    "HORDE_URL": NOBODY,
    "HORDE_MODEL_REFERENCE_PENDING_QUEUE__REQUESTOR_IDS": '["101"]',
    "HORDE_MODEL_REFERENCE_PENDING_QUEUE__APPROVER_IDS": '["900", "901"]',
    "HORDE_MODEL_REFERENCE_STATIC_API_KEYS": json.dumps(KEYS),
}
_CALL = """
import json, pkgutil, sys
import django
django.setup()
print(json.dumps(pkgutil.resolve_name(sys.argv[1])(*json.loads(sys.argv[2]))))
"""
# A child begins with Django already set up, so that it costs next to nothing to kill it.
_FORK = multiprocessing.get_context("fork")


@dataclass(frozen=True, slots=True)
class Store:
    """A migrated store of its own, of the kind the suite runs on, with a folder for what belongs to it."""

    url: str
    folder: Path

    def environment(self, **variables: str) -> dict[str, str]:
        own = {"DATABASE_URL": self.url, "AIWORKER_CACHE_HOME": str(self.folder)}
        return {**os.environ, **_SETTINGS, **own, **variables}

    def manage(self, *arguments: str) -> str:
        """What the command prints; fails where the command does."""
        return self._output([sys.executable, "manage.py", *arguments])

    def call(self, function: Callable, *arguments: Any) -> Any:
        """What a function of a test module returns in a new process; all of it must go through JSON."""
        name = f"{function.__module__}:{function.__qualname__}"
        return json.loads(self._output([sys.executable, "-c", _CALL, name, json.dumps(arguments)]))

    @contextmanager
    def connected(self, blocker: DjangoDbBlocker) -> Iterator[None]:
        """Makes it the database of this process and its new threads."""
        with blocker.unblock(), default_database(**database_config(self.url)):
            yield

    def _output(self, command: Sequence[str]) -> str:
        done = subprocess.run(
            command, cwd=ROOT, env=self.environment(), capture_output=True, text=True, timeout=PATIENCE
        )
        assert done.returncode == 0, f"{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
        return done.stdout


@contextmanager
def default_database(**config: Any) -> Iterator[None]:
    """Makes what differs so from the default database the default of this thread and all new ones."""
    outer, settings = connections["default"], connections.databases["default"]
    connections.databases["default"] = settings | config
    del connections["default"]
    vars(thread_store.held).clear()
    try:
        yield
    finally:
        connections["default"].close()
        connections.databases["default"] = settings
        connections["default"] = outer
        vars(thread_store.held).clear()


@contextmanager
def throwaway_store(folder: Path) -> Iterator[Store]:
    with _database(folder) as url:
        store = Store(url, folder)
        store.manage("migrate", "--verbosity", "0")
        yield store


@contextmanager
def _database(folder: Path) -> Iterator[str]:
    if connection.vendor == "sqlite":
        yield f"sqlite:///{folder / 'store.sqlite3'}"
        return
    import psycopg  # an extra, which only deployments on PostgreSQL have

    server = urlsplit(os.environ["DATABASE_URL"])
    name = f"throwaway_{uuid4().hex}"
    with psycopg.connect(server._replace(path="/postgres").geturl(), autocommit=True) as maintenance:
        maintenance.execute(f"CREATE DATABASE {name}")
        try:
            yield server._replace(path=f"/{name}").geturl()
        finally:
            maintenance.execute(f"DROP DATABASE {name} WITH (FORCE)")


@dataclass(frozen=True, slots=True)
class Fork:
    """A forked process, and what it sends. `end.recv` raises EOFError once it is gone."""

    process: multiprocessing.Process
    end: Connection

    def kill(self) -> list[Any]:
        """Ends it at once, whatever it is doing; returns what it had sent and nobody had received."""
        self.process.kill()
        return self.left()

    def left(self) -> list[Any]:
        """Waits until it is gone; returns what it had sent and nobody had received."""
        sent = []
        with suppress(EOFError):
            while True:
                sent.append(self.end.recv())
        self.process.join(PATIENCE)
        return sent


def forked(act: Callable, *arguments: Any) -> Fork:
    """A process that does the act, started; it gets the end to send to as its last argument.

    It shares no connection with this one, which must have no threads.
    """
    connections.close_all()
    ours, theirs = _FORK.Pipe(duplex=False)
    process = _FORK.Process(target=act, args=(*arguments, theirs))
    process.start()
    # With a copy left open here, the end would not be noticed.
    theirs.close()
    return Fork(process, ours)


def forked_together(*acts: Callable[[], Any]) -> list[Any]:
    """What each act returned, after all were begun at once, each in a process of its own."""
    barrier = _FORK.Barrier(len(acts))
    forks = [forked(_report, act, barrier) for act in acts]
    return [outcome for fork in forks for outcome in fork.left()]


def _report(act: Callable[[], Any], barrier: Barrier, end: Connection) -> None:
    connection.ensure_connection()
    barrier.wait(PATIENCE)
    end.send(act())


def at_once(*calls: Callable[[], requests.Response]) -> list[requests.Response]:
    """The answers to calls made at the same moment."""
    barrier = threading.Barrier(len(calls))

    def call(one: Callable[[], requests.Response]) -> requests.Response:
        barrier.wait(PATIENCE)
        return one()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(call, calls))


@dataclass(frozen=True, slots=True)
class Site:
    """A running server. `log` is all it wrote to its standard output and error."""

    base: str
    log: Path

    def send(self, method: str, path: str, body: Any = None, *, key: str | None = None) -> requests.Response:
        """The answer to one request, on a connection of its own."""
        headers = {"Connection": "close"} | ({} if key is None else {"apikey": key})
        return requests.request(
            method, f"{self.base}/{path}", json=body, headers=headers, timeout=PATIENCE, allow_redirects=False
        )

    def logged(self) -> str:
        return self.log.read_text(errors="replace")


@contextmanager
def live_server(store: Store, *, workers: int = 2, **variables: str) -> Iterator[Site]:
    port = free_port()
    log = store.folder / f"serve-{port}.log"
    command = [sys.executable, "manage.py", "serve", "--port", str(port), "--workers", str(workers)]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=store.environment(**variables),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    site = Site(f"http://127.0.0.1:{port}/api", log)
    try:
        _wait_for_answer(site, process)
        yield site
    finally:
        _stop(process)


def _wait_for_answer(site: Site, process: subprocess.Popen) -> None:
    deadline = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < deadline:
        with suppress(requests.ConnectionError):
            site.send("GET", "heartbeat")
            return
        time.sleep(0.05)
    raise AssertionError(f"No server on {site.base}:\n{site.logged()[-4000:]}")


def _stop(process: subprocess.Popen) -> None:
    process.terminate()
    try:
        process.wait(STOP_PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    # It leads a session of its own: a worker that outlived it goes too.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
