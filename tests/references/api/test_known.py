import gc
import time
from threading import Thread

import pytest
from django.db import transaction

from references.analytics import CategoryFigures, CategoryRisk, CategoryStats
from references.api import known
from references.api.hot import HotReads
from references.api.known import Known, KnownAnswers, always
from references.documents import Document
from references.horde.usage import STATUS_CALLS, USAGE_CALLS
from references.models import UsageSnapshot
from references.structure_services import alias_add
from tests.factories import make_record
from tests.references.api import V2, ask
from tests.references.figures import recorded_bodies

# Answers are kept for good once nothing can roll back what they are made of.
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def answers(monkeypatch):
    monkeypatch.setattr(known, "KNOWN_BYTES", 3 * known.OVERHEAD)
    return KnownAnswers()


def test_an_answer_is_known_for_as_long_as_it_holds(answers):
    holds = [True]
    document = Document(b"{}")
    answers.put("/a?", Known(document, lambda: holds[0], always))
    assert answers.get("/a?").document is document
    assert answers.get("/a?b=c") is None
    holds[0] = False
    assert answers.get("/a?") is None


def test_answers_are_forgotten_when_they_would_take_too_much_memory(answers):
    for asked in "abc":
        answers.put(asked, Known(Document(b"{}"), always, always))
    assert [asked for asked in "abc" if answers.get(asked)] == ["c"]
    answers.put("large", Known(Document(b"1" * 3 * known.OVERHEAD), always, always))
    assert [asked for asked in ("c", "large") if answers.get(asked)] == []


def test_an_answer_that_is_put_again_takes_no_more_memory(answers):
    for asked in "abbbb":
        answers.put(asked, Known(Document(b"{}"), always, always))
    assert [asked for asked in "ab" if answers.get(asked)] == ["a", "b"]


def test_answers_that_threads_keep_at_once_are_all_counted(answers, monkeypatch):
    size_of, others = known._size, []

    def size_while_another_thread_keeps(asked, document):
        if asked == "a" and len(others) < 2:
            # Once before it has the turn, and once meanwhile.
            other = Thread(
                target=answers._keep, args=(f"b{len(others)}", Known(Document(b"{}"), always, always))
            )
            others.append(other)
            other.start()
            other.join(0.1)
        return size_of(asked, document)

    answers._keep("a", Known(Document(b"1"), always, always))
    monkeypatch.setattr(known, "_size", size_while_another_thread_keeps)
    answers._keep("a", Known(Document(b"12"), always, always))
    for other in others:
        other.join()
    kept = {asked: document for asked, (document, *_) in answers._answers.items()}
    assert answers._bytes == sum(size_of(*each) for each in kept.items())


def test_an_answer_given_in_a_transaction_that_failed_is_forgotten(answers):
    with transaction.atomic():
        answers.put("/a?", Known(Document(b"{}"), always, always))
        assert answers.get("/a?") is not None
        transaction.set_rollback(True)
    assert answers.get("/a?") is None


def prepared(path):
    """The second time without Django, as long as nothing changes."""
    assert ask(path).status == 200
    return ask(path, application=HotReads(refuse)).status


def refuse(environ, start_response):
    start_response("418 I'm a teapot", [("Content-Type", "text/plain")])
    return [b""]


PATHS = [
    f"{V2}/text_generation/search?limit=1",
    f"{V2}/search?limit=1",
    "/api/model_references/statistics/text_generation",
    f"{V2}/text_generation/groups",
    f"{V2}/text_generation/groups/summary",
    f"{V2}/text_generation/groups/health",
    f"{V2}/text_generation/distinct_baselines",
    f"{V2}/text_generation/families/detect",
]


@pytest.mark.parametrize("path", PATHS)
def test_answers_follow_every_write_of_what_they_are_made_of(path):
    for name in ("Org/Alpha-7B", "Org/Alphabet-7B"):
        make_record("text_generation", name, baseline="one", text_model_group="A")
    assert prepared(path) == 200
    before = ask(path).body
    make_record("text_generation", "Org/Alphabeta-13B", baseline="two", text_model_group="B")
    assert ask(path, application=HotReads(refuse)).status == 418
    assert ask(path).body != before


