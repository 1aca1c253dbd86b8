"""Answers of before that nothing was committed since: found with one look at the store's mark and one in memory."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from weakref import ref

from references.api.known import Holds, Known, address_of
from references.api.responses import accepts_gzip
from references.commit_mark import Mark, commit_mark
from references.documents import Document

# How many are kept; how many bytes each of them keeps in memory, where larger ones are found as long as others keep
# them; and of how many characters an address may be.
KEPT = 1000
KEPT_BYTES = 16_000
ADDRESS_LENGTH = 1000

# An address, and whether the client takes gzip: what is compressed for the first time takes long.
_Asked = tuple[str, bool]


class _Recent(NamedTuple):
    mark: Mark
    find: Callable[[], Document | None]
    stands: Holds


class RecentAnswers:
    """Shared by threads, each of which may find an answer a moment later."""

    def __init__(self) -> None:
        self._recent: dict[_Asked, _Recent] = {}

    def get(self, environ: Mapping[str, Any]) -> Document | None:
        """The document that answers the request of this WSGI environment, unless more than a look is needed."""
        recent = self._recent.get(_asked(environ))
        if recent is None or recent.mark != commit_mark() or not recent.stands():
            return None
        return recent.find()

    def put(self, environ: Mapping[str, Any], known: Known, mark: Mark | None) -> None:
        """Keeps what was just answered; `mark` is that of the store before it was read."""
        document = known.document
        asked = _asked(environ)
        if mark is None or document.is_negotiated or len(asked[0]) > ADDRESS_LENGTH:
            return
        if len(self._recent) >= KEPT:
            self._recent = {}
        find = (lambda: document) if len(document.body) <= KEPT_BYTES else ref(document)
        self._recent[asked] = _Recent(mark, find, known.stands)


def _asked(environ: Mapping[str, Any]) -> _Asked:
    return address_of(environ), accepts_gzip(environ.get("HTTP_ACCEPT_ENCODING", ""))
