"""Answers to reads: stored bytes with entity tags, conditional requests and the encoding the client takes."""

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from http import HTTPStatus
from typing import Any, NamedTuple

from django.http import HttpRequest, HttpResponse

from references.documents import Document

JSON = "application/json"
# Caches ask each time, which costs a 304, and bridge an outage of a day. A client that is told of a change and then
# reads an older copy from a cache would take it for the change.
READ_CACHE = "public, max-age=0, stale-if-error=86400"
NO_CACHE = "no-store"

_GZIP = re.compile(r"(?:^|,)\s*(gzip|x-gzip|\*)\s*(?:;\s*q\s*=\s*([0-9.]+))?\s*(?=,|$)", re.IGNORECASE)
# By whether there are other forms, and by whether the origin counts.
_VARY = {
    (False, False): "Accept-Encoding",
    (False, True): "Accept-Encoding, origin",
    (True, False): "Accept-Encoding, Accept",
    (True, True): "Accept-Encoding, Accept, origin",
}
_TAG = re.compile(r'(?:W/)?("[^"]*")')


Headers = tuple[tuple[str, str], ...]


class Answer(NamedTuple):
    """A response before it is put into the form a server or a framework wants. It is shared: nobody changes it."""

    status: HTTPStatus
    headers: list[tuple[str, str]]
    body: bytes


def document_answer(
    document: Document,
    environ: Mapping[str, Any],
    *,
    cache: str = READ_CACHE,
    varies_by_origin: bool = False,
    added: Headers = (),
) -> Answer:
    """200 with the document, or 304 when the client holds it already, for the headers of a WSGI environment.

    `added` are headers of the deployment. A document keeps the answers made of it: there are few, and a hot one is
    asked for as fast as it is sent.
    """
    gzipped = document.gzipped if accepts_gzip(environ.get("HTTP_ACCEPT_ENCODING", "")) else None
    is_held = _client_holds(environ.get("HTTP_IF_NONE_MATCH", ""), document.digest)
    kind = is_held, gzipped is not None, cache, varies_by_origin, added
    answer = document.answers.get(kind)
    if answer is None:
        answer = document.answers[kind] = _answer(document, *kind)
    return answer


def _answer(
    document: Document, is_held: bool, is_gzipped: bool, cache: str, varies_by_origin: bool, added: Headers
) -> Answer:
    headers = [
        ("ETag", f'"{document.digest}-gzip"' if is_gzipped else f'"{document.digest}"'),
        ("Cache-Control", cache),
        ("Vary", _VARY[document.is_negotiated, varies_by_origin]),
        ("X-Content-Type-Options", "nosniff"),
        *document.origin,
    ]
    if is_held:
        return Answer(HTTPStatus.NOT_MODIFIED, [*headers, *added], b"")
    body = document.gzipped if is_gzipped else document.body
    headers += [("Content-Type", JSON), ("Content-Length", str(len(body)))]
    if is_gzipped:
        headers.append(("Content-Encoding", "gzip"))
    return Answer(HTTPStatus.OK, [*headers, *added], body)


def document_response(request: HttpRequest, document: Document, *, cache: str = READ_CACHE) -> HttpResponse:
    answer = document_answer(document, request.META, cache=cache)
    response = HttpResponse(answer.body, status=answer.status)
    del response.headers["Content-Type"]
    for name, value in answer.headers:
        response.headers[name] = value
    return response


def json_response(request: HttpRequest, value: object, *, cache: str = READ_CACHE) -> HttpResponse:
    """200 with a value computed for this request, conditional as every read."""
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    return document_response(request, Document(body), cache=cache)


@lru_cache(maxsize=256)
def accepts_gzip(accepted: str) -> bool:
    """Whether `Accept-Encoding` takes gzip: by name or by `*`, and not with a quality of zero; the name decides."""
    if not accepted:
        return False
    qualities = {name.lower(): quality for name, quality in _GZIP.findall(accepted)}
    quality = next((qualities[name] for name in ("gzip", "x-gzip", "*") if name in qualities), "0")
    return quality == "" or quality.strip("0.") != ""


def _client_holds(held: str, digest: str) -> bool:
    """`If-None-Match` by weak comparison: either encoding of the same content counts."""
    if not held:
        return False
    if held.strip() == "*":
        return True
    return any(tag in (f'"{digest}"', f'"{digest}-gzip"') for tag in _TAG.findall(held))
