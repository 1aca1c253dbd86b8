"""Deployments under load and faults. These tests take minutes, so only `-m deployment` runs them."""

from collections.abc import Iterator

import pytest

from tests.deployment.backends import Postgres, running_postgres


@pytest.fixture
def postgres() -> Iterator[Postgres]:
    with running_postgres() as postgres:
        yield postgres
