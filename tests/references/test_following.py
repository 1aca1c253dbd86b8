"""A REPLICA is what its PRIMARY is, in both versions; what it is sent instead of that changes nothing."""

import json
import time

import pytest
from django.db import DataError, IntegrityError

from moderation.models import AuditEvent
from moderation.rebuild import differences
from moderation.replay import log_replay
from references.documents import snapshot
from references.following import rounds
from references.following.reading import READ_ATTEMPTS
from references.following.services import category_mirror
from references.models import Category, FollowedPart, ModelRecord, PrimaryLink
from references.services import record_delete, record_put
from references.structure_services import aliases_put, family_put
from references.text_structure import text_structure
from tests.factories import make_legacy, make_legacy_file, make_v2
from tests.githubdouble import running_github
from tests.primarydouble import FAULTS
from tests.references.following import errors, everything_held, everything_there, held, once, primary

__all__ = ["primary"]
pytestmark = pytest.mark.django_db

IMAGES = "image_generation"
SCHEMA = {
    "separator": "_",
    "part_order": ["base"],
    "author_included": True,
    "common_author": None,
    "template": None,
    "extra_parts": [],
}


def log_explains_all() -> bool:
    replay = log_replay()
    return [*replay.faults, *differences(replay)] == []


def test_a_first_round_copies_both_versions_of_everything_byte_for_byte(primary):
    assert once().failed == []
    assert everything_held() == everything_there(primary)
    assert snapshot(IMAGES).v2.last_modified == primary.states[IMAGES].last_updated
    assert snapshot(IMAGES).revision == primary.states[IMAGES].revision == 3
    assert log_explains_all()


def test_what_did_not_move_is_asked_for_once_and_not_sent(primary):
    once()
    events = AuditEvent.objects.count()
    primary.sent.clear()
    primary.calls.clear()
    assert once().failed == []
    assert {path for path in primary.sent if path[:3] in {"v2/", "v1/"}} <= {
        "v2/text_generation/aliases",
        "v2/text_generation/families",
        "v2/text_generation/groups/summary",
    }
    assert primary.calls[f"v2/{IMAGES}"] == 1
    assert primary.calls[f"v1/{IMAGES}"] == 0
    assert AuditEvent.objects.count() == events


@pytest.mark.parametrize(
    "tells",
    [{"tags", "revisions"}, {"revisions"}, {"tags", "metadata"}, {"tags"}, {"metadata"}, set()],
    ids=str,
)
def test_changes_are_followed_whatever_the_primary_tells_of_its_state(primary, tells):
    primary.tells = tells
    once()
    primary.put(IMAGES, "New", description="new")
    primary.put(IMAGES, "Painter", description="changed")
    primary.delete(IMAGES, "Étude")
    primary.put("lora", "First")
    assert once().failed == []
    assert everything_held() == everything_there(primary)
    assert log_explains_all()


def test_without_entity_tags_an_old_time_of_change_is_enough_to_skip_a_category(primary):
    primary.tells = {"metadata"}
    once()
    primary.calls.clear()
    once()
    assert primary.calls[f"v2/{IMAGES}"] == primary.calls["v2/clip"] == 0
    assert primary.calls["v2/metadata/metadata"] == 1


def test_without_entity_tags_a_fresh_time_of_change_is_not_trusted_yet(primary):
    primary.tells = {"metadata"}
    once()
    told = int(FollowedPart.objects.get(pk=IMAGES).fetched_at) - rounds.STRUCTURE_SECONDS // 10
    primary.states[IMAGES].last_updated = int(told)
    once()
    primary.calls.clear()
    once()
    assert primary.calls[f"v2/{IMAGES}"] > 0
    assert primary.calls["v2/clip"] == 0


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_fresh_time_of_change_is_none_the_older_for_a_clock_that_differs(primary, hours):
    primary.tells = {"metadata"}
    primary.clock_ahead = hours * 3600
    told = int(time.time()) + primary.clock_ahead
    primary.states[IMAGES].last_updated = told
    stale = primary.views(IMAGES)
    primary.states[IMAGES].records["Late"] = make_v2(IMAGES, "Late")
    primary.sent_as = {f"v2/{IMAGES}": stale.v2, f"v1/{IMAGES}": stale.v1}
    once()
    assert held(IMAGES) == stale
    primary.sent_as = {}
    once()
    assert held(IMAGES) == primary.views(IMAGES)
    FollowedPart.objects.filter(pk=IMAGES).update(fetched_at=time.time() + 600)
    primary.calls.clear()
    once()
    assert primary.calls[f"v2/{IMAGES}"] == 0


def test_the_log_holds_only_what_changed(primary):
    once()
    before = AuditEvent.objects.count()
    primary.put(IMAGES, "Sketcher", description="another")
    once()
    [event] = AuditEvent.objects.filter(event_id__gt=before)
    assert (event.model_name, event.operation, event.logical_user_id) == ("Sketcher", "update", "system")


