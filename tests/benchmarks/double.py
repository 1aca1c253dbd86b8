"""Stands in for the AI-Horde: it knows two keys, and figures for the models it is told of."""

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

REQUESTOR_KEY, REQUESTOR_ID = "bench-requestor", "101"
APPROVER_KEY, APPROVER_ID = "bench-approver", "900"
_USERS = {REQUESTOR_KEY: f"Rita#{REQUESTOR_ID}", APPROVER_KEY: f"Ada#{APPROVER_ID}"}
_PREFIX = "/api/v2/"
_MODELS_PER_WORKER = 12


class HordeDouble(ThreadingHTTPServer):
    """`models` maps a kind, image or text, to the names it reports figures for."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.models: dict[str, Sequence[str]] = {"image": [], "text": []}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/api/"

    def answer(self, path: str, kind: str) -> object:
        match path:
            case "status/models":
                return [_status(name, number) for number, name in enumerate(self.models[kind])]
            case "stats/img/models":
                return _usage(self.models["image"])
            case "stats/text/models":
                return _usage(self.models["text"])
            case "workers":
                return _workers(self.models[kind])
        return None


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: HordeDouble

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        path = url.path.removeprefix(_PREFIX)
        if path == "find_user":
            user = _USERS.get(self.headers.get("apikey", ""))
            answer = {"username": user} if user else None
        else:
            answer = self.server.answer(path, parse_qs(url.query).get("type", ["image"])[0])
        body = json.dumps({"message": "not found"} if answer is None else answer).encode()
        self.send_response(404 if answer is None else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


def _status(name: str, number: int) -> dict:
    return {
        "name": name,
        "count": number % 9,
        "queued": number % 50,
        "jobs": number % 4,
        "eta": 5,
        "performance": 1.5,
    }


def _usage(names: Sequence[str]) -> dict[str, dict[str, int]]:
    """A few models have nearly all of the use, and some have none at all."""
    total = {name: 1_000_000 // (number + 1) for number, name in enumerate(names) if number % 7}
    month = {name: count // 40 for name, count in total.items()}
    return {"day": {name: count // 30 for name, count in month.items()}, "month": month, "total": total}


def _workers(names: Sequence[str]) -> list[dict]:
    return [
        {
            "id": f"worker-{start}",
            "name": f"Worker {start}",
            "models": list(names[start : start + _MODELS_PER_WORKER]),
            "online": True,
            "trusted": True,
            "uptime": 3600,
            "performance": "1.0 megapixelsteps per second",
        }
        for start in range(0, len(names), _MODELS_PER_WORKER)
    ]


@contextmanager
def running_horde() -> Iterator[HordeDouble]:
    with HordeDouble() as horde:
        threading.Thread(target=horde.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        try:
            yield horde
        finally:
            horde.shutdown()
