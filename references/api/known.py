"""Answers that were given lately, by path and query, each with the question whether it still holds.

A process asks for one before Django sees the request. What an answer follows from besides path and query has to be
in its condition, and no header may change it but those of conditional and compressed transfer, and `Accept` where
the document says so.
"""

from collections.abc import Callable, Mapping
from functools import partial
from threading import Lock
from typing import Any, NamedTuple
from weakref import ref

from django.http import HttpRequest, HttpResponse

from references.api.responses import document_response
from references.documents import Document
from references.remembered import remember, remembered_in_transaction

KNOWN_BYTES = 16_000_000
# What a short answer takes beside its bytes.
OVERHEAD = 1000

Holds = Callable[[], bool]


class Known(NamedTuple):
    """A document, and whether it still is what its address stands for.

    `stands` tells the same as long as nothing is committed: of what lies beside the store, such as the time.
    """

    document: Document
    holds: Holds
    stands: Holds


class KnownAnswers:
    """As many answers as fit into KNOWN_BYTES; shared by threads, each of which may find one a moment later."""

    def __init__(self) -> None:
        self._answers: dict[str, Known] = {}
        self._bytes = 0
        self._keeping = Lock()

    def get(self, asked: str) -> Known | None:
        known = remembered_in_transaction(("answer", asked)) or self._answers.get(asked)
        return known if known and known.holds() else None

    def put(self, asked: str, known: Known) -> None:
        remember(("answer", asked), known, partial(self._keep, asked))

    def clear(self) -> None:
        self._answers, self._bytes = {}, 0

    def _keep(self, asked: str, known: Known) -> None:
        size = _size(asked, known.document)
        with self._keeping:
            replaced = self._answers.get(asked)
            self._bytes -= _size(asked, replaced.document) if replaced else 0
            if self._bytes + size > KNOWN_BYTES:
                self.clear()
            if size <= KNOWN_BYTES:
                self._answers[asked] = known
                self._bytes += size


def _size(asked: str, document: Document) -> int:
    return len(asked) + len(document.body) + OVERHEAD


known_answers = KnownAnswers()


def known_answer(environ: Mapping[str, Any]) -> Known | None:
    """What was lately answered to the request of this WSGI environment, if it still holds."""
    address = address_of(environ)
    return known_answers.get(address) or known_answers.get(_negotiated(address, environ))


def while_kept(holds: Callable[..., bool], figures: object, *args: object, **kwargs: object) -> Holds:
    """Asks `holds` of the figures as long as others keep them: an answer may outlive them, and they may be large."""
    reference = ref(figures)

    def asked() -> bool:
        kept = reference()
        return kept is not None and holds(kept, *args, **kwargs)

    return asked


def always() -> bool:
    return True


def known_response(
    request: HttpRequest, document: Document, *, holds: Holds, stands: Holds | None = None
) -> HttpResponse:
    """200 with the document, which the next one to ask gets too for as long as it holds."""
    address = address_of(request.META)
    asked = _negotiated(address, request.META) if document.is_negotiated else address
    known_answers.put(asked, Known(document, holds, stands or holds))
    return document_response(request, document)


def address_of(environ: Mapping[str, Any]) -> str:
    return f"{environ['PATH_INFO']}?{environ.get('QUERY_STRING', '')}"


def _negotiated(address: str, environ: Mapping[str, Any]) -> str:
    """Where there are several forms, with what the client accepts too."""
    return f"{address}\n{environ.get('HTTP_ACCEPT', '*/*')}"
