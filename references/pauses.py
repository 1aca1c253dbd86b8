"""How long to wait before what failed is tried again."""

import random

JITTER = 0.25


def backed_off(failures: int, *, first: float, longest: float) -> float:
    """Seconds: `first` after one failure in a row, twice as long after each further one, `longest` at the most."""
    return min(longest, first * 2.0 ** min(failures - 1, 16))


def jittered(seconds: float, *, least: float = 1.0) -> float:
    """From `least` of the pause to a quarter more than it: never quite the same, so that nobody goes in step."""
    return seconds * random.uniform(least, 1 + JITTER)  # noqa: S311
