"""The only writers of aliases, families and naming schemas.

Each takes the lock of the one state row, checks, writes, bumps the revision and announces the write, in one
transaction. Where nothing would change nothing is written, counted or announced.
"""

from collections.abc import Callable, Iterable
from typing import ParamSpec

