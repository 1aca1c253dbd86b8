"""The server alone: an application for it that sends what it was given, and asks nothing.

No application answers faster on this server, so this is the most that a ratio to nginx can be.
"""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

FOLDER = "MODEL_REFERENCE_BENCH_ANSWERS"

_answers: dict[str, tuple[list[tuple[str, str]], list[bytes]]] = {}


def application(environ: dict[str, Any], start_response: Callable) -> list[bytes]:
    path = environ["PATH_INFO"]
    if path not in _answers:
        _answers[path] = _answer_read(Path(os.environ[FOLDER], path[1:]))
    headers, body = _answers[path]
    start_response("200 OK", headers)
    return body


def _answer_read(folder: Path) -> tuple[list[tuple[str, str]], list[bytes]]:
    headers = json.loads((folder / "headers.json").read_text())
    return list(headers.items()), [(folder / "body").read_bytes()]


def answer_write(folder: Path, headers: dict[str, str], body: bytes) -> None:
    folder.mkdir(parents=True)
    (folder / "headers.json").write_text(json.dumps(headers))
    (folder / "body").write_bytes(body)
