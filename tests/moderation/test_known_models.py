"""The models that a proposed one is compared with: always those of now, and read once."""

from collections.abc import Callable, Iterator
from pathlib import Path
from unittest.mock import patch

import pytest
from django.core.cache import cache
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoDbBlocker

from moderation import known_models as module
from moderation.known_models import KnownModels, known_models
from moderation.warnings import record_warnings
from references.models import Category, ModelRecord
from references.services import record_delete, record_put
from tests.factories import make_download, make_v2
from tests.moderation.factories import IMAGES
from tests.moderation.processes import Store, throwaway_store

HASH = "0123456789abcdef" * 4
OTHER_HASH = "fedcba9876543210" * 4


def put(name: str, *hashes: str | None, category: str = IMAGES) -> None:
    files = [make_download(f"{index}.bin", sha256sum=each) for index, each in enumerate(hashes)]
    record_put(
        category=category, name=name, record={**make_v2(category, name), "config": {"download": files}}
    )


def remove(name: str, category: str = IMAGES) -> None:
    record_delete(category=category, name=name)


def told(known: KnownModels | None = None) -> tuple[list[str], list[tuple[str, str]]]:
    """The image models called nearly like a new one, and the models of any category with its file."""
    known = known or known_models()
    return known.named_like(IMAGES, "pain_ter"), known.with_file(HASH, besides=(IMAGES, "pain_ter"))


def told_by_a_fresh_process() -> tuple[list[str], list[tuple[str, str]]]:
    with patch.object(module, "_held", None), patch.object(connection, "run_on_commit", []):
        return told()


def reads(ask: Callable[[], object]) -> list[str]:
    with CaptureQueriesContext(connection) as asked:
        ask()
    return [query["sql"] for query in asked]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("steps", "alike", "holders"),
    [
        ([lambda: put("Painter")], ["Painter"], []),
        ([lambda: put("Painter", HASH), lambda: put("Painter", OTHER_HASH)], ["Painter"], []),
        ([lambda: put("Painter", HASH), lambda: remove("Painter")], [], []),
        (
            [lambda: put("z", HASH), lambda: put("a", HASH), lambda: put("z", OTHER_HASH, HASH)],
            [],
            [(IMAGES, "a"), (IMAGES, "z")],
        ),
        ([lambda: put("PAINTER"), lambda: put("Pain-ter"), lambda: remove("PAINTER")], ["Pain-ter"], []),
        (
            [lambda: put("lens", HASH.upper(), category="clip"), lambda: put("b", f" {HASH} ", HASH)],
            [],
            [("clip", "lens"), (IMAGES, "b")],
        ),
        ([lambda: put("odd", None, "FIXME"), lambda: put("pain_ter", HASH)], [], []),
    ],
)
@pytest.mark.parametrize("is_following", [True, False])
def test_every_write_is_known_at_once(steps, alike, holders, is_following):
    put("first", OTHER_HASH)
    for step in steps:
        if is_following:
            told()
        step()
    assert told() == told_by_a_fresh_process() == (alike, holders)


@pytest.mark.django_db
def test_one_that_went_while_another_came_is_gone():
    put("Painter", HASH)
    put("stays", HASH)
    told()
    remove("Painter")
    put("comes", HASH)
    assert told() == ([], [(IMAGES, "comes"), (IMAGES, "stays")])


@pytest.mark.django_db
def test_a_category_that_nobody_wrote_to_is_taken_over():
    put("Painter", HASH)
    put("lens", HASH, category="clip")
    before = known_models()
    put("lens", OTHER_HASH, category="clip")
    after = known_models()
    assert after.of(IMAGES) is before.of(IMAGES)
    assert after.of("clip") is not before.of("clip")
    # Who began with the former still has it whole.
    assert told(before) == (["Painter"], [("clip", "lens"), (IMAGES, "Painter")])
    assert told(after) == (["Painter"], [(IMAGES, "Painter")])


@pytest.mark.django_db
def test_after_a_write_only_what_was_written_is_parsed(monkeypatch):
    for number in range(20):
        put(f"model {number}", HASH)
    told()
    put("model 7", OTHER_HASH)
    parsed = []
    digests = module._digests
    monkeypatch.setattr(module, "_digests", lambda record: parsed.append(record["name"]) or digests(record))
    assert len(reads(told)) == 3
    assert parsed == ["model 7"]


@pytest.mark.django_db
def test_where_nothing_was_written_the_stamp_is_all_that_is_read():
    put("Painter", HASH)
    told()
    assert len(reads(told)) == 1
    stamp = known_models().stamp
    assert reads(lambda: known_models(stamp)) == []
    # Pickled, the models of a large store took longer than the page they are for.
    cache.clear()
    assert reads(lambda: known_models(stamp)) == []


@pytest.mark.django_db(transaction=True)
def test_what_was_read_in_a_transaction_goes_with_its_rollback():
    put("stays", HASH)
    told()
    with transaction.atomic():
        put("Painter", HASH)
        assert told() == (["Painter"], [(IMAGES, "Painter"), (IMAGES, "stays")])
        transaction.set_rollback(True)
    put("comes", OTHER_HASH)
    assert told() == ([], [(IMAGES, "stays")])


@pytest.mark.django_db
def test_a_store_put_back_to_an_earlier_state_is_read_anew():
    put("Painter", OTHER_HASH)
    put("Painter", HASH)
    put("other", HASH)
    told()
    ModelRecord.objects.filter(name="Painter").delete()
    ModelRecord.objects.filter(name="other").update(name="Pain-ter", revision=1)
    Category.objects.filter(pk=IMAGES).update(revision=1)
    assert told() == (["Pain-ter"], [(IMAGES, "Pain-ter")])


# Two processes over one store.


@pytest.fixture
def store(tmp_path: Path, django_db_blocker: DjangoDbBlocker) -> Iterator[Store]:
    with throwaway_store(tmp_path) as store, store.connected(django_db_blocker):
        yield store


def warned() -> list[str]:
    file = make_download("new.bin", file_url="https://huggingface.co/new.bin", sha256sum=HASH)
    record = {"name": "pain_ter", "config": {"download": [file]}}
    return [each.text for each in record_warnings(category=IMAGES, name="pain_ter", record=record)]


def warned_before_and_after_a_write() -> list[list[str]]:
    seen = [warned()]
    put("here", HASH, category="clip")
    return [*seen, warned()]


def test_warnings_follow_the_writes_of_this_process_and_of_others(store):
    assert warned() == []
    store.call(put, "Painter")
    named = "A model with nearly the same name is there already: Painter."
    assert warned() == [named]
    here, there = (f"{name} in clip has a file with the same hash." for name in ("here", "there"))
    assert store.call(warned_before_and_after_a_write) == [[named], [named, here]]
    assert warned() == [named, here]
    put("there", HASH, category="clip")
    assert warned() == [named, here, there]
    assert store.call(warned) == [named, here, there]
    store.call(remove, "here", "clip")
    assert warned() == [named, there]