def test_a_model_that_comes_back_at_its_old_place_moves_no_other(primary):
    for name in "abcdef":
        primary.put("lora", name)
    once()
    original = dict(primary.states["lora"].records)
    primary.delete("lora", "c")
    once()
    before = AuditEvent.objects.count()
    primary.states["lora"].records = original
    primary.states["lora"].note("create")
    once()
    assert held("lora") == primary.views("lora")
    assert [event.model_name for event in AuditEvent.objects.filter(event_id__gt=before)] == ["c"]


def test_any_new_order_is_taken_over_and_the_log_explains_it(primary):
    for name in "abcdef":
        primary.put("lora", name)
    once()
    for order in ("fedcba", "abXcdYef", "Yfa", "YZfa"):
        records = {name: make_v2("lora", name) for name in order}
        primary.states["lora"].records = records
        primary.states["lora"].note("update")
        assert once().failed == []
        assert held("lora") == primary.views("lora")
        assert list(json.loads(held("lora").v2)) == list(order)
        assert log_explains_all()


@pytest.mark.parametrize("version", ["v2", "v1"])
@pytest.mark.parametrize("fault", FAULTS)
def test_an_answer_of_no_use_changes_nothing_and_the_next_good_one_is_taken(primary, fault, version):
    once()
    before = held(IMAGES)
    primary.put(IMAGES, "New")
    primary.modes = {f"{version}/{IMAGES}": [fault] * 20}
    assert IMAGES in once().failed
    assert held(IMAGES) == before
    assert errors()[IMAGES]
    primary.modes.clear()
    assert once().failed == []
    assert held(IMAGES) == primary.views(IMAGES)
    assert errors() == {}


@pytest.mark.parametrize(
    "config", [{"files": ["a"]}, {"files": [{"path": ["a"]}]}, {"download": [{"file_name": 1}]}]
)
def test_files_of_version_1_that_no_later_change_could_tell_apart_are_refused(primary, config):
    once()
    before = held(IMAGES)
    legacy = json.loads(before.v1)
    primary.sent_as[f"v1/{IMAGES}"] = json.dumps(
        {**legacy, "Painter": {"name": "Painter", "config": config}}
    ).encode()
    primary.states[IMAGES].note("update")
    assert once().failed == [IMAGES]
    assert errors()[IMAGES].startswith(f"v1/{IMAGES}: 'Painter': ")
    assert held(IMAGES) == before


@pytest.mark.parametrize(
    ("category", "name", "odd"),
    [
        ("text_generation", "Org/Writer-7B", {"tags": [1]}),
        ("text_generation", "Org/Writer-7B", {"tags": [["a"]]}),
        ("text_generation", "Org/Writer-7B", {"tags": "abc"}),
        (IMAGES, "Painter", {"config": {"download": [{}]}}),
        (IMAGES, "Painter", {"config": {"download": ["a.ckpt"]}}),
        (IMAGES, "Painter", {"extra": json.loads("[" * 400 + "]" * 400)}),
    ],
)
def test_a_record_that_version_1_cannot_be_made_of_is_refused_with_its_category(primary, category, name, odd):
    once()
    before = held(category)
    records = {**primary.states[category].records, name: make_v2(category, name) | odd}
    primary.states[category].note("update")
    primary.sent_as[f"v2/{category}"] = json.dumps(records).encode()
    primary.sent_as[f"v1/{category}"] = before.v1.replace(name.encode(), b"Another")
    primary.put("clip", "New")
    assert once().failed == [category]
    assert errors()[category].startswith(f"v2/{category}: {name!r}: ")
    assert held(category) == before
    assert held("clip") == primary.views("clip")


def test_caches_on_the_way_are_to_ask_the_primary(primary):
    once()
    assert primary.cache_controls == {"no-cache"}


@pytest.mark.parametrize("failure", [IntegrityError, DataError])
def test_what_the_store_refuses_of_one_part_is_noted_and_holds_up_no_other(
    primary, settings, monkeypatch, failure
):
    def mirror(**given):
        if given["copy"].category == IMAGES:
            raise failure("no room for this\nDETAIL: none")
        return category_mirror(**given)

    settings.PRIMARY_API_BACKOFF_SECONDS = 10
    monkeypatch.setattr(rounds, "category_mirror", mirror)
    outcome = once()
    assert (outcome.failed, outcome.unreachable) == ([IMAGES], None)
    assert errors() == {IMAGES: "cannot be stored: no room for this"}
    assert held("clip") == primary.views("clip")
    part = FollowedPart.objects.get(pk=IMAGES)
    assert (part.source, part.failures, part.retry_at > time.time()) == ("", 1, True)
    monkeypatch.undo()
    assert once().failed == []


