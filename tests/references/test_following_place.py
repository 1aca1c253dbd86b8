"""One process follows at a time; how often it asks, what it notes, and what the command says of it."""

import io
import logging
import threading

import pytest
from django.core.management import CommandError, call_command

from references.categories import CATEGORIES
from references.following import place, rounds
from references.following.place import LONGEST_PAUSE, Place, PlaceLost, pause_after
from references.following.rounds import _turn
from references.following.state import follow_state
from references.management.commands.serve import side_commands
from references.models import FollowedPart, PrimaryLink
from references.vocabulary import ReplicateMode
from tests.hordedouble import stop_clock
from tests.references.following import everything_held, everything_there, held, once, primary

__all__ = ["primary"]
pytestmark = pytest.mark.django_db


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("follow_primary", *arguments, stdout=out)
    return out.getvalue()


def test_one_process_at_a_time_has_the_place(primary):
    first, second = Place(), Place()
    assert first.claim()
    assert not second.claim()
    assert not second.claim(forced=True)
    first.leave(error=None, answered=True)
    assert not second.claim()
    assert second.claim(forced=True)


def test_a_place_whose_holder_died_is_free_after_a_while(primary, monkeypatch):
    clock = stop_clock(monkeypatch)
    dead, living = Place(), Place()
    assert dead.claim()
    clock.now += 80
    assert living.claim()
    with pytest.raises(PlaceLost):
        dead.keep()


@pytest.mark.parametrize("distance", [-1e6, 1e6])
def test_a_claim_of_a_wrong_clock_holds_nothing_up(primary, monkeypatch, distance):
    clock = stop_clock(monkeypatch)
    assert Place().claim()
    PrimaryLink.objects.update(held_until=clock.now + distance, due_at=clock.now + distance)
    assert Place().claim()


def test_a_process_that_lost_its_place_writes_nothing(primary, monkeypatch):
    once()
    before = held("clip")
    primary.put("clip", "New")

    def lose(path: str) -> None:
        if path == "v1/clip":
            PrimaryLink.objects.update(holder="somebody else")

    # The double answers from a thread of its own, which sees no transaction of the test.
    category_mirror = rounds.category_mirror
    monkeypatch.setattr(
        rounds, "category_mirror", lambda **given: (lose("v1/clip"), category_mirror(**given))[1]
    )
    with pytest.raises(PlaceLost):
        once()
    assert held("clip") == before
    assert PrimaryLink.objects.get().holder == "somebody else"


def test_rounds_are_as_far_apart_as_the_setting_says(primary, settings, monkeypatch):
    settings.CACHE_TTL_SECONDS = 30
    clock = stop_clock(monkeypatch)
    pause = _turn()
    assert everything_held() == everything_there(primary)
    assert 3 <= pause <= 38
    due_at = PrimaryLink.objects.get().due_at
    assert 30 <= due_at - clock.now <= 37.5
    primary.calls.clear()
    _turn()
    assert not primary.calls
    clock.now = due_at
    _turn()
    assert primary.calls["v2/clip"] == 1


def test_failed_rounds_come_ever_farther_apart_until_one_succeeds(primary, settings, monkeypatch):
    settings.PRIMARY_API_BACKOFF_SECONDS = 10
    clock = stop_clock(monkeypatch)
    primary.modes = {"v": ["down"] * 999}
    pauses = []
    for _ in range(8):
        _turn()
        link = PrimaryLink.objects.get()
        pauses.append(link.due_at - clock.now)
        clock.now = link.due_at
    least = [10, 20, 40, 80, 160, 300, 300, 300]
    assert all(low <= pause <= low * 1.25 for low, pause in zip(least, pauses, strict=True))
    assert link.failures == 8
    assert follow_state().failures == 8
    primary.modes.clear()
    _turn()
    link.refresh_from_db()
    assert (link.failures, link.last_error) == (0, "")
    assert everything_held() == everything_there(primary)


def test_attempts_pause_between_one_and_ten_seconds(primary, settings, monkeypatch):
    settings.PRIMARY_API_BACKOFF_SECONDS = 10
    clock = stop_clock(monkeypatch)
    primary.modes = {"v2/image_generation": ["500"] * 2}
    once()
    assert len(clock.slept) == 2
    assert 1 <= clock.slept[0] <= 2
    assert 1 <= clock.slept[1] <= 4
    assert everything_held() == everything_there(primary)


def test_a_category_that_fails_waits_and_the_others_do_not(primary, settings, monkeypatch):
    settings.PRIMARY_API_BACKOFF_SECONDS = 100
    clock = stop_clock(monkeypatch)
    _turn()
    primary.modes = {"v2/clip": ["html"] * 2}
    clock.now = PrimaryLink.objects.get().due_at
    _turn()
    part = FollowedPart.objects.get(pk="clip")
    assert 100 <= part.retry_at - clock.now <= 125
    primary.calls.clear()
    clock.now = PrimaryLink.objects.get().due_at
    _turn()
    assert (primary.calls["v2/clip"], primary.calls["v2/blip"]) == (0, 1)
    clock.now = max(part.retry_at, PrimaryLink.objects.get().due_at)
    _turn()
    assert primary.calls["v2/clip"] == 1


