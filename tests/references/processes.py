"""Other processes than the one that runs the tests."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from django.db import connection

from references import documents


@contextmanager
def fresh_process() -> Iterator[None]:
    """A process that has read no category yet, in the transaction of the test."""
    with patch.object(documents, "_snapshots", {}), patch.object(connection, "run_on_commit", []):
        yield
