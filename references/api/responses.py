"""Answers to reads: stored bytes with entity tags, conditional requests and the encoding the client takes."""

import json
import re
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.utils.http import http_date

from references.documents import Document

JSON = "application/json"
# Caches may answer for a minute, refresh behind the client's back for another, and bridge an outage of a day.
READ_CACHE = "public, max-age=60, stale-while-revalidate=60, stale-if-error=86400"
# What clients poll to learn of changes: kept, but never served without asking.
POLL_CACHE = "public, no-cache, stale-if-error=86400"
NO_CACHE = "no-store"

_GZIP = re.compile(r"(?:^|,)\s*(gzip|x-gzip|\*)\s*(?:;\s*q\s*=\s*([0-9.]+))?\s*(?=,|$)", re.IGNORECASE)
_TAG = re.compile(r'(?:W/)?("[^"]*")')


def document_response(request: HttpRequest, document: Document, *, cache: str = READ_CACHE) -> HttpResponse:
    """200 with the document, or 304 when the client holds it already."""
    gzipped = document.gzipped if accepts_gzip(request) else None
    tag = f'"{document.digest}-gzip"' if gzipped is not None else f'"{document.digest}"'
    if _client_holds(request, document.digest):
        response = HttpResponse(status=HTTPStatus.NOT_MODIFIED)
        del response.headers["Content-Type"]
    elif gzipped is not None:
        response = HttpResponse(gzipped, content_type=JSON)
        response.headers["Content-Encoding"] = "gzip"
    else:
        response = HttpResponse(document.body, content_type=JSON)
    headers = response.headers
    headers["ETag"] = tag
    headers["Cache-Control"] = cache
    headers["Vary"] = "Accept-Encoding"
    if document.revision is not None:
        headers["X-Model-Reference-Revision"] = str(document.revision)
    if document.last_modified is not None:
        headers["Last-Modified"] = http_date(document.last_modified)
    return response


def json_response(request: HttpRequest, value: object, *, cache: str = READ_CACHE) -> HttpResponse:
    """200 with a value computed for this request, conditional as every read."""
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    return document_response(request, Document(body), cache=cache)


def accepts_gzip(request: HttpRequest) -> bool:
    """Whether the client takes gzip: named, or by `*`, and not with a quality of zero; its own name decides."""
    accepted = request.META.get("HTTP_ACCEPT_ENCODING", "")
    if "gzip" not in accepted and "*" not in accepted:
        return False
    qualities = {name.lower(): quality for name, quality in _GZIP.findall(accepted)}
    quality = next((qualities[name] for name in ("gzip", "x-gzip", "*") if name in qualities), "0")
    return quality == "" or quality.strip("0.") != ""


def _client_holds(request: HttpRequest, digest: str) -> bool:
    """`If-None-Match` by weak comparison: either encoding of the same content counts."""
    held = request.META.get("HTTP_IF_NONE_MATCH")
    if not held:
        return False
    if held.strip() == "*":
        return True
    return any(tag in (f'"{digest}"', f'"{digest}-gzip"') for tag in _TAG.findall(held))
