"""Who acts on the queue."""

from dataclasses import dataclass
from typing import Protocol


class Actor(Protocol):
    """A person with a name such as `Ada#900` and an id such as `900`."""

    @property
    def user_id(self) -> str: ...

    @property
    def username(self) -> str: ...


@dataclass(frozen=True, slots=True)
class LoggedActor:
    """Someone as the log remembers them."""

    user_id: str
    username: str
