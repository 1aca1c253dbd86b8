"""A PRIMARY and its REPLICAs as processes: what is applied reaches all of them, whatever happens on the way."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import requests

from references.categories import CATEGORIES
from tests.hordedouble import HordeDouble, running_horde
from tests.moderation.processes import (
    APPROVER,
    KEYS,
    PATIENCE,
    REQUESTOR,
    Site,
    Store,
    live_server,
    throwaway_store,
)
from tests.recorded import legacy_dir

V2 = "model_references/v2"
IMAGES = f"{V2}/image_generation"
PATHS = [f"model_references/{version}/{name}" for version in ("v1", "v2") for name in CATEGORIES]
PASSED_ON = ("ETag", "Last-Modified", "X-Model-Reference-Revision", "Content-Type")
ALL_IS_WELL = "all is as the log says"
SETTINGS = {"HORDE_MODEL_REFERENCE_STATIC_API_KEYS": ""}


class Line(ThreadingHTTPServer):
    """The way from the REPLICAs to the PRIMARY at `target`, None while there is none; `mode` is how it is broken.

    Modes: ok, down, cut (in the middle of the body), slow, html, or a status. `broken` counts calls it spoiled.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.target: str | None = None
        self.mode = "ok"
        self.broken: Counter[str] = Counter()
        self.closing = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/api"

    def handle_error(self, request: object, client_address: object) -> None:
        """Callers that hang up are part of the game."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Line

    def do_GET(self) -> None:
        mode = self.server.mode
        headers = {"Accept-Encoding": "identity", "If-None-Match": self.headers.get("If-None-Match", "")}
        try:
            answer = requests.get(
                f"{self.server.target}{self.path.removeprefix('/api')}", headers=headers, timeout=PATIENCE
            )
        except requests.RequestException:
            mode = "down"
        if mode != "ok":
            self.server.broken[mode] += 1
        if mode == "ok":
            told = {name: answer.headers[name] for name in PASSED_ON if name in answer.headers}
            self._reply(answer.status_code, answer.content, told)
        elif mode == "html":
            self._reply(200, b"<html>Back soon</html>")
        elif mode.isdigit():
            self._reply(int(mode), b"no")
        else:
            if mode == "slow":
                self.server.closing.wait(3)
            elif mode == "cut":
                self._reply(200, answer.content[: len(answer.content) // 2], {"Content-Length": "10000000"})
            self.close_connection = True

    def _reply(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def running_line() -> Iterator[Line]:
    with Line() as line:
        thread = threading.Thread(target=line.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield line
        finally:
            line.closing.set()
            line.shutdown()


@contextmanager
def running_primary(store: Store, line: Line, horde: HordeDouble) -> Iterator[Site]:
    with live_server(store, workers=1, HORDE_URL=horde.url, **SETTINGS) as site:
        line.target = site.base
        yield site


def replica_server(store: Store, line: Line, horde: HordeDouble, *, workers: int = 1):
    prefix = "HORDE_MODEL_REFERENCE_"
    variables = {
        f"{prefix}REPLICATE_MODE": "REPLICA",
        f"{prefix}PRIMARY_API_URL": line.url,
        f"{prefix}PRIMARY_API_TIMEOUT": "1",
        f"{prefix}PRIMARY_API_BACKOFF_SECONDS": "0",
        f"{prefix}CACHE_TTL_SECONDS": "1",
        f"{prefix}ENABLE_GITHUB_FALLBACK": "false",
    }
    return live_server(store, workers=workers, HORDE_URL=horde.url, **variables, **SETTINGS)


def read(site: Site) -> dict[str, tuple[int, bytes, str | None]]:
    """All that a site serves: status, body and entity tag by path. Errors differ from mode to mode."""
    answers = {path: site.send("GET", path) for path in PATHS}
    return {
        path: (answer.status_code, answer.content, answer.headers.get("ETag"))
        for path, answer in answers.items()
        if answer.status_code == 200
    }


def until(is_so: Callable[[], bool], why: Callable[[], str]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < deadline, why()
        time.sleep(0.1)


def apply(primary: Site, name: str) -> None:
    """Has a new model proposed, approved and applied."""
    record = {"name": name, "baseline": "stable_diffusion_xl", "nsfw": False}
    proposed = primary.send("POST", IMAGES, record, key=REQUESTOR)
    assert proposed.status_code == 202, proposed.text
    change = proposed.json()["change_id"]
    review = {"batch_title": name, "approved_ids": [change]}
    assert primary.send("POST", f"{V2}/pending_queue/batches", review, key=APPROVER).status_code == 200
    applied = primary.send("POST", f"{V2}/pending_queue/changes/{change}/apply", {}, key=APPROVER)
    assert applied.status_code == 200, applied.text


@pytest.fixture
def horde() -> Iterator[HordeDouble]:
    with running_horde() as horde:
        horde.users |= KEYS
        yield horde


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[list[Store]]:
    """Of the PRIMARY, of one REPLICA, and of another one that two servers share."""
    folders = [tmp_path / name for name in ("primary", "alone", "shared")]
    for folder in folders:
        folder.mkdir()
    with (
        throwaway_store(folders[0]) as primary,
        throwaway_store(folders[1]) as alone,
        throwaway_store(folders[2]) as shared,
    ):
        primary.manage("import_legacy", str(legacy_dir()), "--verbosity", "0")
        yield [primary, alone, shared]


def test_replicas_serve_and_catch_up_whatever_happens_to_their_primary(stores, horde):
    source, alone, shared = stores
    with (
        running_line() as line,
        replica_server(alone, line, horde, workers=2) as first,
        replica_server(shared, line, horde) as second,
        replica_server(shared, line, horde) as third,
    ):
        replicas = (first, second, third)

        def catch_up(primary: Site) -> dict:
            wanted = read(primary)
            for site in replicas:
                until(lambda site=site: read(site) == wanted, lambda site=site: site.logged()[-4000:])
            return wanted

        def spoil(mode: str, held: dict) -> None:
            """Waits until both followers met the fault more than once; all sites serve what they did before."""
            until(lambda: line.broken[mode] > 3, lambda: f"{mode}: {line.broken}")
            assert [read(site) == held for site in replicas] == [True] * 3

        until(lambda: line.broken["down"] > 3, lambda: str(line.broken))
        assert {first.send("GET", path).status_code for path in (IMAGES, "model_references/v1/clip")} == {503}
        with running_primary(source, line, horde) as primary:
            held = catch_up(primary)
            assert len(held) == 22
            apply(primary, "applied in peace")
            held = catch_up(primary)
            assert b"applied in peace" in held["model_references/v1/image_generation"][1]
            for mode in ("cut", "slow", "500", "html"):
                line.mode = mode
                apply(primary, f"applied while {mode}")
                spoil(mode, held)
                line.mode = "ok"
                held = catch_up(primary)
        line.broken.clear()
        spoil("down", held)
        with running_primary(source, line, horde) as primary:
            apply(primary, "applied after a restart")
            catch_up(primary)
        refused = third.send("POST", IMAGES, {}, key=APPROVER)
        assert (refused.status_code, "REPLICA mode" in refused.json()["detail"]) == (503, True)
    for site in replicas:
        assert "Traceback" not in site.logged()
    for store in stores:
        assert ALL_IS_WELL in store.manage("rebuild_from_audit", "--check")
