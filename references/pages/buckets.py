"""Ranges of sizes that records are counted and filtered by. Pure."""

from dataclasses import dataclass
from itertools import pairwise

from references.statistics import PARAMETER_BUCKETS

_GIGABYTE = 10**9


@dataclass(frozen=True, slots=True)
class SizeBucket:
    """Sizes on disk in bytes; `high`, where there is one, is outside of it."""

    label: str
    low: int
    high: int | None = None

    def holds(self, size: float) -> bool:
        return self.low <= size and (self.high is None or size < self.high)


SIZE_BUCKETS = (
    SizeBucket("under 1 GB", 0, _GIGABYTE),
    *(
        SizeBucket(f"{low}–{high} GB", low * _GIGABYTE, high * _GIGABYTE)
        for low, high in pairwise((1, 2, 3, 4, 6, 8, 12, 16, 32))
    ),
    SizeBucket("over 32 GB", 32 * _GIGABYTE),
)
SIZE_LABELS = tuple(bucket.label for bucket in SIZE_BUCKETS)
PARAMETER_LABELS = tuple(bucket.bucket_label for bucket in PARAMETER_BUCKETS)


def size_label(size: float | None) -> str | None:
    if not size:
        return None
    return next(bucket.label for bucket in SIZE_BUCKETS if bucket.holds(size))


def parameters_label(count: float | None) -> str | None:
    if not count:
        return None
    return next(bucket.bucket_label for bucket in PARAMETER_BUCKETS if bucket.holds(count))


def range_words(label: str) -> str:
    """The label of a range as the API has it, such as `3B-6B`, with the dash that ranges are written with."""
    return label.replace("-", "–")
