"""The addresses of files that a proposal brings in, and what its proposer says of having opened them."""

from moderation.api.payloads import NOTE_LENGTH
from references.downloads import Record, download_urls

_ANSWERS = {
    True: "Addresses checked by the proposer: yes.",
    False: "Addresses checked by the proposer: no.",
}


def addresses_new(record: Record, live: Record | None) -> list[str]:
    """The addresses in the record that the live one does not have, in order."""
    known = set(download_urls(live)) if live else set()
    return [url for url in dict.fromkeys(download_urls(record)) if url and url not in known]


def note_length(addresses: list[str]) -> int:
    """How long a note may be, so that the answer about the addresses finds room beside it."""
    return NOTE_LENGTH - (len(_ANSWERS[True]) + 2 if addresses else 0)


def note_answered(note: str, addresses: list[str], *, is_checked: bool) -> str | None:
    """What is kept with the change: the note, and whether somebody opened what is new; None for nothing."""
    answer = _ANSWERS[is_checked] if addresses else ""
    return "\n\n".join(part for part in (note, answer) if part) or None
