"""Starts the service, nginx and the server alone on free ports of this machine, and stops what it started."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.alone import FOLDER, answer_write
from tests.benchmarks.load import HOST, LoadError, Reply, Request, UnreachableError, fetch

ROOT = Path(__file__).resolve().parents[2]
START_PATIENCE = 120
STOP_PATIENCE = 10
LOG_TAIL = 1500
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")

_NGINX_CONFIG = """
daemon off;
master_process off;
pid {folder}/pid;
error_log {folder}/error.log;
events {{ worker_connections 256; }}
http {{
  access_log off;
  sendfile on;
  tcp_nopush on;
  open_file_cache max=100;
  keepalive_requests 100000000;
  default_type application/json;
  client_body_temp_path {folder}/1;
  proxy_temp_path {folder}/2;
  fastcgi_temp_path {folder}/3;
  uwsgi_temp_path {folder}/4;
  scgi_temp_path {folder}/5;
  server {{
    listen {host}:{port};
    root {folder}/files;
    location /gzip/ {{ add_header Content-Encoding gzip; }}
  }}
}}
"""


@dataclass(frozen=True, slots=True)
class Site:
    """A running server over one store. `first_answer` is the seconds from its start to its first answer."""

    label: str
    port: int
    pid: int
    first_answer: float

    def fetch(self, request: Request) -> bytes:
        return fetch(self.port, request).body


class NginxSite:
    """Serves what is published to it."""

    def __init__(self, port: int, files: Path) -> None:
        self.port = port
        self.files = files

    def publish(self, reply: Reply) -> Request:
        """The request that gets these bytes back."""
        folder = reply.headers.get("content-encoding", "plain")
        (self.files / folder).mkdir(parents=True, exist_ok=True)
        name = f"{folder}/{len(list(self.files.rglob('*.json')))}.json"
        (self.files / name).write_bytes(reply.body)
        return _published(self.port, Request(f"/{name}"), reply)


class ServerAlone:
    """The server that the service runs on, with what is published to it and nothing else to do."""

    # It adds these itself.
    own_headers = frozenset({"server", "date"})

    def __init__(self, port: int, answers: Path) -> None:
        self.port = port
        self.answers = answers

    def publish(self, reply: Reply) -> Request:
        """The request that gets these bytes back, under the same headers."""
        name = str(len(list(self.answers.iterdir())))
        headers = {key: value for key, value in reply.headers.items() if key not in self.own_headers}
        answer_write(self.answers / name, headers, reply.body)
        return _published(self.port, Request(f"/{name}"), reply)


def _published(port: int, request: Request, reply: Reply) -> Request:
    if fetch(port, request).body != reply.body:
        raise LoadError(f"{request.path} is not what was published there")
    return request


@contextmanager
def application(label: str, env: Mapping[str, str], folder: Path, *, first: Request) -> Iterator[Site]:
    """The service with one worker; ready once it answered `first`."""
    port = free_port()
    log = folder / f"serve-{port}.log"
    command = [sys.executable, "manage.py", "serve", "--host", HOST, "--port", str(port), "--workers", "1"]
    begun = time.perf_counter()
    with _running(command, env=env, log=log) as process:
        _wait_for_answer(process, port, first, log)
        yield Site(label, port, process.pid, time.perf_counter() - begun)


@contextmanager
def nginx(folder: Path) -> Iterator[NginxSite]:
    """nginx with one process, as the service has one worker."""
    port = free_port()
    files = folder / "files"
    files.mkdir()
    (files / "up").write_text("{}")
    config = folder / "nginx.conf"
    config.write_text(_NGINX_CONFIG.format(folder=folder, host=HOST, port=port))
    log = folder / "error.log"
    command = [str(NGINX), "-p", str(folder), "-e", str(log), "-c", str(config)]
    with _running(command, env=os.environ, log=folder / "output.log") as process:
        _wait_for_answer(process, port, Request("/up"), log)
        yield NginxSite(port, files)


@contextmanager
def server_alone(folder: Path) -> Iterator[ServerAlone]:
    """One worker with one thread: more of them only wait for each other where none waits for anything else."""
    port = free_port()
    answers = folder / "answers"
    answer_write(answers / "up", {"Content-Type": "application/json"}, b"{}")
    log = folder / "output.log"
    command = [sys.executable, "-m", "granian", "tests.benchmarks.alone:application", "--interface", "wsgi"]
    command += ["--host", HOST, "--port", str(port), "--workers", "1", "--blocking-threads", "1"]
    command += ["--no-ws", "--log-level", "warning"]
    with _running(command, env=os.environ | {FOLDER: str(answers)}, log=log) as process:
        _wait_for_answer(process, port, Request("/up"), log)
        yield ServerAlone(port, answers)


def free_port() -> int:
    with socket.socket() as held:
        held.bind((HOST, 0))
        return held.getsockname()[1]


def worker_memory(pid: int) -> int | None:
    """Resident bytes of the largest process below `pid`, its worker; None where the system does not tell."""
    sizes = [size for child in _descendants(pid) if (size := _resident(child)) is not None]
    return max(sizes, default=None)


@contextmanager
def _running(command: Sequence[str], *, env: Mapping[str, str], log: Path) -> Iterator[subprocess.Popen]:
    # In a session of its own, Ctrl-C in the terminal reaches this program alone, which then stops the server.
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        _stop(process)


def _stop(process: subprocess.Popen) -> None:
    process.terminate()
    try:
        process.wait(STOP_PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    # What it started is in its session; a worker that outlived its parent goes too.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def _wait_for_answer(process: subprocess.Popen, port: int, request: Request, log: Path) -> None:
    deadline = time.monotonic() + START_PATIENCE
    while True:
        try:
            fetch(port, request)
            return
        except UnreachableError as error:
            if process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.005)
                continue
            said = log.read_text(errors="replace")[-LOG_TAIL:]
            raise LoadError(f"No answer from {process.args[1]} on port {port}.\n{said}") from error


def _descendants(pid: int) -> list[int]:
    children: list[int] = []
    for listing in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            children += map(int, listing.read_text().split())
    return children + [below for child in children for below in _descendants(child)]


def _resident(pid: int) -> int | None:
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
    return None
