"""The circuit breaker of all calls for usage data. Its state is one row, so every process sees the same."""

import time
from typing import TypedDict

from django.db.models import F, Q, QuerySet

from references.horde.claims import claim_lapse, claim_range
from references.horde.client import HordeError
from references.models import HordeCircuit

CIRCUIT_ID = 1
OPEN_AT = 5
PAUSE_SECONDS = 120.0


class CircuitOpen(HordeError):
    """A call that was not made, because the ones before it failed."""


class CircuitState(TypedDict):
    degraded: bool
    consecutive_failures: int
    seconds_until_retry: float | None


def circuit_state(*, at: float | None = None) -> CircuitState:
    circuit = _circuit()
    return {
        "degraded": _is_tripped(circuit),
        "consecutive_failures": circuit.consecutive_failures,
        "seconds_until_retry": round(_pause_left(circuit, _now(at)), 1) or None,
    }


def circuit_is_open(*, at: float | None = None) -> bool:
    """Whether every call would be refused now; false again as soon as a probe may pass."""
    return _pause_left(_circuit(), _now(at)) > 0


def circuit_enter(*, at: float | None = None) -> None:
    """Raises CircuitOpen, unless the circuit is closed or the caller is the one that may probe."""
    now = _now(at)
    circuit = _circuit()
    if not _is_tripped(circuit):
        return
    if _pause_left(circuit, now) > 0 or not _probe_claim(now):
        raise CircuitOpen("the circuit is open")


def circuit_close() -> None:
    """After a success."""
    _rows().exclude(consecutive_failures=0).update(
        consecutive_failures=0, last_failure_at=None, probing_until=None
    )


def circuit_count_failure(*, at: float | None = None) -> None:
    HordeCircuit.objects.bulk_create([HordeCircuit(pk=CIRCUIT_ID)], ignore_conflicts=True)
    _rows().update(
        consecutive_failures=F("consecutive_failures") + 1, last_failure_at=_now(at), probing_until=None
    )


def _probe_claim(now: float) -> bool:
    """Takes the right to probe, which lapses should its holder die."""
    tripped = _rows().filter(consecutive_failures__gte=OPEN_AT)
    unclaimed = Q(probing_until=None) | ~Q(probing_until__range=claim_range(now))
    return tripped.filter(unclaimed).update(probing_until=claim_lapse(now)) == 1


def _is_tripped(circuit: HordeCircuit) -> bool:
    return circuit.consecutive_failures >= OPEN_AT


def _pause_left(circuit: HordeCircuit, now: float) -> float:
    """Seconds until a probe may pass; a time far in the future, left by a wrong clock, holds nothing up."""
    if not _is_tripped(circuit):
        return 0.0
    passed = now - circuit.last_failure_at
    return min(PAUSE_SECONDS, PAUSE_SECONDS - passed) if abs(passed) < PAUSE_SECONDS else 0.0


def _circuit() -> HordeCircuit:
    return _rows().first() or HordeCircuit()


def _rows() -> QuerySet[HordeCircuit]:
    return HordeCircuit.objects.filter(pk=CIRCUIT_ID)


def _now(at: float | None) -> float:
    return time.time() if at is None else at
