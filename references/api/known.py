"""Answers that were given lately, by path and query, each with the question whether it still holds.

A process asks for one before Django sees the request. What an answer follows from besides path and query has to be
in its condition, and no header may change it but those of conditional and compressed transfer.
"""

from collections.abc import Callable
from functools import partial

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
        size = len(asked) + len(document.body) + OVERHEAD
        replaced = self._answers.get(asked)
        self._bytes -= len(asked) + len(replaced[0].body) + OVERHEAD if replaced else 0
        if self._bytes + size > KNOWN_BYTES:
            self.clear()
        if size <= KNOWN_BYTES:
            self._answers[asked] = answer
            self._bytes += size


known_answers = KnownAnswers()


def known_response(request: HttpRequest, document: Document, *, holds: Holds) -> HttpResponse:
    """200 with the document, which the next one to ask gets too for as long as it holds."""
    path, query = request.META["PATH_INFO"], request.META["QUERY_STRING"]
    known_answers.put(f"{path}?{query}", document, holds)
    return document_response(request, document)
