"""The AI-Horde's answers, parsed. An unusable item is left out; an answer of the wrong kind is an error."""

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar

from references.horde.client import HordeBadAnswer

logger = logging.getLogger(__name__)

SHOWN_CHARACTERS = 200
# Beyond it not every client reads a number as it was written.
LARGEST_NUMBER = 2**53

Item = TypeVar("Item")


class _Unusable(ValueError):
    """An item lacks something that is needed."""


@dataclass(frozen=True, slots=True)
class ModelStatus:
    """What is going on with one upstream model name now."""

    name: str
    count: int
    jobs: int | None = None
    queued: int | None = None
    eta: int | None = None
    performance: float | None = None


@dataclass(frozen=True, slots=True)
class ModelUsage:
    """Requests per upstream model name in the last day, the last month and ever, in the order received."""

    day: dict[str, int] = field(default_factory=dict)
    month: dict[str, int] = field(default_factory=dict)
    total: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Worker:
    """Someone's machine and the upstream names of the models it serves."""

    id: str
    name: str
    models: tuple[str, ...]
    performance: str | None = None
    online: bool | None = None
    trusted: bool | None = None
    uptime: int | None = None


def username_parse(body: bytes) -> str | None:
    """The name of a key's user, if there is one that PostgreSQL (which takes no NUL) can hold."""
    found = _json(body)
    username = _text(found.get("username")) if isinstance(found, dict) else None
    return None if username is None or "\0" in username else username


def status_parse(body: str) -> tuple[ModelStatus, ...]:
    return _items(body, _status)


def workers_parse(body: str) -> tuple[Worker, ...]:
    return _items(body, _worker)


def usage_parse(body: str) -> ModelUsage:
    """Each of the maps may be missing; an object with other members only is something else, say a message."""
    found = _json(body)
    if not isinstance(found, dict):
        raise HordeBadAnswer(f"an object was expected, not {type(found).__name__}")
    periods = [period.name for period in fields(ModelUsage)]
    if found and found.keys().isdisjoint(periods):
        raise HordeBadAnswer("an object without usage")
    return ModelUsage(**{period: _counts(found.get(period)) for period in periods})


def _status(item: dict) -> ModelStatus:
    return ModelStatus(
        name=_needed(_text(item.get("name"))),
        count=_needed(_whole(item.get("count"))),
        jobs=_whole(item.get("jobs")),
        queued=_whole(item.get("queued")),
        eta=_whole(item.get("eta")),
        performance=_number(item.get("performance")),
    )


def _worker(item: dict) -> Worker:
    models = item.get("models")
    if not isinstance(models, list):
        raise _Unusable
    return Worker(
        id=_needed(_text(item.get("id"))),
        name=_needed(_text(item.get("name"))),
        models=tuple(model for model in models if _text(model) is not None),
        performance=_text(item.get("performance")),
        online=_flag(item.get("online")),
        trusted=_flag(item.get("trusted")),
        uptime=_whole(item.get("uptime")),
    )


def _json(body: str | bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise HordeBadAnswer("not JSON") from None


def _items(body: str, parse: Callable[[dict], Item]) -> tuple[Item, ...]:
    found = _json(body)
    if not isinstance(found, list):
        raise HordeBadAnswer(f"a list was expected, not {type(found).__name__}")
    parsed: list[Item] = []
    skipped: list[Any] = []
    for item in found:
        try:
            parsed.append(parse(_needed(item if isinstance(item, dict) else None)))
        except _Unusable:
            skipped.append(item)
    if skipped and not parsed:
        raise HordeBadAnswer("a list without a usable item")
    _log_skipped(skipped)
    return tuple(parsed)


def _counts(found: Any) -> dict[str, int]:
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise HordeBadAnswer(f"an object of counts was expected, not {type(found).__name__}")
    counts = {name: _whole(value) for name, value in found.items() if _text(name) is not None}
    usable = {name: count for name, count in counts.items() if count is not None}
    _log_skipped([{name: value} for name, value in found.items() if name not in usable])
    return usable


def _log_skipped(items: list[Any]) -> None:
    if items:
        shown = ascii(items[0])[:SHOWN_CHARACTERS]
        logger.warning("Unusable items in an answer of the AI-Horde: %d, the first is %s", len(items), shown)


def _needed(value: Item | None) -> Item:
    if value is None:
        raise _Unusable
    return value


def _text(value: Any) -> str | None:
    """A string that UTF-8 can hold."""
    if isinstance(value, str) and value.encode(errors="replace").decode() == value:
        return value
    return None


def _number(value: Any) -> float | None:
    """A number that an answer can hold; Python's parser lets NaN and infinities pass."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if -LARGEST_NUMBER <= value <= LARGEST_NUMBER else None


def _whole(value: Any) -> int | None:
    number = _number(value)
    return None if number is None else round(number)


def _flag(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None
