"""Orders sizes such as `350M`, `7B` and `8X7B` by the number of parameters they stand for."""

import re
from collections.abc import Iterable
from decimal import Decimal
from math import prod

_UNITS = {"B": Decimal(1), "M": Decimal("0.001"), "K": Decimal("0.000001")}
_UNIT = re.compile("[BMK]")


def size_magnitude(size: str) -> Decimal:
    """Billions of parameters of a size as the parser writes it; digits behind the unit join the number."""
    unit = _UNIT.search(size)[0]
    # Decimal, not float: equal sizes must compare equal, and a number of any length must stay finite.
    numbers = size.replace(unit, "").split("X")
    return prod(map(Decimal, numbers), start=_UNITS[unit])


def sizes_sorted(sizes: Iterable[str]) -> list[str]:
    """Smallest first; sizes of equal magnitude by their text."""
    return sorted(set(sizes), key=lambda size: (size_magnitude(size), size))
