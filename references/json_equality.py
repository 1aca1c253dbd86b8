"""When two JSON values are the same. Pure."""

from typing import Any


def json_equal(one: Any, other: Any) -> bool:
    """Whether two values say the same, whatever the order of members.

    Python's `==` also takes `true` for `1` and `1.0` for `1`, which are other values to whoever reads them.
    """
    if one is other:
        return True
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(json_equal(value, other[key]) for key, value in one.items())
    if isinstance(one, list):
        return len(one) == len(other) and all(map(json_equal, one, other))
    return one == other
