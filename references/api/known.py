"""Answers that were given lately, by path and query, each with the question whether it still holds.

A process asks for one before Django sees the request. What an answer follows from besides path and query has to be
in its condition, and no header may change it but those of conditional and compressed transfer, and `Accept` where
the document says so.
"""

from collections.abc import Callable, Mapping
from functools import partial
from threading import Lock
from typing import Any
from weakref import ref

from django.http import HttpRequest, HttpResponse

from references.api.responses import document_response
from references.documents import Document
from references.remembered import remember, remembered_in_transaction

KNOWN_BYTES = 16_000_000
# What a short answer takes beside its bytes.
OVERHEAD = 1000

Holds = Callable[[], bool]


class KnownAnswers:
    """As many answers as fit into KNOWN_BYTES; shared by threads, each of which may find one a moment later."""

    def __init__(self) -> None:
        self._answers: dict[str, tuple[Document, Holds]] = {}
        self._bytes = 0
        self._keeping = Lock()

    def get(self, asked: str) -> Document | None:
        known = remembered_in_transaction(("answer", asked)) or self._answers.get(asked)
        if known is None:
            return None
        document, holds = known
        return document if holds() else None

    def put(self, asked: str, document: Document, holds: Holds) -> None:
        remember(("answer", asked), (document, holds), partial(self._keep, asked))

    def clear(self) -> None:
        self._answers, self._bytes = {}, 0

    def _keep(self, asked: str, answer: tuple[Document, Holds]) -> None:
        document, _ = answer
        size = _size(asked, document)
        with self._keeping:
            replaced = self._answers.get(asked)
            self._bytes -= _size(asked, replaced[0]) if replaced else 0
            if self._bytes + size > KNOWN_BYTES:
                self.clear()
            if size <= KNOWN_BYTES:
                self._answers[asked] = answer
                self._bytes += size


def _size(asked: str, document: Document) -> int:
    return len(asked) + len(document.body) + OVERHEAD


known_answers = KnownAnswers()


def known_document(environ: Mapping[str, Any]) -> Document | None:
    """What was lately answered to the request of this WSGI environment, if it still holds."""
    address = _address(environ)
    return known_answers.get(address) or known_answers.get(_negotiated(address, environ))


def while_kept(holds: Callable[..., bool], figures: object, *args: object, **kwargs: object) -> Holds:
    """Asks `holds` of the figures as long as others keep them: an answer may outlive them, and they may be large."""
    reference = ref(figures)

    def asked() -> bool:
        kept = reference()
        return kept is not None and holds(kept, *args, **kwargs)

    return asked


def known_response(request: HttpRequest, document: Document, *, holds: Holds) -> HttpResponse:
    """200 with the document, which the next one to ask gets too for as long as it holds."""
    address = _address(request.META)
    asked = _negotiated(address, request.META) if document.is_negotiated else address
    known_answers.put(asked, document, holds)
    return document_response(request, document)


def _address(environ: Mapping[str, Any]) -> str:
    return f"{environ['PATH_INFO']}?{environ.get('QUERY_STRING', '')}"


def _negotiated(address: str, environ: Mapping[str, Any]) -> str:
    """Where there are several forms, with what the client accepts too."""
    return f"{address}\n{environ.get('HTTP_ACCEPT', '*/*')}"
