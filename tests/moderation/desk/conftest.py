"""What tests of the desk share: people who are signed in, and an AI-Horde that nobody waits for."""

import pytest

from references.horde import HordeUnavailable
from tests.moderation.pages.conftest import allowlists, horde, sign_in
from tests.references.pages.conftest import usage

__all__ = ["allowlists", "horde", "sign_in", "usage"]


@pytest.fixture(autouse=True)
def quiet_horde(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless a test has usage, the AI-Horde has never answered."""

    def refuse(kind: str, *, wait: float) -> None:
        assert wait == 0
        raise HordeUnavailable("down")

    if "usage" not in request.fixturenames:
        monkeypatch.setattr("moderation.desk.model_use.usage_data", refuse)
