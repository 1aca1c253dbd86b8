"""What tests of followers share: a deployment that follows a double, and what it holds."""

from collections.abc import Iterator

import pytest

from references.categories import CATEGORIES
from references.documents import snapshot
from references.following import client
from references.following.rounds import Outcome, follow_once
from references.models import FollowedPart
from references.vocabulary import ReplicateMode
from tests.githubdouble import only_loopback
from tests.primarydouble import PrimaryDouble, Views, running_primary

BODY_LIMIT = 500_000


@pytest.fixture
def primary(settings, monkeypatch) -> Iterator[PrimaryDouble]:
    """The PRIMARY of this deployment, which has three categories with models."""
    settings.REPLICATE_MODE = ReplicateMode.REPLICA
    only_loopback(monkeypatch)
    monkeypatch.setattr(client, "BODY_LIMIT", BODY_LIMIT)
    with running_primary(settings) as double:
        filled(double)
        yield double


def filled(double: PrimaryDouble) -> None:
    for name in ("Painter", "Étude", "Sketcher"):
        double.put("image_generation", name, description=f"the {name}")
    double.put("text_generation", "Org/Writer-7B")
    double.put("clip", "ViT-L/14")


def held(category: str) -> Views:
    """What this deployment serves of the category."""
    have = snapshot(category)
    if not have.rows:
        return Views(None, None)
    has_v1 = CATEGORIES[category].has_legacy_form
    return Views(have.v2.body, have.v1.body if has_v1 else None)


def everything_held() -> dict[str, Views]:
    return {category: held(category) for category in CATEGORIES}


def everything_there(double: PrimaryDouble) -> dict[str, Views]:
    return {category: double.views(category) for category in CATEGORIES}


def errors() -> dict[str, str]:
    """What is wrong with each part that is not in step."""
    parts = FollowedPart.objects.exclude(last_error="")
    return dict(parts.values_list("name", "last_error"))


def once() -> Outcome:
    return follow_once()