def test_groups_follow_the_structure_too():
    make_record("text_generation", "Org/A-7B")
    assert prepared(f"{V2}/text_generation/groups") == 200
    alias_add(canonical="A", alias="Alpha")
    assert ask(f"{V2}/text_generation/groups", application=HotReads(refuse)).status == 418


def test_statistics_are_computed_anew_after_their_time(settings, monkeypatch):
    settings.STATISTICS_CACHE_TTL = 5
    make_record("lora", "a")
    path = "/api/model_references/statistics/lora"
    now = time.monotonic()
    assert prepared(path) == 200
    monkeypatch.setattr(time, "monotonic", lambda: now + 6)
    assert ask(path, application=HotReads(refuse)).status == 418


def usage_told(kind):
    """Has the figures of the AI-Horde stored; returns the calls they came by."""
    calls = (STATUS_CALLS[kind], USAGE_CALLS[kind])
    for call, body in zip(calls, recorded_bodies(kind), strict=False):
        UsageSnapshot.objects.create(path=call.path, body=body, fetched_at=time.time())
    return calls


RISK = "/api/model_references/statistics/{}/deletion-risk"


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("image", f"{V2}/image_generation/popular"),
        ("image", RISK.format("image_generation")),
        ("text", RISK.format("text_generation")),
        ("text", f"{RISK.format('text_generation')}?group_text_models=true"),
        ("text", f"{RISK.format('text_generation')}?include_backend_variations=true&limit=1"),
    ],
)
def test_figures_follow_the_ai_horde_and_the_records_and_ask_for_newer_ones_in_time(settings, kind, path):
    make_record(f"{kind}_generation", "a")
    calls = usage_told(kind)
    assert prepared(path) == 200
    UsageSnapshot.objects.filter(path=calls[0].path).update(fetched_at=time.time() - 1)
    assert ask(path, application=HotReads(refuse)).status == 418
    assert prepared(path) == 200
    make_record(f"{kind}_generation", "b")
    assert ask(path, application=HotReads(refuse)).status == 418
    assert prepared(path) == 200
    settings.HORDE_API_CACHE_TTL = 0
    assert ask(path, application=HotReads(refuse)).status == 418


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        (f"{RISK.format('image_generation')}?limit", CategoryRisk),
        (f"{V2}/image_generation/popular?limit", CategoryStats),
        ("/api/model_references/statistics/image_generation?limit", CategoryFigures),
    ],
)
def test_answers_that_no_longer_hold_keep_no_figures(path, kind):
    usage_told("image")
    alive = []
    for number in range(3):
        make_record("image_generation", f"model {number}")
        assert ask(f"{path}={number + 1}").status == 200
        gc.collect()
        alive.append(sum(isinstance(each, kind) for each in gc.get_objects()))
    assert alive == [alive[0]] * 3


def test_deletion_risk_follows_its_rules_its_time_and_the_structure_of_groups(settings, monkeypatch):
    make_record("text_generation", "Org/A-7B")
    usage_told("text")
    settings.DELETION_RISK_CACHE_TTL = 500
    whole = RISK.format("text_generation")
    grouped = f"{whole}?group_text_models=true"
    assert (prepared(whole), prepared(grouped)) == (200, 200)
    alias_add(canonical="A", alias="Alpha")
    asked_again = [ask(path, application=HotReads(refuse)).status for path in (whole, grouped)]
    assert asked_again == [200, 418]
    settings.TEXT_GEN_CRITICAL_USAGE_THRESHOLD += 1
    assert ask(whole, application=HotReads(refuse)).status == 418
    assert prepared(whole) == 200
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + 501)
    assert ask(whole, application=HotReads(refuse)).status == 418
