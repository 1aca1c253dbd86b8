import gc
import time
from copy import copy
from urllib.parse import quote

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.db import connection, transaction

from config.middleware import page_headers
from references.api import recent as module
from references.api.hot import HotReads
from references.api.known import Known, always
from references.api.recent import RecentAnswers
from references.commit_mark import commit_mark
from references.documents import Document
from references.models import ModelRecord
from tests.factories import make_record
from tests.references.api import V1, V2, ask

# Inside of a transaction nothing is taken for recent.
pytestmark = pytest.mark.django_db(transaction=True)

ROUTES = [
    f"{V2}/lora",
    f"{V1}/clip.json",
    f"{V2}/lora/model/{quote('ü/1')}",
    f"{V2}/lora/search?limit=1",
    "/api/model_references/statistics/lora",
]
REQUESTS = {
    "plain": {},
    "gzip": {"Accept-Encoding": "br, gzip"},
    "held": {"If-None-Match": "*"},
    "held, gzip": {"If-None-Match": "*", "Accept-Encoding": "gzip"},
    "not held": {"If-None-Match": '"other"'},
    "proxied": {"X-Forwarded-Proto": "https"},
}
GZIP = {"Accept-Encoding": "gzip"}


@pytest.fixture
def on_sqlite():
    if connection.vendor != "sqlite":
        pytest.skip("only SQLite tells of commits without being asked")


@pytest.fixture
def served(settings, on_sqlite) -> HotReads:
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    settings.SECURE_HSTS_SECONDS = 60
    for category in ("lora", "clip"):
        make_record(category, "ü/1", description="words " * 300)
    return HotReads(WSGIHandler(), page_headers)


def at_hand(served: HotReads, target: str, **headers: str) -> bool:
    """Whether the answer takes nothing but a look."""
    return ask(target, headers=headers, application=only_at_hand(served)).status != 418


def only_at_hand(served: HotReads) -> HotReads:
    """The same, which looks nothing up."""
    only = copy(served)
    only._known = lambda environ: None
    only.application = teapot
    return only


def teapot(environ, start_response):
    start_response("418 I'm a teapot", [("Content-Type", "text/plain")])
    return [b""]


@pytest.mark.parametrize("headers", REQUESTS.values(), ids=REQUESTS)
@pytest.mark.parametrize("route", ROUTES)
def test_what_is_at_hand_is_what_django_answers_to_the_last_header(served, route, headers):
    by_django = ask(route, headers=headers, application=served.application)
    for _ in range(2):
        assert ask(route, headers=headers, application=served) == by_django
    assert ask(route, headers=headers, application=only_at_hand(served)) == by_django


@pytest.mark.parametrize("route", ROUTES)
def test_nothing_is_at_hand_after_a_commit_until_it_was_looked_up_again(served, route):
    for _ in range(2):
        ask(route, application=served)
    assert at_hand(served, route)
    ModelRecord.objects.filter(category="miscellaneous").update(name="none has it")
    make_record("miscellaneous", "of another category")
    assert not at_hand(served, route)
    ask(route, application=served)
    assert at_hand(served, route)


def test_nothing_is_at_hand_in_a_transaction_or_for_other_requests(served):
    route = f"{V2}/lora"
    ask(route, application=served)
    assert at_hand(served, route)
    with transaction.atomic():
        assert not at_hand(served, route)
    assert not at_hand(served, route, Origin="https://example.org")
    assert not at_hand(served, f"{route}?a=b")
    assert ask(route, method="HEAD", application=only_at_hand(served)).status == 418


def test_a_body_that_was_never_compressed_is_not_compressed_at_hand(served):
    route = f"{V2}/lora"
    ask(route, application=served)
    assert at_hand(served, route)
    assert not at_hand(served, route, **GZIP)
    ask(route, headers=GZIP, application=served)
    assert at_hand(served, route, **GZIP)


def environ(path: str) -> dict[str, str]:
    return {"PATH_INFO": path, "QUERY_STRING": ""}


def known(body: bytes = b"{}", **kwargs: object) -> Known:
    return Known(Document(body, **kwargs), holds=always, stands=always)


@pytest.fixture
def mark(on_sqlite):
    return commit_mark()


def test_large_documents_are_found_only_as_long_as_others_keep_them(mark):
    answers = RecentAnswers()
    small, large = known(b"1" * module.KEPT_BYTES), known(b"1" * (module.KEPT_BYTES + 1))
    answers.put(environ("/small"), small, mark)
    answers.put(environ("/large"), large, mark)
    assert answers.get(environ("/large")) is large.document
    del large
    gc.collect()
    assert answers.get(environ("/large")) is None
    assert answers.get(environ("/small")) is small.document


def test_what_stands_no_more_is_not_recent_and_the_store_is_not_asked(mark):
    answers, stands = RecentAnswers(), [True]
    known = Known(Document(b"{}"), holds=pytest.fail, stands=lambda: stands[0])
    answers.put(environ("/a"), known, mark)
    assert answers.get(environ("/a")) is known.document
    stands[0] = False
    assert answers.get(environ("/a")) is None


def test_statistics_are_at_hand_for_their_time_alone(served, settings, monkeypatch):
    settings.STATISTICS_CACHE_TTL = 5
    route = "/api/model_references/statistics/lora"
    for _ in range(2):
        ask(route, application=served)
    assert at_hand(served, route)
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + 6)
    assert not at_hand(served, route)


def test_what_would_take_too_much_memory_or_depends_on_more_is_not_kept(mark, monkeypatch):
    monkeypatch.setattr(module, "KEPT", 3)
    answers = RecentAnswers()
    long = "/" * (module.ADDRESS_LENGTH + 1)
    answers.put(environ(long), known(), mark)
    answers.put(environ("/negotiated"), known(is_negotiated=True), mark)
    answers.put(environ("/without"), known(), None)
    assert [answers.get(environ(path)) for path in (long, "/negotiated", "/without")] == [None] * 3
    for path in "abcd":
        answers.put(environ(path), known(), mark)
    assert [path for path in "abcd" if answers.get(environ(path))] == ["d"]