@pytest.mark.parametrize("fault", ["slow", "drip", "head", "chunk"])
def test_an_answer_that_does_not_end_is_given_up_in_time(primary, settings, fault):
    once()
    before = held("clip")
    settings.PRIMARY_API_TIMEOUT = 0.1
    primary.put("clip", "New")
    primary.modes = {"v2/clip": [fault] * 9}
    assert "clip" in once().failed
    assert held("clip") == before


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_that_passes_within_the_round_may_cost_nothing(primary, fault):
    once()
    primary.put("clip", "New")
    primary.modes = {"v2/clip": [fault]}
    once()
    assert held("clip") == primary.views("clip") or errors()["clip"]
    once()
    assert everything_held() == everything_there(primary)


def test_views_of_two_states_are_never_put_together(primary):
    once()
    before = held(IMAGES)
    moves = iter(range(100))

    def move(path: str) -> None:
        if path == f"v1/{IMAGES}":
            primary.put(IMAGES, "Painter", description=f"{next(moves)}")

    primary.put(IMAGES, "New")
    primary.on_call = move
    assert once().failed == [IMAGES]
    assert errors()[IMAGES] == f"{IMAGES} changed during each of {READ_ATTEMPTS} reads"
    assert held(IMAGES) == before
    primary.on_call = lambda path: None
    once()
    assert held(IMAGES) == primary.views(IMAGES)


@pytest.mark.parametrize("tells", [{"tags", "revisions"}, {"metadata"}, {"tags"}, set()], ids=str)
def test_a_change_between_the_views_is_noticed_and_both_are_read_again(primary, tells):
    primary.tells = tells
    once()
    primary.put(IMAGES, "New")
    left = [True]

    def move(path: str) -> None:
        if path == f"v1/{IMAGES}" and left:
            left.clear()
            primary.put(IMAGES, "Painter", description="moved")

    primary.on_call = move
    assert once().failed == []
    assert held(IMAGES) == primary.views(IMAGES)


def test_a_category_is_emptied_only_when_the_metadata_tells_of_a_deletion(primary):
    once()
    before = held("clip")
    primary.states["clip"].records.clear()
    assert once().failed == ["clip"]
    assert errors()["clip"] == "v2/clip: no models, where 1 are held; its metadata tells of no deletion"
    assert held("clip") == before
    primary.states["clip"].note("delete")
    assert once().failed == []
    assert held("clip") == (None, None)
    assert log_explains_all()


def test_an_operator_may_accept_an_empty_category(primary):
    once()
    primary.states["clip"].records.clear()
    assert rounds.follow_once(accepted=["clip"]).failed == []
    assert held("clip") == (None, None)


def test_what_somebody_wrote_here_is_put_back(primary):
    once()
    record_put(category="clip", name="mine", record=make_v2("clip", "mine"))
    record_delete(category=IMAGES, name="Painter")
    assert once().failed == []
    assert everything_held() == everything_there(primary)


def test_a_primary_that_went_back_in_time_is_followed_and_revisions_here_still_grow(primary):
    for _ in range(5):
        primary.put("clip", "New")
    once()
    revision = Category.objects.get(pk="clip").revision
    primary.states["clip"].revision = 2
    primary.states["clip"].records.pop("New")
    once()
    assert held("clip") == primary.views("clip")
    assert Category.objects.get(pk="clip").revision == revision + 1


def test_models_that_only_one_version_knows_are_served_as_the_primary_does(primary, monkeypatch):
    views = primary.views(IMAGES)
    legacy = json.loads(views.v1)
    del legacy["Étude"]
    legacy["Only in version 1"] = make_legacy(IMAGES, "Only in version 1")
    frozen = views._replace(v1=json.dumps(legacy, indent=2, ensure_ascii=False).encode())
    monkeypatch.setattr(primary, "views", lambda category: frozen if category == IMAGES else views)
    primary.states = {IMAGES: primary.states[IMAGES]}
    primary.tells = set()
    once()
    assert held(IMAGES) == frozen


def test_words_that_are_not_known_here_are_no_reason_to_refuse_a_category(primary):
    record = {
        **make_v2(IMAGES, "Tomorrow"),
        "baseline": "not_yet_invented",
        "novelty": {"of": ["a", 1, None]},
    }
    primary.states[IMAGES].records["Tomorrow"] = record
    primary.states[IMAGES].note("create")
    assert once().failed == []
    assert json.loads(held(IMAGES).v2)["Tomorrow"] == record


