"""A small PRIMARY on a free local port: it serves both versions of what it is given, counts, and misbehaves."""

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

from django.conf import LazySettings

from references.categories import CATEGORIES
from references.legacy import category_dump, legacy_from_record, text_entries
from references.services import json_text
from tests.factories import make_v2

PREFIX = "/api/model_references/"
STARTED_AT = 1_700_000_000


class Views(NamedTuple):
    """What a category is in both versions at one moment; None where there is nothing."""

    v2: bytes | None
    v1: bytes | None


@dataclass(slots=True)
class CategoryState:
    records: dict[str, dict] = field(default_factory=dict)
    revision: int = 0
    last_updated: int = STARTED_AT
    last_operation: str | None = None

    def note(self, operation: str) -> None:
        self.revision += 1
        self.last_updated += 1
        self.last_operation = operation


class PrimaryDouble(ThreadingHTTPServer):
    """`modes` says how calls are answered whose path holds the key, each list from its start; none is well.

    Modes: down (the connection is cut), cut (in the middle of the body), slow (no answer), drip (a byte at a
    time, without end), head and chunk (the same in a header, and in the size of a chunk), html, half (JSON that
    breaks off), list, empty, words (records that are no objects), foreign (another category's records), gone (404
    of the API), lost (404 of a proxy), login (a redirect), huge, or a status. `sent_as` are bodies by their paths,
    whatever else there is; `tells` is what its headers and metadata say; `on_call` is called with each path first.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.states = {name: CategoryState() for name in CATEGORIES}
        self.structure: dict[str, Any] = {"aliases": {}, "families": {}, "schemas": {}}
        self.tells = {"tags", "revisions", "metadata", "structure"}
        self.modes: dict[str, list[str]] = {}
        self.sent_as: dict[str, bytes] = {}
        self.clock_ahead = 0
        self.calls: Counter[str] = Counter()
        self.sent: Counter[str] = Counter()
        self.cache_controls: set[str | None] = set()
        self.on_call: Callable[[str], None] = lambda path: None
        self.closing = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/api"

    def put(self, category: str, name: str, **fields: Any) -> None:
        state = self.states[category]
        is_new = name not in state.records
        state.records[name] = make_v2(category, name, **fields)
        state.note("create" if is_new else "update")

    def delete(self, category: str, name: str) -> None:
        del self.states[category].records[name]
        self.states[category].note("delete")

    def views(self, category: str) -> Views:
        records = self.states[category].records
        if not records:
            return Views(None, None)
        members = ",".join(f"{json_text(name)}:{json_text(record)}" for name, record in records.items())
        spec = CATEGORIES[category]
        entries: dict[str, Any] = {}
        for name, record in records.items() if spec.has_legacy_form else ():
            if spec.has_legacy_objects:
                entries[name] = legacy_from_record(category, record)
            else:
                entries |= dict(text_entries(record))
        return Views(f"{{{members}}}".encode(), category_dump(entries).encode() if entries else None)

    def metadata(self, category: str) -> dict[str, Any]:
        state = self.states[category]
        return {
            "category": category,
            "last_updated": state.last_updated,
            "last_operation_type": state.last_operation,
            "total_models": len(state.records),
        }

    def mode(self, path: str) -> str:
        self.calls[path] += 1
        self.on_call(path)
        queue = next((modes for part, modes in self.modes.items() if part in path and modes), None)
        return queue.pop(0) if queue else "ok"

    def handle_error(self, request: object, client_address: object) -> None:
        """Callers that hang up are part of the game."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: PrimaryDouble

    def do_GET(self) -> None:
        path = self.path.removeprefix(PREFIX)
        mode = self.server.mode(path)
        self.server.cache_controls.add(self.headers.get("Cache-Control"))
        if mode in _BODIES:
            self._reply(200, _BODIES[mode])
        elif mode in {"down", "cut", "slow", "drip", "head", "chunk"}:
            self._break_off(mode)
        elif mode == "half":
            body = self._body(path) or b'{"a": {"name": "a"}'
            self._reply(200, body[: len(body) // 2])
        elif mode == "gone":
            self._reply(404, b'{"detail": "Model category not found"}')
        elif mode == "lost":
            self._reply(404, b'{"detail": "Not Found"}')
        elif mode == "login":
            self._reply(302, b"", location="/login")
        elif mode == "huge":
            self._reply(200, b'{"a": "' + b"x" * 1_000_000 + b'"}')
        elif mode.isdigit():
            self._reply(int(mode), b'{"detail": "as told"}')
        else:
            self._answer(path)

    def _break_off(self, mode: str) -> None:
        if mode == "slow":
            self.server.closing.wait()
        elif mode in {"cut", "drip"}:
            self._reply(200, b"{", length=1_000_000)
        elif mode == "head":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Long: ")
        elif mode == "chunk":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n")
        while mode in {"drip", "head", "chunk"} and not self.server.closing.wait(0.01):
            self.wfile.write(b"0" if mode == "chunk" else b" ")
            self.wfile.flush()
        self.close_connection = True

    def _answer(self, path: str) -> None:
        body = self._body(path)
        if body is None:
            return self._reply(404, b'{"detail": "Model category not found"}')
        headers = self._headers(path, body)
        if headers.get("ETag") and self.headers.get("If-None-Match") == headers["ETag"]:
            return self._reply(304, b"", **headers)
        self.server.sent[path] += 1
        return self._reply(200, body, **headers)

    def _headers(self, path: str, body: bytes) -> dict[str, str]:
        tells = self.server.tells
        headers = {"ETag": f'"{sha256(body).hexdigest()[:20]}"'} if "tags" in tells else {}
        state = self.server.states.get(path.partition("/")[2])
        if state and "revisions" in tells:
            headers["X-Model-Reference-Revision"] = str(state.revision)
            headers["Last-Modified"] = formatdate(state.last_updated, usegmt=True)
        return headers

    def _body(self, path: str) -> bytes | None:
        address = urlsplit(path)
        version, _, rest = address.path.partition("/")
        if path in self.server.sent_as:
            return self.server.sent_as[path]
        if rest in self.server.states:
            return getattr(self.server.views(rest), version)
        if rest.startswith("metadata/"):
            return self._metadata(version, rest.removeprefix("metadata/"))
        return self._structure(rest.removeprefix("text_generation/"), parse_qs(address.query))

    def _metadata(self, version: str, path: str) -> bytes | None:
        if "metadata" not in self.server.tells or version != "v2":
            return None
        category, _, last = path.partition("/")
        if category == "metadata":
            return json_text({name: self.server.metadata(name) for name in CATEGORIES}).encode()
        row = self.server.metadata(category)
        return json_text({"last_updated": row["last_updated"]} if last else row).encode()

    def _structure(self, path: str, query: dict[str, list[str]]) -> bytes | None:
        held = self.server.structure
        if "structure" not in self.server.tells:
            return None
        if path == "groups/summary":
            groups = [{"group_name": name, "has_custom_schema": True} for name in held["schemas"]]
            return json_text({"groups": groups}).encode()
        if path == "group/name_schema":
            schema = held["schemas"][query["name"][0]]
            return json_text({"name_schema": schema, "is_custom": True}).encode()
        if path == "aliases":
            entries = [{"canonical": name, "aliases": names} for name, names in held["aliases"].items()]
            return json_text({"entries": entries}).encode()
        families = [{"family_name": name, "members": names} for name, names in held["families"].items()]
        return json_text({"families": families}).encode()

    def _reply(
        self,
        status: int,
        body: bytes,
        *,
        length: int | None = None,
        location: str | None = None,
        **headers: str,
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        for name, value in {**headers, **({"Location": location} if location else {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def date_time_string(self, timestamp: float | None = None) -> str:
        return super().date_time_string((timestamp or time.time()) + self.server.clock_ahead)

    def log_message(self, format: str, *args: object) -> None:
        pass


_BODIES = {
    "html": b"<html>Please sign in</html>",
    "list": b"[]",
    "empty": b"{}",
    "words": b'{"a": "b"}',
    "foreign": json.dumps({"x": {"name": "x", "record_type": "nowhere", "type": "nothing"}}).encode(),
    "strange": json.dumps({"x": {"name": "x", "nsfw": "perhaps", "baseline": 5, "config": []}}).encode(),
    "not-utf8": b'{"a": "\xff"}',
    "deep": b"[" * 100_000,
    "nan": b'{"x": {"name": "x", "size_on_disk_bytes": NaN}}',
}
FAULTS = (*_BODIES, "down", "cut", "half", "gone", "lost", "login", "huge", "500", "503", "429", "401", "204")


@contextmanager
def running_primary(settings: LazySettings) -> Iterator[PrimaryDouble]:
    """A double that the settings make the PRIMARY of this deployment, which waits for nothing."""
    with PrimaryDouble() as primary:
        thread = threading.Thread(target=primary.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        settings.PRIMARY_API_URL = primary.url
        settings.PRIMARY_API_TIMEOUT = 5
        settings.PRIMARY_API_BACKOFF_SECONDS = 0
        settings.ENABLE_GITHUB_FALLBACK = False
        settings.OFFLINE = False
        settings.CACHE_TTL_SECONDS = 60
        try:
            yield primary
        finally:
            primary.closing.set()
            primary.shutdown()
