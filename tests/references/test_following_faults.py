"""Whatever happens in whatever order: no mixture of two states, nothing lost, and in step in the end."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from references import documents
from references.categories import CATEGORIES
from references.models import FollowedPart, PrimaryLink
from tests.primarydouble import FAULTS, PrimaryDouble, Views
from tests.references.following import errors, everything_there, filled, held, once, primary

__all__ = ["primary"]
pytestmark = pytest.mark.django_db

FOLLOWED = ("image_generation", "text_generation", "clip", "lora")
NAMES = ("Painter", "Writer-7B", "A", "B", "C")
TELLS = ({"tags", "revisions", "metadata"}, {"metadata"}, {"tags", "metadata"}, {"revisions", "metadata"})

changes = st.tuples(st.sampled_from(["put", "delete"]), st.sampled_from(FOLLOWED), st.sampled_from(NAMES))
# What happens to so many calls of one path, and which changes come while version 1 of a category is read.
faults = st.tuples(
    st.sampled_from([f"{version}/{name}" for version in ("v1", "v2") for name in FOLLOWED] + ["metadata"]),
    st.sampled_from(FAULTS),
    st.integers(1, 9),
)
steps = st.tuples(st.lists(changes, max_size=4), st.lists(faults, max_size=3), st.lists(changes, max_size=2))


@contextmanager
def own_store() -> Iterator[None]:
    """A store that is put back afterwards, in a process that remembers nothing of another one."""
    with transaction.atomic():
        documents._snapshots.clear()
        try:
            yield
        finally:
            transaction.set_rollback(True)
    documents._snapshots.clear()


def restarted(double: PrimaryDouble, tells: set[str]) -> None:
    double.states = {name: type(state)() for name, state in double.states.items()}
    double.tells = tells
    double.modes = {}
    filled(double)


def change(double: PrimaryDouble, act: str, category: str, name: str) -> None:
    state = double.states[category]
    if act == "put":
        double.put(category, name, description=f"at revision {state.revision}")
    elif name in state.records:
        double.delete(category, name)


class History:
    """All that the PRIMARY ever was, and how far this deployment has come in it."""

    def __init__(self, double: PrimaryDouble) -> None:
        self.double = double
        self.states: dict[str, list[Views]] = {name: [Views(None, None)] for name in CATEGORIES}
        self.reached = dict.fromkeys(CATEGORIES, 0)
        self.note()

    def note(self) -> None:
        for name, views in everything_there(self.double).items():
            if self.states[name][-1] != views:
                self.states[name].append(views)

    def change(self, *act: str) -> None:
        change(self.double, *act)
        self.note()

    def check(self) -> None:
        for name in CATEGORIES:
            have = held(name)
            later = self.states[name][self.reached[name] :]
            assert have in later, f"{name} is a mixture, or went back"
            self.reached[name] += later.index(have)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(TELLS), st.lists(steps, min_size=1, max_size=6))
def test_a_replica_only_ever_goes_forward_from_one_state_of_its_primary_to_another(primary, tells, sequence):
    restarted(primary, set(tells))
    history = History(primary)
    with own_store():
        for before, broken, meanwhile in sequence:
            for act in before:
                history.change(*act)
            pending = list(meanwhile)

            def move(path: str, pending: list = pending) -> None:
                if path.startswith("v1/") and pending:
                    history.change(*pending.pop())

            primary.modes = {path: [fault] * times for path, fault, times in broken}
            primary.on_call = move
            once()
            history.check()
        primary.modes, primary.on_call = {}, lambda path: None
        assert once().failed == []
        history.check()
        assert {name: held(name) for name in CATEGORIES} == everything_there(primary)
        assert errors() == {}
        assert FollowedPart.objects.filter(failures__gt=0).count() == PrimaryLink.objects.get().failures == 0
