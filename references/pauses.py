"""How long to wait before what failed is tried again, and trying it again."""

import logging
import random
import time
from collections.abc import Callable, Iterable
from typing import TypeVar

logger = logging.getLogger(__name__)

Result = TypeVar("Result")

JITTER = 0.25


def backed_off(failures: int, *, first: float, longest: float) -> float:
    """Seconds: `first` after one failure in a row, twice as long after each further one, `longest` at the most."""
    return min(longest, first * 2.0 ** min(failures - 1, 16))


def jittered(seconds: float, *, least: float = 1.0) -> float:
    """From `least` of the pause to a quarter more than it: never quite the same, so that nobody goes in step."""
    return seconds * random.uniform(least, 1 + JITTER)  # noqa: S311


def retried(call: Callable[[], Result], *, passing: type[Exception], pauses: Iterable[float]) -> Result:
    """What `call` returns. After each failure that may pass comes the next pause, while there are any."""
    for pause in pauses:
        try:
            return call()
        except passing as error:
            logger.warning("%s; trying again in %.1f s", error, pause)
            time.sleep(pause)
    return call()
