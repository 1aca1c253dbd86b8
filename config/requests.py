"""Requests as this service reads them."""

import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.handlers.wsgi import WSGIRequest

from config.body_waits import BodyCutOff, BodyRefused, body_waits


class Utf8Request(WSGIRequest):
    """A request in UTF-8, whatever charset its `Content-Type` names, whose body is not waited for without end.

    Django would read the query in that charset too, while everyone who keeps answers, we among them, keeps them by
    the address alone: what one client had sent in UTF-16 would answer the next one, who did not.
    """

    def __init__(self, environ: dict[str, Any]) -> None:
        # Nothing reads bodies of reads.
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            environ["wsgi.input"] = TimedInput(environ)
        super().__init__(environ)

    @property
    def encoding(self) -> None:
        """None stands for `DEFAULT_CHARSET`."""

    @encoding.setter
    def encoding(self, value: str | None) -> None:
        """Django sets what the client named."""


class TimedInput:
    """The body as a server hands it over. Reads raise BodyRefused, which is an OSError, and keep it in `refusal`.

    They raise RequestDataTooBig for more than MAX_BODY_BYTES, of which Django does not count files in forms.
    """

    def __init__(self, environ: dict[str, Any]) -> None:
        self._environ = environ
        self._input = environ["wsgi.input"]
        self._began: float | None = None
        self._taken = 0
        length = environ.get("CONTENT_LENGTH", "")
        self._stated = int(length) if length.isdecimal() else 0
        self.refusal: BodyRefused | None = None

    def read(self, size: int) -> bytes:
        data = self._timed(self._input.read, size)
        # A form that ends early would pass for a whole one.
        if len(data) < size and self._taken < self._stated:
            self.refusal = BodyCutOff("the body ended early")
            raise self.refusal
        return data

    def readline(self, size: int) -> bytes:
        return self._timed(self._input.readline, size)

    def _timed(self, read: Callable[[int], bytes], size: int) -> bytes:
        if self._began is None:
            self._began = time.monotonic()
        try:
            with body_waits.waiting(self._environ, self._began):
                data = read(size)
        except BodyRefused as refusal:
            self.refusal = refusal
            raise
        self._taken += len(data)
        # One byte more tells a body of that length from a longer one.
        if self._taken > settings.MAX_BODY_BYTES + 1:
            raise RequestDataTooBig("the body is too large")
        return data
