"""Claims on a call: one process makes it, the others do not. A claim lapses, should its holder die."""

from django.conf import settings

from references.horde.client import longest_call


def claim_lapse(now: float) -> float:
    """When a claim taken now lapses: after the longest time its call can take."""
    return now + longest_call(settings.HORDE_API_TIMEOUT)


def claim_range(now: float) -> tuple[float, float]:
    """Between which times the lapse of a claim that still holds lies.

    The upper end leaves room for clocks that differ; beyond it only a wrong clock can have set it.
    """
    return now, claim_lapse(claim_lapse(now))
