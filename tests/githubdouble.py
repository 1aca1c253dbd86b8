"""A small GitHub on a free local port: raw files, the REST calls of a pull request, and a service to sync."""

import base64
import gzip
import hashlib
import json
import re
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.conf import LazySettings

RAW_PREFIX = "/raw/https://raw.githubusercontent.com/"
API_PREFIX = "/api"
PRIMARY_PREFIX = "/primary/"
IMAGES = "Haidra-Org/AI-Horde-image-model-reference"
TEXTS = "Haidra-Org/AI-Horde-text-model-reference"
TOKEN = "token-of-the-double"  # noqa: S105
APP_TOKEN = "token-of-the-app"  # noqa: S105


_BODIES = {
    "html": b"<html>busy</html>",
    "object": b"{}",
    "text": b'"ok"',
    "list": b"[1]",
    "deep": b"[" * 5000,
}


class RepositoryDouble:
    """One repository: its objects by their names, its branches, and the pull requests in it."""

    def __init__(self, full_name: str, files: dict[str, bytes]) -> None:
        self.full_name = full_name
        self.blobs: dict[str, bytes] = {}
        self.trees: dict[str, dict[str, str]] = {}
        self.commits: dict[str, dict[str, Any]] = {}
        self.branches: dict[str, str] = {}
        self.pulls: list[dict[str, Any]] = []
        self.commit("main", files)

    def commit(self, branch: str, files: dict[str, bytes]) -> str:
        """Puts files onto a branch, as somebody else would."""
        parent = self.branches.get(branch, self.branches.get("main"))
        held = self.trees[self.commits[parent]["tree"]] if parent else {}
        tree = self.tree_add({**held, **{path: self.blob_add(content) for path, content in files.items()}})
        self.branches[branch] = self.commit_add("by hand", tree, [parent] if parent else [])
        return self.branches[branch]

    def blob_add(self, content: bytes) -> str:
        return self._add(self.blobs, content, content)

    def tree_add(self, entries: dict[str, str]) -> str:
        return self._add(self.trees, entries, repr(sorted(entries.items())).encode())

    def commit_add(self, message: str, tree: str, parents: list[str]) -> str:
        commit = {"message": message, "tree": tree, "parents": parents}
        return self._add(self.commits, commit, f"{len(self.commits)}{commit}".encode())

    def pull_add(self, branch: str, *, fork: str | None = None, **fields: Any) -> dict[str, Any]:
        number = len(self.pulls) + 1
        pull = {
            "number": number,
            "html_url": f"https://github.example/{self.full_name}/pull/{number}",
            "state": "open",
            "head": {
                "ref": branch,
                "sha": self.branches.get(branch, self.branches["main"]),
                "repo": {"full_name": fork or self.full_name},
            },
            "base": {"ref": "main"},
            "labels": [],
            "reviewers": {},
            **fields,
        }
        self.pulls.append(pull)
        return pull

    def files(self, commit: str) -> dict[str, bytes]:
        tree = self.trees[self.commits[commit]["tree"]]
        return {path: self.blobs[blob] for path, blob in tree.items()}

    def _add(self, objects: dict[str, Any], value: Any, identity: bytes) -> str:
        name = hashlib.sha256(identity).hexdigest()[:40]
        objects[name] = value
        return name