def test_aliases_families_and_naming_schemas_follow(primary):
    aliases_put(canonical="Gone", aliases=["x"])
    family_put(name="Left", members=["a", "b"])
    primary.structure = {
        "aliases": {"Writer": ["x", "Scribe"]},
        "families": {"Right": ["a"], "Left": ["b"]},
        "schemas": {"Writer": SCHEMA},
    }
    assert once().failed == []
    have = text_structure()
    assert have.aliases == {"Writer": ("x", "Scribe")}
    assert have.families == {"Left": ("b",), "Right": ("a",)}
    assert have.schemas == {"Writer": SCHEMA}
    primary.structure = {"aliases": {"Other": ["Scribe"]}, "families": {"Left": ["a"]}, "schemas": {}}
    assert once().failed == []
    have = text_structure()
    assert (have.aliases, have.families, have.schemas) == ({"Other": ("Scribe",)}, {"Left": ("a",)}, {})


def test_names_that_the_primary_lists_twice_count_once_and_are_not_written_anew(primary):
    primary.structure |= {"aliases": {"Writer": ["x", "y", "x"]}, "families": {"Left": ["b", "a", "b"]}}
    once()
    have = text_structure()
    assert (have.aliases, have.families) == ({"Writer": ("x", "y")}, {"Left": ("a", "b")})
    assert once().failed == []
    assert text_structure().revision == have.revision


def test_a_structure_that_contradicts_itself_is_refused_whole(primary):
    primary.structure["aliases"] = {"Writer": ["Scribe"]}
    once()
    primary.structure["aliases"] = {"Author": ["Pen"], "Writer": ["Pen"]}
    assert once().failed == ["text_structure"]
    assert text_structure().aliases == {"Writer": ("Scribe",)}


def test_a_primary_without_structure_leaves_it_as_it_is(primary):
    aliases_put(canonical="Writer", aliases=["Scribe"])
    primary.tells.discard("structure")
    assert once().failed == []
    assert text_structure().aliases == {"Writer": ("Scribe",)}


def test_one_category_that_fails_keeps_no_other_from_following(primary):
    once()
    primary.put("clip", "New")
    primary.put("text_generation", "Org/Second-7B")
    for fault in ("cut", "500", "html"):
        primary.modes = {f"v2/{IMAGES}": [fault] * 99}
        once()
        once()
        assert errors().keys() == {IMAGES}
    assert held("clip") == primary.views("clip")
    assert held("text_generation") == primary.views("text_generation")


def test_an_unreachable_primary_is_asked_no_more_in_the_round(primary):
    primary.modes = {"v": ["down"] * 99}
    outcome = once()
    assert outcome.unreachable == f"v2/{IMAGES}: ConnectionError"
    assert sum(primary.calls.values()) == 3
    assert PrimaryLink.objects.get().failures == 1
    assert not ModelRecord.objects.exists()


def test_github_fills_what_nobody_ever_had_and_the_primary_takes_over(primary, settings):
    settings.LEGACY_DOWNLOAD_RETRY_MAX_ATTEMPTS = 1
    files = {"clip.json": make_legacy_file(make_legacy("clip", "From GitHub")).encode()}
    with running_github(settings, files, {}) as github:
        settings.ENABLE_GITHUB_FALLBACK = True
        primary.put("blip", "From the PRIMARY")
        primary.modes = {"v2/clip": ["500"] * 3}
        once()
        assert list(json.loads(held("clip").v2)) == ["From GitHub"]
        assert FollowedPart.objects.get(pk="clip").source == "github"
        primary.modes = {"v": ["down"] * 99}
        calls = github.count("clip.json")
        once()
        assert github.count("clip.json") == calls
        assert github.count("blip.json") == 0
        assert held("blip") == primary.views("blip")
    primary.modes.clear()
    assert once().failed == []
    assert everything_held() == everything_there(primary)
    assert log_explains_all()


def test_without_the_fallback_github_is_not_asked(primary, settings):
    with running_github(settings, {"clip.json": b"{}"}, {}) as github:
        primary.modes = {"v": ["down"] * 99}
        once()
        assert github.calls == {}


def test_never_fetched_is_503_and_known_to_be_empty_is_404(primary, client):
    def status(path: str) -> int:
        return client.get(f"/api/model_references/{path}").status_code

    paths = ("v2/clip", "v2/clip/model/ViT-L/14", "v1/clip", "v1/text_generation", "v2/lora")
    assert {path: status(path) for path in paths} == dict.fromkeys(paths, 503)
    assert "has not been fetched" in client.get("/api/model_references/v2/clip").json()["detail"]
    assert status("v1/lora") == 200
    assert status("v1/video_generation") == 404
    assert status("v2/nothing") == 404
    assert status("v2/clip/search") == status("v2/model_categories") == 200
    assert client.get("/api/heartbeat").status_code == 200
    once()
    assert {path: status(path) for path in paths} == {**dict.fromkeys(paths, 200), "v2/lora": 404}
    assert status("v2/clip/model/None") == 404


def test_a_primary_that_never_filled_a_category_is_no_reason_for_503(settings, client):
    assert client.get("/api/model_references/v2/clip").status_code == 404
