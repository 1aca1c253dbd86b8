"""What the AI-Horde says of usage: status, counts and workers, from the last good copy of each answer.

A copy older than its time to live is still served, while a thread fetches the next one. Whoever fetches holds
a claim on the copy's row, so that all processes together ask the AI-Horde once.
"""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from threading import Lock
from typing import Any, Literal, NamedTuple

from django.conf import settings

from references.commit_mark import asked_once
from references.horde.answers import ModelStatus, ModelUsage, Worker, status_parse, usage_parse, workers_parse
from references.horde.circuit import (
    CircuitOpen,
    circuit_close,
    circuit_count_failure,
    circuit_enter,
    circuit_is_open,
)
from references.horde.claims import claim_lapse, claim_range
from references.horde.client import (
    BackgroundCall,
    HordeBadAnswer,
    HordeError,
    HordeUnavailable,
    horde_get_with_retries,
)
from references.horde.waiting import USAGE_PLACES, Waits
from references.models import UsageSnapshot

logger = logging.getLogger(__name__)

# Seconds. With what else a request takes, and waits for a thread, it is over in 10.
REQUEST_WAIT = 9.0
ANSWER_LIMIT = 32 * 1024 * 1024
POLL_FLOOR = 0.1
POLL_CEILING = 1.0

UsageKind = Literal["image", "text"]
KINDS: tuple[UsageKind, ...] = ("image", "text")


@dataclass(frozen=True, slots=True)
class UsageCall:
    """A call for data. `path`, with its query, is below `v2/` and also names the stored copy."""

    path: str
    parse: Callable[[str], Any]


STATUS_CALLS = {
    kind: UsageCall(f"status/models?type={kind}&model_state=known", status_parse) for kind in KINDS
}
USAGE_CALLS = {
    "image": UsageCall("stats/img/models?model_state=known", usage_parse),
    "text": UsageCall("stats/text/models?model_state=known", usage_parse),
}
WORKER_CALLS = {kind: UsageCall(f"workers?type={kind}", workers_parse) for kind in KINDS}


class _Copy(NamedTuple):
    """A parsed answer and when it came, in UNIX seconds."""

    value: Any
    fetched_at: float

    @property
    def is_fresh(self) -> bool:
        return abs(time.time() - self.fetched_at) < settings.HORDE_API_CACHE_TTL


@dataclass(frozen=True, slots=True)
class UsageData:
    """Everything about one kind of model. `fetched_at` tells one state of it from another."""

    status: tuple[ModelStatus, ...]
    usage: ModelUsage
    workers: tuple[Worker, ...] | None
    fetched_at: tuple[float, ...]


_copies: dict[str, _Copy] = {}
_refreshes: dict[str, BackgroundCall[_Copy]] = {}
_refreshes_lock = Lock()
_waits = Waits(USAGE_PLACES)


def models_status(kind: UsageKind, *, wait: float = REQUEST_WAIT) -> tuple[ModelStatus, ...]:
    """Raises HordeError when there is no copy and none comes within `wait` seconds; so do the next three.

    HordeBusy, which is one, comes at once: too many threads wait for copies already.
    """
    return _read([STATUS_CALLS[kind]], wait)[0].value


def models_usage(kind: UsageKind, *, wait: float = REQUEST_WAIT) -> ModelUsage:
    return _read([USAGE_CALLS[kind]], wait)[0].value


def workers(kind: UsageKind, *, wait: float = REQUEST_WAIT) -> tuple[Worker, ...]:
    return _read([WORKER_CALLS[kind]], wait)[0].value


def usage_data(kind: UsageKind, *, include_workers: bool = False, wait: float = REQUEST_WAIT) -> UsageData:
    """All of it at once: calls that have to be made run side by side, and share the time to wait."""
    calls = [STATUS_CALLS[kind], USAGE_CALLS[kind]]
    if include_workers:
        calls.append(WORKER_CALLS[kind])
    copies = _read(calls, wait)
    return UsageData(
        status=copies[0].value,
        usage=copies[1].value,
        workers=copies[2].value if include_workers else None,
        fetched_at=tuple(copy.fetched_at for copy in copies),
    )


def usage_stands(kind: UsageKind, fetched_at: tuple[float, ...]) -> bool:
    """Whether data of these times is what a reader would be given now, and nothing of it is due."""
    calls = (STATUS_CALLS[kind], USAGE_CALLS[kind], WORKER_CALLS[kind])[: len(fetched_at)]
    stored = asked_once("usage copies", _stored_times)
    now = time.time()
    return all(
        stored.get(call.path) == at and abs(now - at) < settings.HORDE_API_CACHE_TTL
        for call, at in zip(calls, fetched_at, strict=True)
    )


def _stored_times() -> dict[str, float]:
    return dict(UsageSnapshot.objects.values_list("path", "fetched_at"))


