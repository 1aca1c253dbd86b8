import io
import json
import logging
import sys
from logging.config import DictConfigurator

import pytest
from django.contrib.auth import get_user_model
from django.http import HttpResponse
from django.test import RequestFactory

from config import logs
from config.logs import (
    ExpectedFilter,
    JsonFormatter,
    LogFormat,
    LogLevel,
    RequestFilter,
    RequestLogMiddleware,
    logging_config,
)
from references.horde import HordeUser
from tests.hordedouble import running_horde


def record(message: str = "what %s", *args: object, level: int = logging.INFO, **extra: object):
    made = logging.LogRecord("some.where", level, __file__, 1, message, args, None)
    made.created, made.msecs = 1_700_000_000.25, 250
    made.__dict__.update(extra)
    return made


def middleware(answer: HttpResponse | None = None):
    seen = []

    def view(request):
        noted = record()
        RequestFilter().filter(noted)
        seen.append(noted.request_id)
        return answer or HttpResponse("the view's answer")

    return RequestLogMiddleware(view), seen


def test_a_line_of_json_tells_when_how_bad_who_and_what():
    line = JsonFormatter().format(record("what %s", "happened\nhere", level=logging.WARNING))
    assert "\n" not in line
    assert json.loads(line) == {
        "time": "2023-11-14T22:13:20.250Z",
        "level": "WARNING",
        "logger": "some.where",
        "message": "what happened\nhere",
    }


def test_a_line_of_json_has_the_request_what_it_is_about_and_the_traceback():
    try:
        raise ValueError("broken")
    except ValueError:
        failed = record("failed", request_id="r1", about={"status": 500})
        failed.exc_info = sys.exc_info()
    entry = json.loads(JsonFormatter().format(failed))
    assert (entry["request_id"], entry["status"]) == ("r1", 500)
    assert entry["traceback"].endswith("ValueError: broken")


@pytest.mark.parametrize(
    ("form", "shown"),
    [
        ("plain", "INFO some.where: what happened [r1]"),
        ("json", '"message": "what happened", "request_id": "r1"'),
    ],
)
def test_lines_have_the_form_that_is_chosen(form, shown):
    config = logging_config(LogFormat(form), LogLevel.ERROR)
    assert config["root"] == {"handlers": ["console"], "level": "ERROR"}
    chosen = config["formatters"][config["handlers"]["console"]["formatter"]]
    formatter = DictConfigurator(config).configure_formatter(chosen)
    assert shown in formatter.format(record("what %s", "happened", request_id="r1", request_note=" [r1]"))


@pytest.mark.parametrize("given", ["abc-1.2", "0af7651916cd43dd8448eb211c80319c", "a" * 128])
def test_a_request_keeps_its_name(given):
    named, seen = middleware()
    response = named(RequestFactory().post("/", headers={"X-Request-Id": given}))
    assert (response.headers["X-Request-Id"], seen) == (given, [given])


@pytest.mark.parametrize("given", ["", "a" * 129, "a b", 'a"b', "a\nb", "ä", "{id}"])
def test_a_name_that_is_none_is_replaced(given):
    named, seen = middleware()
    response = named(RequestFactory().post("/", headers={"X-Request-Id": given}))
    assert response.headers["X-Request-Id"] == seen[0] != given
    assert len(seen[0]) == 16


def test_each_request_has_a_name_of_its_own():
    named, seen = middleware()
    for _ in range(3):
        named(RequestFactory().get("/"))
    assert len(set(seen)) == 3


@pytest.mark.parametrize(
    ("method", "status", "is_named"),
    [("GET", 200, False), ("HEAD", 200, False), ("GET", 304, False), ("GET", 404, True), ("PUT", 202, True)],
)
def test_what_everyone_reads_alike_carries_no_name(method, status, is_named):
    named, _ = middleware(HttpResponse(status=status))
    response = named(RequestFactory().generic(method, "/"))
    assert ("X-Request-Id" in response.headers) is is_named


def test_lines_outside_of_requests_have_no_name():
    named, _ = middleware()
    named(RequestFactory().get("/"))
    line = record()
    assert RequestFilter().filter(line)
    assert (line.request_id, line.request_note) == (None, "")


def test_lines_of_django_about_a_request_have_its_name():
    named, seen = middleware()
    request = RequestFactory().get("/")
    named(request)
    line = record(request=request)
    RequestFilter().filter(line)
    assert line.request_id == seen[0]
    assert line.request_note == f" [{seen[0]}]"


def test_requests_are_logged_only_where_that_is_wanted(settings, caplog):
    caplog.set_level(logging.INFO, logger="config.logs")
    named, _ = middleware()
    settings.ACCESS_LOG = False
    named(RequestFactory().get("/"))
    assert caplog.records == []
    settings.ACCESS_LOG = True
    named(RequestFactory().get("/"))
    assert len(caplog.records) == 1


