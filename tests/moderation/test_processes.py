"""Many clients of a live server, and many processes over one store: nothing is lost and nothing done twice."""

import random
import time
from collections import Counter
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
import requests
from pytest_django import DjangoDbBlocker
from rest_framework.exceptions import APIException

from moderation.models import AuditEvent, Batch, PendingChange
from moderation.rebuild import differences
from moderation.replay import log_replay
from moderation.services import change_apply, changes_apply
from references.models import Category, ModelRecord
from tests.hordedouble import HordeDouble, running_horde
from tests.moderation.factories import ADA, IMAGES, approve, propose_create
from tests.moderation.processes import (
    APPROVER,
    APPROVER2,
    KEYS,
    REQUESTOR,
    Site,
    Store,
    at_once,
    forked_together,
    live_server,
    throwaway_store,
)

V2 = "model_references/v2"
QUEUE = f"{V2}/pending_queue"
# What the key check may take, and what the machine adds.
KEY_CHECK_PATIENCE = 10 + 5


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with throwaway_store(tmp_path_factory.mktemp("processes")) as store:
        yield store


@pytest.fixture(scope="module")
def site(store: Store) -> Iterator[Site]:
    """A server of two workers, which never fails and never has to be told a failure of."""
    with live_server(store, workers=2) as site:
        yield site
        assert "Traceback" not in site.logged()


