import json
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from django.http import HttpResponse
from django.test import Client, RequestFactory

from config import limits as limits_module
from config.limits import HEAD_LIMIT, RETRY_AFTER, HeadLimitMiddleware, WriteLimitMiddleware


@pytest.fixture
def limits():
    return HeadLimitMiddleware(lambda request: HttpResponse("the view's answer"))


def told(response) -> tuple[int, dict]:
    return response.status_code, json.loads(response.content)


def test_headers_may_be_long_but_not_endless(limits):
    name = "HTTP_X_LONG"
    room = HEAD_LIMIT - sum(
        len(key) + len(value)
        for key, value in RequestFactory().get("/").META.items()
        if key.startswith("HTTP_")
    )
    assert limits(RequestFactory().get("/", **{name: "a" * (room - len(name))})).status_code == 200
    refused = limits(RequestFactory().get("/", **{name: "a" * (room - len(name) + 1)}))
    assert told(refused) == (431, {"detail": "Request headers too large."})
    assert refused.headers["Cache-Control"] == "no-store"


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/api/heartbeat", "/api/nowhere", "/"])
def test_every_address_has_these_limits(path):
    response = Client().get(path, headers={"X-Long": "a" * HEAD_LIMIT})
    assert told(response) == (431, {"detail": "Request headers too large."})


@pytest.mark.django_db
def test_a_form_that_is_too_long_is_told_so(settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 10
    response = Client().post("/theme", "theme=dark&next=/", content_type="application/x-www-form-urlencoded")
    assert told(response) == (413, {"detail": "Request body too large."})


@pytest.mark.django_db
def test_a_form_of_too_many_fields_is_told_so(settings):
    settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = 3
    form = "&".join(f"field{number}=1" for number in range(4))
    response = Client().post("/theme", form, content_type="application/x-www-form-urlencoded")
    assert told(response) == (400, {"detail": "Bad Request"})


PATIENCE = 30
WRITE = RequestFactory().post("/api/model_references/v2/clip")
READ = RequestFactory().get("/api/model_references/v2/clip")


class Slow:
    """A view whose writes wait until they may go on."""

    def __init__(self) -> None:
        self.begun = threading.Semaphore(0)
        self.may_go_on = threading.Event()

    def __call__(self, request) -> HttpResponse:
        if request.method == "POST":
            self.begun.release()
            assert self.may_go_on.wait(PATIENCE)
        return HttpResponse("done")


@contextmanager
def writing(slow: Slow, limits: WriteLimitMiddleware, writes: int) -> Iterator[list[Future]]:
    """Writes that go on meanwhile, in threads of their own."""
    with ThreadPoolExecutor(writes) as threads:
        under_way = [threads.submit(limits, WRITE) for _ in range(writes)]
        try:
            yield under_way
        finally:
            slow.may_go_on.set()


def test_writes_that_take_long_leave_threads_for_reads(settings, monkeypatch):
    monkeypatch.setattr(limits_module, "WRITE_MOMENT", 0)
    slow = Slow()
    limits = WriteLimitMiddleware(slow)
    assert settings.WRITE_PLACES < settings.WORKER_THREADS
    with writing(slow, limits, settings.WRITE_PLACES) as under_way:
        for _ in under_way:
            assert slow.begun.acquire(timeout=PATIENCE)
        refused = limits(WRITE)
        assert told(refused) == (503, {"detail": "Too many writes are under way."})
        assert (refused.headers["Retry-After"], refused.headers["Connection"]) == (str(RETRY_AFTER), "close")
        assert limits(READ).content == b"done"
    assert [answer.result().content for answer in under_way] == [b"done"] * settings.WRITE_PLACES
    assert limits(WRITE).content == b"done"


def test_writes_that_come_at_once_and_are_quick_all_succeed(settings, monkeypatch):
    monkeypatch.setattr(limits_module, "WRITE_MOMENT", PATIENCE)
    slow = Slow()
    limits = WriteLimitMiddleware(slow)
    with writing(slow, limits, settings.WRITE_PLACES + 3) as under_way:
        for _ in range(settings.WRITE_PLACES):
            assert slow.begun.acquire(timeout=PATIENCE)
        assert not slow.begun.acquire(timeout=0.1)
    assert [answer.result().content for answer in under_way] == [b"done"] * len(under_way)


def test_a_write_that_fails_leaves_its_place(settings):
    def fail(request):
        raise RuntimeError

    limits = WriteLimitMiddleware(fail)
    for _ in range(settings.WRITE_PLACES + 1):
        with pytest.raises(RuntimeError):
            limits(WRITE)


def test_a_person_whose_write_is_refused_sees_a_page(settings, monkeypatch):
    settings.WRITE_PLACES = 0
    monkeypatch.setattr(limits_module, "WRITE_MOMENT", 0)
    limits = WriteLimitMiddleware(Slow())
    limits._places._taken_since.append(0.0)
    response = limits(RequestFactory().post("/my-changes", headers={"Accept": "text/html"}))
    assert (response.status_code, response.headers["Retry-After"]) == (503, str(RETRY_AFTER))
    assert "The service is busy." in response.content.decode()