def test_another_primary_is_asked_for_everything_and_nothing_held_is_lost(primary, settings):
    once()
    assert FollowedPart.objects.get(pk="clip").v2_tag
    settings.PRIMARY_API_URL = primary.url.replace("127.0.0.1", "127.0.0.1.")
    assert Place().claim(forced=True)
    assert not FollowedPart.objects.exclude(v2_tag="").exists()
    assert held("clip") == primary.views("clip")


def test_the_state_tells_how_far_behind_each_category_is(primary, monkeypatch):
    clock = stop_clock(monkeypatch)
    assert follow_state().lag is None
    once()
    clock.now += 100
    primary.modes = {"v2/clip": ["html"] * 9}
    once()
    clock.now += 5
    state = follow_state()
    parts = {part.name: part for part in state.parts}
    assert (state.lag, parts["clip"].lag, parts["blip"].lag) == (105, 105, 5)
    assert (parts["clip"].models, parts["clip"].revision, parts["clip"].failures) == (1, 1, 1)
    assert parts["clip"].last_error == "v2/clip: the answer is not JSON"


def test_a_claim_is_renewed_between_the_calls_for_one_part(primary, monkeypatch):
    monkeypatch.setattr(place, "RENEWAL_SECONDS", -1)
    ends = []
    renew = Place.renew

    def note(self: Place) -> None:
        renew(self)
        ends.append(PrimaryLink.objects.values_list("held_until", flat=True).get())

    monkeypatch.setattr(Place, "renew", note)
    once()
    assert len(ends) > len(CATEGORIES)
    assert ends == sorted(ends)
    assert len(set(ends)) == len(ends)


def test_a_place_that_was_lost_meanwhile_ends_the_round_at_the_next_call(primary, monkeypatch):
    monkeypatch.setattr(place, "RENEWAL_SECONDS", -1)
    primary.on_call = lambda path: taken.set()
    taken = threading.Event()
    keep = Place.keep

    def lose(self: Place) -> None:
        if taken.is_set():
            PrimaryLink.objects.update(holder="another")
        keep(self)

    monkeypatch.setattr(Place, "keep", lose)
    with pytest.raises(PlaceLost):
        once()
    assert sum(primary.calls.values()) == 1


def test_the_command_prints_a_table_and_its_status_tells_of_failures(primary):
    lines = run("--once").splitlines()
    assert lines[0] == f"PRIMARY: {primary.url}"
    assert lines[1].split() == ["category", "source", "models", "revision", "state"]
    assert lines[2].split()[:4] == ["image_generation", "primary", "3", "3"]
    assert len(lines) == 17
    primary.modes = {"v2/clip": ["html"] * 9}
    with pytest.raises(CommandError, match=r"^Not in step: clip\.$"):
        run("--once")


def test_the_command_is_for_replicas_that_may_use_the_network(primary, settings):
    settings.OFFLINE = True
    with pytest.raises(CommandError, match="OFFLINE is set"):
        run("--once")
    settings.OFFLINE, settings.REPLICATE_MODE = False, ReplicateMode.PRIMARY
    with pytest.raises(CommandError, match="is a PRIMARY"):
        run()
    assert not primary.calls


def test_the_command_does_not_follow_beside_another(primary):
    assert Place().claim()
    with pytest.raises(CommandError, match="Another process is following .* nothing to do by hand"):
        run("--once")


def test_serve_runs_a_follower_on_replicas_alone(settings):
    settings.REPLICATE_MODE, settings.OFFLINE = ReplicateMode.REPLICA, False
    assert "follow_primary" in side_commands()
    settings.OFFLINE = True
    assert "follow_primary" not in side_commands()
    settings.REPLICATE_MODE, settings.OFFLINE = ReplicateMode.PRIMARY, False
    assert "follow_primary" not in side_commands()


def test_no_password_in_the_address_gets_into_log_or_state(primary, settings, caplog):
    caplog.set_level(logging.DEBUG, logger="references")
    settings.PRIMARY_API_URL = primary.url.replace("://", "://someone:hunter2@")
    primary.modes = {"v": ["down", "500", "login"]}
    once()
    told = caplog.text + repr(follow_state()) + repr(list(FollowedPart.objects.values()))
    assert "hunter2" not in told
    assert follow_state().primary == primary.url


def test_pauses_differ_so_that_deployments_do_not_ask_in_step(settings):
    settings.PRIMARY_API_BACKOFF_SECONDS = 10
    pauses = {pause_after(3) for _ in range(20)}
    assert len(pauses) > 10
    assert all(40 <= pause <= 50 for pause in pauses)
    assert LONGEST_PAUSE <= pause_after(400) <= LONGEST_PAUSE * 1.25