@pytest.fixture
def connected(store: Store, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Lets the test look into the store; at its end the log must explain all of it."""
    with store.connected(django_db_blocker):
        yield
        replay = log_replay()
        assert [*replay.faults, *differences(replay)] == []


@pytest.fixture
def empty_queue(site: Site, connected: None) -> None:
    answer = site.send("POST", f"{QUEUE}/purge", {"purge_all": True}, key=APPROVER)
    assert answer.status_code == 200


def propose(site: Site, name: str, **fields: Any) -> requests.Response:
    record = {"name": name, "baseline": "stable_diffusion_xl", "nsfw": False, **fields}
    return site.send("POST", f"{V2}/{IMAGES}", record, key=REQUESTOR)


def act(site: Site, path: str, body: Any = None, *, key: str = APPROVER) -> requests.Response:
    return site.send("POST", f"{QUEUE}/{path}", {} if body is None else body, key=key)


def approved(site: Site, *names: str) -> list[int]:
    """Approved changes that create models of these names, by id."""
    ids = [propose(site, name).json()["change_id"] for name in names]
    answer = act(site, "batches", {"batch_title": "A batch", "approved_ids": ids})
    assert answer.status_code == 200
    return ids


def statuses(answers: list[requests.Response]) -> Counter[int]:
    return Counter(answer.status_code for answer in answers)


def acts_on(*ids: int) -> Counter[str]:
    """How often each act is in the log for these changes."""
    events = AuditEvent.objects.filter(category=AuditEvent.QUEUE, model_name__in=[str(each) for each in ids])
    return Counter(event.payload_as_dict()["after"]["action"] for event in events)


def writes_of(*names: str) -> Counter[str]:
    """How often each kind of live write is in the log for these models."""
    events = AuditEvent.objects.filter(category=IMAGES, model_name__in=names)
    return Counter(events.values_list("operation", flat=True))


@pytest.mark.usefixtures("empty_queue")
def test_fifty_proposals_at_once_are_fifty_changes(site):
    names = [f"at once {number}" for number in range(50)]
    answers = at_once(*[partial(propose, site, name) for name in names])
    assert statuses(answers) == {202: 50}
    ids = {answer.json()["change_id"] for answer in answers}
    assert len(ids) == 50
    listed = site.send("GET", f"{QUEUE}/changes?limit=500", key=APPROVER).json()
    assert {item["change_id"]: item["model_name"] for item in listed["items"]} == {
        answer.json()["change_id"]: answer.json()["model_name"] for answer in answers
    }
    assert listed["total"] == 50
    assert acts_on(*ids) == {"enqueue": 50}


@pytest.mark.usefixtures("empty_queue")
def test_of_twenty_that_apply_a_change_one_does(site):
    change_id, other = approved(site, "of twenty", "left behind")
    before = Category.objects.get(pk=IMAGES).revision
    answers = at_once(*[partial(act, site, f"changes/{change_id}/apply")] * 20)
    assert statuses(answers) == {200: 1, 400: 19}
    assert acts_on(change_id) == {"enqueue": 1, "approve": 1, "apply": 1}
    assert acts_on(other) == {"enqueue": 1, "approve": 1}
    assert writes_of("of twenty") == {"create": 1}
    assert Category.objects.get(pk=IMAGES).revision == before + 1


@pytest.mark.usefixtures("empty_queue")
def test_twenty_of_one_job_are_all_told_the_same(site):
    [change_id] = approved(site, "of one job")
    answers = at_once(*[partial(act, site, f"changes/{change_id}/apply", {"job_id": "one"})] * 20)
    assert statuses(answers) == {200: 20}
    assert len({answer.text for answer in answers if not answer.json()["batch_split_occurred"]}) == 1
    assert acts_on(change_id)["apply"] == writes_of("of one job")["create"] == 1


@pytest.mark.usefixtures("empty_queue")
@pytest.mark.parametrize("attempt", range(4))
def test_of_two_approvers_one_decides(site, attempt):
    change_id = propose(site, f"disputed {attempt}").json()["change_id"]
    yes = {"batch_title": "Yes", "approved_ids": [change_id]}
    no = {"batch_title": "No", "rejected_ids": [change_id], "reject_reason": "no"}
    answers = at_once(
        partial(act, site, "batches", yes, key=APPROVER), partial(act, site, "batches", no, key=APPROVER2)
    )
    assert statuses(answers) == {200: 1, 400: 1}
    status, title, action = ("approved", "Yes", "approve") if answers[0].ok else ("rejected", "No", "reject")
    change = PendingChange.objects.get(pk=change_id)
    assert (change.status, change.batch_title) == (status, title)
    assert acts_on(change_id) == {"enqueue": 1, action: 1}


@pytest.mark.usefixtures("empty_queue")
@pytest.mark.parametrize("attempt", range(4))
def test_a_purge_and_an_apply_leave_all_of_the_apply_or_nothing(site, attempt):
    name = f"purged {attempt}"
    [change_id] = approved(site, name)
    applied, purged = at_once(
        partial(act, site, f"changes/{change_id}/apply"),
        partial(act, site, "purge", {"change_ids": [change_id]}),
    )
    assert (purged.status_code, purged.json()["removed_change_ids"]) == (200, [change_id])
    assert not PendingChange.objects.exists()
    is_live = site.send("GET", f"{V2}/{IMAGES}/model/{name}").status_code == 200
    assert (applied.status_code, is_live) in {(200, True), (404, False)}
    assert writes_of(name)["create"] == acts_on(change_id)["apply"] == is_live
    assert acts_on(change_id)["purge"] == 1


@pytest.mark.usefixtures("empty_queue")
def test_lists_that_overlap_apply_each_change_once(site):
    names = [f"overlap {number}" for number in range(12)]
    ids = approved(site, *names)
    bodies = [
        {"change_ids": ids[:8], "allow_mixed_batch": True, "job_id": "one"},
        {"change_ids": ids[:3:-1], "allow_mixed_batch": True, "job_id": "two"},
    ]
    answers = at_once(*[partial(act, site, "apply", body) for body in bodies])
    assert statuses(answers) == {200: 1, 400: 1}
    done = [record["change_id"] for answer in answers for record in answer.json()["applied"]]
    assert len(done) == len(set(done)) == acts_on(*ids)["apply"] == writes_of(*names)["create"]
    assert set(PendingChange.objects.applied().values_list("pk", flat=True)) == set(done)


@pytest.mark.usefixtures("empty_queue")
def test_what_is_applied_is_what_every_worker_serves_next(site):
    change_id, *_ = approved(site, "always new")
    assert act(site, f"changes/{change_id}/apply").ok
    for number in range(8):
        record = {"baseline": "stable_diffusion_xl", "nsfw": False, "description": f"text {number}"}
        path = f"{V2}/{IMAGES}/model/always new"
        change_id = site.send("PUT", path, {"name": "always new", **record}, key=REQUESTOR).json()[
            "change_id"
        ]
        assert act(site, "batches", {"batch_title": "T", "approved_ids": [change_id]}).ok
        assert act(site, f"changes/{change_id}/apply").ok
        reads = at_once(
            *[partial(site.send, "GET", path)] * 6, *[partial(site.send, "GET", f"{V2}/{IMAGES}")] * 6
        )
        assert {read.json()["description"] for read in reads[:6]} == {f"text {number}"}
        assert {read.json()["always new"]["description"] for read in reads[6:]} == {f"text {number}"}
        [revision] = {read.headers["X-Model-Reference-Revision"] for read in reads}
        assert revision == str(Category.objects.get(pk=IMAGES).revision)


@pytest.mark.usefixtures("empty_queue")
def test_readers_see_all_of_an_applied_list_or_none_of_it(site):
    names = {f"together {number}" for number in range(20)}
    ids = approved(site, *names)

    def watch() -> list[int]:
        seen = []
        while not seen or (seen[-1] == 0 and len(seen) < 2000):
            seen.append(len(names & site.send("GET", f"{V2}/{IMAGES}").json().keys()))
        return seen

    applied, *watched = at_once(partial(act, site, "apply", {"change_ids": ids}), watch, watch)
    assert applied.ok
    assert {number for seen in watched for number in seen} <= {0, 20}


# Processes without a server between them and the store.


def test_of_twenty_processes_that_apply_a_change_one_does(store, connected):
    seen = store.call(applied_by_twenty_processes)
    assert seen["outcomes"] == {"applied": 1, "400": 19}
    assert acts_on(seen["change_id"]) == {"enqueue": 1, "approve": 1, "apply": 1}
    assert writes_of("of twenty processes") == {"create": 1}


def test_processes_with_lists_in_any_order_apply_each_change_once(store, connected):
    seen = store.call(applied_in_any_order)
    ids = seen["change_ids"]
    assert sorted(seen["applied"]) == ids
    assert acts_on(*ids) == {"enqueue": 40, "approve": 40, "apply": 40}
    assert set(seen["refusals"]) <= {"400"}
    assert ModelRecord.objects.filter(name__startswith="any order").count() == 40
    assert not PendingChange.objects.approved().filter(pk__in=ids).exists()
    assert (
        Batch.objects.count()
        == PendingChange.recorded.exclude(batch_id=None).values("batch_id").distinct().count()
    )


def applied_by_twenty_processes() -> dict[str, Any]:
    change = propose_create("of twenty processes")
    approve(change)

    def apply() -> str:
        try:
            change_apply(actor=ADA, change_id=change.pk)
        except APIException as refusal:
            return str(refusal.status_code)
        return "applied"

    return {"change_id": change.pk, "outcomes": Counter(forked_together(*[apply] * 20))}


def applied_in_any_order() -> dict[str, Any]:
    """Six processes apply lists of four until everything is applied."""
    changes = [propose_create(f"any order {n}", category=("clip", IMAGES)[n % 2]) for n in range(40)]
    approve(*changes)
    ids = [change.pk for change in changes]

    def work(seed: int) -> tuple[list[int], list[int]]:
        chance, applied, refusals = random.Random(seed), [], []  # noqa: S311 - an order, no secret
        while waiting := list(
            PendingChange.objects.approved().filter(pk__in=ids).values_list("pk", flat=True)
        ):
            chosen = chance.sample(waiting, min(4, len(waiting)))
            result = changes_apply(actor=ADA, change_ids=chosen, allow_mixed_batch=True)
            applied += [change.pk for change in result.applied]
            refusals += [result.status] if result.failure else []
        return applied, refusals

    outcomes = forked_together(*[partial(work, seed) for seed in range(6)])
    return {
        "change_ids": ids,
        "applied": [change_id for applied, _ in outcomes for change_id in applied],
        "refusals": Counter(status for _, refusals in outcomes for status in refusals),
    }


# An AI-Horde that misbehaves.


@pytest.fixture(scope="module")
def horde() -> Iterator[HordeDouble]:
    with running_horde() as horde:
        yield horde


@pytest.fixture(scope="module")
def asking(store: Store, horde: HordeDouble) -> Iterator[Site]:
    """A server that asks the AI-Horde about keys, and does not repeat them to its log."""
    variables = {"HORDE_URL": horde.url, "HORDE_MODEL_REFERENCE_STATIC_API_KEYS": ""}
    with live_server(store, workers=2, **variables) as site:
        yield site
        said = site.logged()
        assert "Traceback" not in said
        assert [key for key in (*KEYS, "very-secret") if key in said] == []


@pytest.mark.parametrize(
    ("mode", "status"),
    [
        ("down", 503),
        ("cut", 503),
        ("429", 503),
        ("500", 503),
        ("503", 503),
        ("html", 401),
        ("garbage", 401),
        ("redirect", 401),
        ("403", 401),
        ("404", 401),
    ],
)
def test_an_upstream_that_fails_lets_nobody_in(asking, horde, mode, status):
    horde.next_modes = [mode]
    asked = horde.calls["find_user"]
    answer = asking.send("POST", f"{QUEUE}/purge", {"purge_all": True}, key=APPROVER)
    assert (answer.status_code, [*answer.json()]) == (status, ["detail"])
    assert horde.calls["find_user"] == asked + 1
    assert APPROVER not in answer.text


@pytest.mark.parametrize(
    "body",
    [
        [],
        "Ada#900",
        {},
        {"username": None},
        {"username": 900},
        {"username": ["Ada#900"]},
        {"username": "Ada"},
        b"900",
    ],
)
def test_an_upstream_that_answers_other_json_lets_nobody_in(asking, horde, body):
    horde.users["very-secret"] = body if body != "Ada#900" else b'"Ada#900"'
    answer = asking.send("GET", f"{V2}/me/roles", key="very-secret")
    assert (answer.status_code, [*answer.json()]) == (401, ["detail"])


def test_an_upstream_that_hangs_is_given_up_on(asking, horde):
    horde.next_modes = ["slow", "drip"]
    begun = time.monotonic()
    answers = at_once(*[partial(asking.send, "GET", f"{V2}/me/roles", key="very-secret")] * 2)
    assert statuses(answers) == {503: 2}
    assert time.monotonic() - begun < KEY_CHECK_PATIENCE


def test_a_key_is_asked_about_again_once_the_upstream_is_back(asking, horde):
    horde.next_modes = ["500"]
    assert asking.send("GET", f"{V2}/me/roles", key=APPROVER).status_code == 503
    answer = asking.send("GET", f"{V2}/me/roles", key=APPROVER)
    assert (answer.status_code, answer.json()["roles"]) == (200, ["approver", "requestor"])
