"""Tests of the API; `ask` calls it the way a server does."""

import io
import json
from collections.abc import Callable
from typing import Any, NamedTuple
from unittest.mock import patch
from urllib.parse import unquote_to_bytes
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

from django.db.backends.base.base import BaseDatabaseWrapper

V1 = "/api/model_references/v1"
V2 = "/api/model_references/v2"


class Answer(NamedTuple):
    """A response; header names are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


def ask(
    target: str,
    *,
    method: str = "GET",
    headers: dict[str, str] | None = None,
    body: bytes = b"",
    application: Callable | None = None,
) -> Answer:
    """The answer to a request line's target, as it stands on the wire: percent-encoded, with its query.

    The application is the one servers load, unless another one is given.
    """
    from config.wsgi import application as served

    path, _, query = target.partition("?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": query,
        "HTTP_HOST": "testserver",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
    }
    for name, value in (headers or {}).items():
        key = name.upper().replace("-", "_")
        environ[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = value
    setup_testing_defaults(environ)
    started: list[tuple[str, list[tuple[str, str]]]] = []

    def start_response(status: str, sent: list[tuple[str, str]], exc_info: Any = None) -> Callable:
        started.append((status, sent))
        return lambda data: None

    # Servers have connections looked after between requests; that would end the transaction of the test.
    with patch.object(BaseDatabaseWrapper, "close_if_unusable_or_obsolete"):
        chunks = validator(application or served)(environ, start_response)
        try:
            sent_body = b"".join(chunks)
        finally:
            chunks.close()
    [(status, sent)] = started
    names = [name.lower() for name, _ in sent]
    assert len(names) == len(set(names)), f"a header is sent twice: {sorted(names)}"
    return Answer(int(status.split()[0]), {name.lower(): value for name, value in sent}, sent_body)
