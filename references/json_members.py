"""Reads a JSON object member by member, so that a file of them may be larger than memory."""

import json
import re
from collections.abc import Iterator
from typing import Any, TextIO

from references.legacy.values import refuse_constant

# In characters.
READ_SIZE = 1 << 20
LONGEST_MEMBER = 1 << 24
# What looks like the end of a number, a word or an escape may go on beyond what was read of it.
LOOKAHEAD = 16
_SPACE = re.compile(r"[ \t\n\r]*")


def json_members(stream: TextIO) -> Iterator[tuple[str, Any]]:
    """The members of the object that the stream holds, in order, repeated names too.

    Raises ValueError or RecursionError where the stream turns out to hold anything else.
    """
    window = _Window(stream)
    if window.token() != "{":
        raise ValueError(window.fault("not an object"))
    window.pass_token()
    if window.token() != "}":
        yield window.member()
    while window.token() == ",":
        window.pass_token()
        yield window.member()
    if window.token() != "}":
        raise ValueError(window.fault("expected a comma or the end of the object"))
    window.pass_token()
    if window.token():
        raise ValueError(window.fault("something follows the object"))


class _Window:
    """The part of the stream that is being looked at."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._text = ""
        self._at = 0
        self._lines_passed = 0
        self._has_ended = False
        self._decode = json.JSONDecoder(parse_constant=refuse_constant).raw_decode

    def token(self) -> str:
        """The next character that is no space; empty at the end."""
        while True:
            self._at = _SPACE.match(self._text, self._at).end()
            if self._at < len(self._text) or self._has_ended:
                return self._text[self._at : self._at + 1]
            self._read()

    def pass_token(self) -> None:
        self._at += 1

    def member(self) -> tuple[str, Any]:
        if self.token() != '"':
            raise ValueError(self.fault("expected a name in double quotes"))
        name = self._value()
        if self.token() != ":":
            raise ValueError(self.fault("expected a colon"))
        self.pass_token()
        self.token()
        return name, self._value()

    def fault(self, words: str, *, at: int | None = None) -> str:
        line = 1 + self._lines_passed + self._text.count("\n", 0, self._at if at is None else at)
        return f"line {line}: {words}"

    def _value(self) -> Any:
        while True:
            try:
                value, end = self._decode(self._text, self._at)
            except json.JSONDecodeError as error:
                if self._has_ended or len(self._text) - self._at > LONGEST_MEMBER:
                    raise ValueError(self.fault(error.msg, at=error.pos)) from None
            else:
                if self._has_ended or end + LOOKAHEAD <= len(self._text):
                    self._at = end
                    return value
            self._read()

    def _read(self) -> None:
        """Drops what was passed and reads on, twice as far each time that it did not suffice."""
        self._lines_passed += self._text.count("\n", 0, self._at)
        rest = self._text[self._at :]
        more = self._stream.read(max(READ_SIZE, len(rest)))
        self._has_ended = not more
        self._text, self._at = rest + more, 0