def test_a_request_is_logged_without_its_query_and_its_key(settings, caplog, monkeypatch):
    caplog.set_level(logging.INFO, logger="config.logs")
    settings.ACCESS_LOG = True
    ticks = iter([10.0, 10.0123])
    monkeypatch.setattr(logs.time, "perf_counter", lambda: next(ticks))
    named, _ = middleware(HttpResponse(status=202))
    named(
        RequestFactory().put(
            "/api/x?apikey=hidden", headers={"apikey": "hidden", "Cookie": "sessionid=hidden"}
        )
    )
    [line] = caplog.records
    assert line.getMessage() == "PUT /api/x 202 in 12.3 ms"
    assert line.about == {"method": "PUT", "path": "/api/x", "status": 202, "milliseconds": 12.3}
    assert "hidden" not in JsonFormatter().format(line)


def test_a_path_cannot_forge_a_line(settings, caplog):
    caplog.set_level(logging.INFO, logger="config.logs")
    settings.ACCESS_LOG = True
    named, _ = middleware()
    named(RequestFactory().get("/a%0AERROR%20forged"))
    assert "\n" not in caplog.records[0].getMessage()


@pytest.mark.django_db
def test_a_known_caller_is_logged_by_id_alone(settings, caplog):
    caplog.set_level(logging.INFO, logger="config.logs")
    settings.ACCESS_LOG = True
    account = get_user_model().objects.create_user("ada")
    callers = {"user": HordeUser(user_id="101", username="Rita#101"), "_cached_user": account}
    for attribute, caller in callers.items():

        def view(request, attribute=attribute, caller=caller):
            setattr(request, attribute, caller)
            return HttpResponse()

        RequestLogMiddleware(view)(RequestFactory().get("/"))
    assert [line.about["user_id"] for line in caplog.records] == ["101", f"account {account.pk}"]
    assert "Rita" not in caplog.text


@pytest.fixture
def lines(settings, monkeypatch):
    """The service's access log as it would be written: its lines of JSON."""
    settings.ACCESS_LOG = True
    written = io.StringIO()
    config = logging_config(LogFormat.JSON, LogLevel.INFO)
    handler = logging.StreamHandler(written)
    handler.setFormatter(DictConfigurator(config).configure_formatter(config["formatters"]["json"]))
    handler.addFilter(RequestFilter())
    logger = logging.getLogger()
    monkeypatch.setattr(logger, "handlers", [handler])
    monkeypatch.setattr(logger, "level", logging.DEBUG)
    return lambda: written.getvalue().splitlines()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/model_references/v2/me/roles", 200),
        ("GET", "/api/model_references/v2/pending_queue/changes", 200),
        ("GET", "/api/model_references/v2/pending_queue/changes/7", 404),
        ("POST", "/api/model_references/v2/clip", 422),
        ("DELETE", "/api/model_references/v2/clip/model/none", 404),
    ],
)
def test_a_call_with_a_key_is_logged_with_the_user_of_the_key_alone(
    client, settings, lines, method, path, status
):
    settings.QUEUE_APPROVER_IDS = frozenset({"900"})
    with running_horde() as horde:
        settings.HORDE_URL = horde.url
        response = client.generic(
            method, path, b"{}", content_type="application/json", headers={"apikey": "key-approver"}
        )
    assert response.status_code == status
    [entry] = [entry for entry in map(json.loads, lines()) if entry["logger"] == "config.logs"]
    assert (entry["method"], entry["path"], entry["status"]) == (method, path, status)
    assert entry["user_id"] == "900"
    assert entry["message"].endswith(" by 900")
    assert "key-approver" not in "\n".join(lines())


@pytest.mark.django_db
def test_a_key_that_is_refused_is_logged_as_nobody(client, settings, lines):
    with running_horde() as horde:
        settings.HORDE_URL = horde.url
        response = client.get("/api/model_references/v2/me/roles", headers={"apikey": "key-of-nobody"})
    assert response.status_code == 401
    [entry] = [entry for entry in map(json.loads, lines()) if entry["logger"] == "config.logs"]
    assert "user_id" not in entry
    assert "key-of-nobody" not in "\n".join(lines())


def logged(name: str, **extra: object) -> logging.LogRecord:
    made = record("what happened", level=logging.ERROR, **extra)
    made.name, made.exc_info = name, (ValueError, ValueError("x"), None)
    assert ExpectedFilter().filter(made)
    return made


@pytest.mark.parametrize(
    ("name", "extra"),
    [
        ("django.security.DisallowedHost", {"status_code": 400}),
        ("django.security.RequestDataTooBig", {"status_code": 413}),
        ("django.security.TooManyFieldsSent", {"status_code": 400}),
        ("django.security.TooManyFilesSent", {"status_code": 400}),
        ("django.request", {"status_code": 503}),
    ],
)
def test_what_is_none_of_the_service_s_faults_is_a_warning_of_one_line(name, extra):
    made = logged(name, **extra)
    assert (made.levelname, made.levelno, made.exc_info) == ("WARNING", logging.WARNING, None)
    loggers = logging_config(LogFormat.PLAIN, LogLevel.INFO)["loggers"]
    assert loggers[name]["filters"] == ["expected"]


def test_other_failures_stay_errors_with_their_traceback():
    made = logged("django.request", status_code=500)
    assert (made.levelname, made.exc_info[0]) == ("ERROR", ValueError)