class GitHubDouble(ThreadingHTTPServer):
    """`modes` says how calls are answered whose path holds the key, each list from its start; none is well.

    Modes: down (the connection is cut), cut (in the middle of the body), drip (a byte at a time, without end),
    bomb (little that unpacks to much), html, object, text, list and deep (JSON that is not what was asked for),
    limited (403 of the rate limit), or a status. `primary` maps the paths of the service to a body, to bytes
    sent as they are, or to a status.
    """

    daemon_threads = True

    def __init__(self, images: dict[str, bytes], texts: dict[str, bytes]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.repositories = {IMAGES: RepositoryDouble(IMAGES, images), TEXTS: RepositoryDouble(TEXTS, texts)}
        self.primary: dict[str, Any] = {}
        self.modes: dict[str, list[str]] = {}
        self.calls: Counter[str] = Counter()
        self.authorizations: list[str | None] = []
        self.app_tokens: list[str] = []
        self.closing = threading.Event()
        self._lock = threading.Lock()

    @property
    def images(self) -> RepositoryDouble:
        return self.repositories[IMAGES]

    @property
    def texts(self) -> RepositoryDouble:
        return self.repositories[TEXTS]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def primary_url(self) -> str:
        return f"{self.url}{PRIMARY_PREFIX}".rstrip("/")

    def count(self, part: str) -> int:
        """How many calls had this in their method and path."""
        return sum(number for call, number in self.calls.items() if part in call)

    def note(self, method: str, path: str, headers: Message) -> str:
        """Counts a call and tells how to answer it."""
        with self._lock:
            self.calls[f"{method} {path}"] += 1
            if path.startswith(API_PREFIX):
                self.authorizations.append(headers["Authorization"])
            queue = next((modes for part, modes in self.modes.items() if part in path and modes), None)
            return queue.pop(0) if queue else "ok"

    def handle_error(self, request: object, client_address: object) -> None:
        """Callers that hang up are part of the game."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: GitHubDouble

    def do_GET(self) -> None:
        self._handle()

    def do_POST(self) -> None:
        self._handle()

    def do_PATCH(self) -> None:
        self._handle()

    def _handle(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or "null")
        mode = self.server.note(self.command, self.path, self.headers)
        if mode == "down":
            self.close_connection = True
        elif mode == "cut":
            self._reply(200, b"{", length=100)
            self.close_connection = True
        elif mode == "drip":
            self._reply(200, b"{", length=100_000)
            while not self.server.closing.wait(0.01):
                self.wfile.write(b" ")
        elif mode == "bomb":
            self._reply(200, gzip.compress(bytes(4_000_000)), encoding="gzip")
        elif mode in _BODIES:
            self._reply(200, _BODIES[mode])
        elif mode == "limited":
            self._reply_json(403, {"message": "rate limit"}, limit="0")
        elif mode.isdigit():
            self._reply_json(int(mode), {"message": "as told"})
        elif self.path.startswith(RAW_PREFIX):
            self._raw(*self.path.removeprefix(RAW_PREFIX).split("/", 2))
        elif self.path.startswith(PRIMARY_PREFIX):
            self._primary(self.path.removeprefix(PRIMARY_PREFIX))
        else:
            self._api(self.path.removeprefix(API_PREFIX), body)

    def _raw(self, owner: str, name: str, rest: str) -> None:
        repository = self.server.repositories.get(f"{owner}/{name}")
        reference, _, path = rest.rpartition("/")
        if repository is None:
            return self._reply(404, b"404: Not Found")
        commit = repository.branches.get(reference.removeprefix("refs/heads/"), reference)
        content = repository.files(commit).get(path) if commit in repository.commits else None
        return self._reply(404, b"404: Not Found") if content is None else self._reply(200, content)

    def _primary(self, path: str) -> None:
        body = self.server.primary.get(path, 404)
        if isinstance(body, bytes):
            self._reply(200, body)
        else:
            self._reply_json(*((body, {"detail": "no"}) if isinstance(body, int) else (200, body)))

    def _api(self, path: str, body: Any) -> None:
        if app := re.fullmatch(r"/app/installations/(\d+)/access_tokens", path):
            self.server.app_tokens.append(self.headers["Authorization"].removeprefix("Bearer "))
            return self._reply_json(201, {"token": APP_TOKEN, "installation": app[1]})
        if self.headers["Authorization"] not in {f"Bearer {TOKEN}", f"Bearer {APP_TOKEN}"}:
            return self._reply_json(401, {"message": "Bad credentials"})
        _, _, owner, name, call = path.split("/", 4)
        repository = self.server.repositories.get(f"{owner}/{name}")
        if repository is None:
            return self._reply_json(404, {"message": "Not Found"})
        return self._reply_json(*_answer(repository, self.command, call, body))

    def _reply_json(self, status: int, body: Any, **options: Any) -> None:
        self._reply(status, json.dumps(body).encode(), **options)

    def _reply(
        self, status: int, body: bytes, *, length: int | None = None, limit: str = "", encoding: str = ""
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        if limit:
            self.send_header("X-RateLimit-Remaining", limit)
        if encoding:
            self.send_header("Content-Encoding", encoding)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


def _answer(repository: RepositoryDouble, method: str, call: str, body: Any) -> tuple[int, Any]:
    """Status and body of a call to the REST API of a repository."""
    address = urlsplit(call)
    for (known_method, shape), answer in _CALLS.items():
        found = re.fullmatch(shape, address.path)
        if known_method == method and found:
            return answer(repository, *found.groups(), body if body is not None else parse_qs(address.query))
    return 404, {"message": f"the double does not know {method} {call}"}


def _head(repository: RepositoryDouble, branch: str, _: Any) -> tuple[int, Any]:
    if branch not in repository.branches:
        return 404, {"message": "Not Found"}
    return 200, {"object": {"sha": repository.branches[branch]}}


def _commit(repository: RepositoryDouble, commit: str, _: Any) -> tuple[int, Any]:
    return 200, {"tree": {"sha": repository.commits[commit]["tree"]}}


def _blob_create(repository: RepositoryDouble, body: Any) -> tuple[int, Any]:
    assert body["encoding"] == "base64"
    return 201, {"sha": repository.blob_add(base64.b64decode(body["content"], validate=True))}


def _tree_create(repository: RepositoryDouble, body: Any) -> tuple[int, Any]:
    entries = dict(repository.trees[body["base_tree"]])
    for entry in body["tree"]:
        assert (entry["mode"], entry["type"]) == ("100644", "blob")
        assert entry["sha"] in repository.blobs
        entries[entry["path"]] = entry["sha"]
    return 201, {"sha": repository.tree_add(entries)}


def _commit_create(repository: RepositoryDouble, body: Any) -> tuple[int, Any]:
    assert body["tree"] in repository.trees
    return 201, {"sha": repository.commit_add(body["message"], body["tree"], body["parents"])}


def _branch_create(repository: RepositoryDouble, body: Any) -> tuple[int, Any]:
    branch = body["ref"].removeprefix("refs/heads/")
    if branch in repository.branches or body["sha"] not in repository.commits:
        return 422, {"message": "Reference already exists"}
    repository.branches[branch] = body["sha"]
    return 201, {}


def _pulls(repository: RepositoryDouble, query: Any) -> tuple[int, Any]:
    found = [pull for pull in repository.pulls if pull["state"] == query["state"][0]]
    found = [pull for pull in found if pull["base"]["ref"] == query["base"][0]]
    size, page = int(query["per_page"][0]), int(query["page"][0])
    return 200, found[size * (page - 1) : size * page]


def _pull_create(repository: RepositoryDouble, body: Any) -> tuple[int, Any]:
    if body["head"] not in repository.branches:
        return 422, {"message": "Validation Failed"}
    return 201, repository.pull_add(body["head"], title=body["title"], body=body["body"])


def _pull_change(repository: RepositoryDouble, number: str, body: Any) -> tuple[int, Any]:
    repository.pulls[int(number) - 1].update(body)
    return 200, repository.pulls[int(number) - 1]


def _labels_add(repository: RepositoryDouble, number: str, body: Any) -> tuple[int, Any]:
    repository.pulls[int(number) - 1]["labels"] += body["labels"]
    return 200, []


def _reviewers_request(repository: RepositoryDouble, number: str, body: Any) -> tuple[int, Any]:
    repository.pulls[int(number) - 1]["reviewers"] = body
    return 201, {}


_CALLS = {
    ("GET", r"git/ref/heads/(.+)"): _head,
    ("GET", r"git/commits/(\w+)"): _commit,
    ("POST", r"git/blobs"): _blob_create,
    ("POST", r"git/trees"): _tree_create,
    ("POST", r"git/commits"): _commit_create,
    ("POST", r"git/refs"): _branch_create,
    ("GET", r"pulls"): _pulls,
    ("POST", r"pulls"): _pull_create,
    ("PATCH", r"pulls/(\d+)"): _pull_change,
    ("POST", r"issues/(\d+)/labels"): _labels_add,
    ("POST", r"pulls/(\d+)/requested_reviewers"): _reviewers_request,
}


@contextmanager
def running_github(
    settings: LazySettings, images: dict[str, bytes], texts: dict[str, bytes]
) -> Iterator[GitHubDouble]:
    """A double with these files in its two repositories, where the settings send every call."""
    with GitHubDouble(images, texts) as github:
        thread = threading.Thread(target=github.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        settings.GITHUB_PROXY_URL_BASE = f"{github.url}/raw"
        settings.GITHUB_API_URL = f"{github.url}{API_PREFIX}"
        try:
            yield github
        finally:
            github.closing.set()
            github.shutdown()


def only_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets connections to other machines fail at once, and the test that tries with them."""
    for variable in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(variable, raising=False)
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family in {socket.AF_INET, socket.AF_INET6} and address[0] != "127.0.0.1":
            pytest.fail(f"a connection to {address} was tried")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)
