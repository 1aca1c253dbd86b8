"""Requests as this service reads them."""

from django.core.handlers.wsgi import WSGIRequest


class Utf8Request(WSGIRequest):
    """A request in UTF-8, whatever charset its `Content-Type` names.

    Django would read the query in that charset too, while everyone who keeps answers, we among them, keeps them by
    the address alone: what one client had sent in UTF-16 would answer the next one, who did not.
    """

    @property
    def encoding(self) -> None:
        """None stands for `DEFAULT_CHARSET`."""

    @encoding.setter
    def encoding(self, value: str | None) -> None:
        """Django sets what the client named."""