def refresh(kind: UsageKind) -> dict[str, HordeError | None]:
    """Fetches what is not fresh, with all retries; tells for each path what went wrong, or None."""
    outcomes: dict[str, HordeError | None] = {}
    for call in (STATUS_CALLS[kind], USAGE_CALLS[kind], WORKER_CALLS[kind]):
        try:
            _refresh(call)
        except HordeError as error:
            outcomes[call.path] = error
        else:
            outcomes[call.path] = None
    return outcomes


def _read(calls: Sequence[UsageCall], wait: float) -> list[_Copy]:
    copies = _stored_copies(calls)
    due = [call for call in calls if call.path not in copies or not copies[call.path].is_fresh]
    refreshes = {} if due and circuit_is_open() else {call.path: _refresh_behind(call) for call in due}
    missing = [call.path for call in due if call.path not in copies]
    if missing and not refreshes:
        raise CircuitOpen("the circuit is open")
    if missing:
        with _waits.waiting(wait) as seconds:
            deadline = time.monotonic() + seconds
            for path in missing:
                copies[path] = refreshes[path].outcome(wait=deadline - time.monotonic())
    return [copies[call.path] for call in calls]


def _refresh_behind(call: UsageCall) -> BackgroundCall[_Copy]:
    """The refresh of the call that this process is at; started if there is none."""
    with _refreshes_lock:
        running = _refreshes.get(call.path)
        if running is None or not running.is_alive():
            running = BackgroundCall(partial(_refresh, call), name=f"refresh of {call.path}")
            _refreshes[call.path] = running
            running.start()
        return running


def _refresh(call: UsageCall) -> _Copy:
    claim = _claim(call.path)
    if claim is None:
        return _copy_of_another_process(call)
    try:
        stored = _stored_copies([call]).get(call.path)
        return stored if stored and stored.is_fresh else _fetch(call)
    finally:
        UsageSnapshot.objects.filter(path=call.path, claimed_until=claim).update(claimed_until=0)


def _fetch(call: UsageCall) -> _Copy:
    circuit_enter()
    try:
        body = _body(call.path)
        copy = _Copy(call.parse(body), time.time())
    except HordeError as error:
        circuit_count_failure()
        logger.warning("%s failed: %s %s", call.path, type(error).__name__, error)
        raise
    circuit_close()
    UsageSnapshot.objects.filter(path=call.path).update(body=body, fetched_at=copy.fetched_at)
    _copies[call.path] = copy
    return copy


def _body(path: str) -> str:
    body = horde_get_with_retries(path, timeout=settings.HORDE_API_TIMEOUT, limit=ANSWER_LIMIT)
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise HordeBadAnswer("not UTF-8") from None


def _claim(path: str) -> float | None:
    """The time at which the claim lapses, should this process die; None when another process has one."""
    row = UsageSnapshot(path=path, body="", fetched_at=0)
    UsageSnapshot.objects.bulk_create([row], ignore_conflicts=True)
    now = time.time()
    lapse = claim_lapse(now)
    unclaimed = UsageSnapshot.objects.filter(path=path).exclude(claimed_until__range=claim_range(now))
    return lapse if unclaimed.update(claimed_until=lapse) else None


def _copy_of_another_process(call: UsageCall) -> _Copy:
    """What is stored, however old; without anything, what the process that holds the claim brings."""
    row = UsageSnapshot.objects.filter(path=call.path).values_list("fetched_at", "claimed_until")
    began = time.time()
    while True:
        fetched_at, claimed_until = row.get()
        if fetched_at:
            break
        now = time.time()
        if claimed_until < now:
            raise HordeUnavailable("another process failed to fetch it")
        # The longer it takes, the less it matters to hear of it a little later.
        time.sleep(min(POLL_CEILING, max(POLL_FLOOR, (now - began) / 4)))
    copies = _stored_copies([call])
    if call.path not in copies:
        raise HordeBadAnswer("the stored copy is unusable")
    return copies[call.path]


def _stored_copies(calls: Sequence[UsageCall]) -> dict[str, _Copy]:
    """The copies there are; one is parsed again only after it changed. Rows at time 0 are only claims."""
    by_path = {call.path: call for call in calls}
    rows = UsageSnapshot.objects.filter(path__in=by_path, fetched_at__gt=0).values_list("path", "fetched_at")
    found: dict[str, _Copy] = {}
    for path, fetched_at in rows:
        held = _copies.get(path)
        if held is None or held.fetched_at != fetched_at:
            held = _load(by_path[path])
        if held is not None:
            found[path] = _copies[path] = held
    return found


def _load(call: UsageCall) -> _Copy | None:
    """The stored copy, parsed; None when this release cannot parse it."""
    row = UsageSnapshot.objects.get(path=call.path)
    try:
        return _Copy(call.parse(row.body), row.fetched_at)
    except HordeBadAnswer as error:
        logger.warning("The stored copy of %s is unusable: %s", call.path, error)
        return None
