"""How the service logs: one line of text or of JSON each, with the request it belongs to."""

import json
import logging
import re
import secrets
import time
from collections.abc import Callable
from contextvars import ContextVar
from enum import StrEnum
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse

logger = logging.getLogger(__name__)

REQUEST_ID = "X-Request-Id"
# What Django's guards refuse, each told by a logger of its name; the service has no part in it.
REFUSALS = ("DisallowedHost", "RequestDataTooBig", "TooManyFieldsSent", "TooManyFilesSent")
_SANE_ID = re.compile(r"[A-Za-z0-9._:+/=-]{1,128}")
_request_id: ContextVar[str | None] = ContextVar("request_id", default=None)


class LogFormat(StrEnum):
    PLAIN = "plain"
    JSON = "json"


class LogLevel(StrEnum):
    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"
    CRITICAL = "CRITICAL"


def logging_config(form: LogFormat, level: LogLevel) -> dict[str, Any]:
    """For Django and for granian, whose own loggers are among the last two."""
    handler = {"class": "logging.StreamHandler", "formatter": form.value, "filters": ["request"]}
    own = {"handlers": ["console"], "propagate": False}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {
            "request": {"()": "config.logs.RequestFilter"},
            "expected": {"()": "config.logs.ExpectedFilter"},
            "intended": {"()": "config.logs.IntendedFilter"},
        },
        "formatters": {
            "plain": {"format": "{asctime} {levelname} {name}: {message}{request_note}", "style": "{"},
            "json": {"()": "config.logs.JsonFormatter"},
        },
        "handlers": {"console": handler},
        "root": {"handlers": ["console"], "level": level.value},
        "loggers": {
            # What a client did wrong is its own affair.
            "django.request": {"level": "ERROR", "filters": ["expected"]},
            **{f"django.security.{refusal}": {"filters": ["expected"]} for refusal in REFUSALS},
            "_granian": {**own, "filters": ["intended"]},
            "granian.access": dict(own),
        },
    }


class RequestFilter(logging.Filter):
    """Tells each line which request it belongs to."""

    def filter(self, record: logging.LogRecord) -> bool:
        # Django's own lines about a request come after the middleware.
        record.request_id = getattr(getattr(record, "request", None), "request_id", None) or _request_id.get()
        record.request_note = f" [{record.request_id}]" if record.request_id else ""
        return True


class ExpectedFilter(logging.Filter):
    """Has what Django takes for errors, and what is none of the service's, be a line of warning.

    Those are requests that are refused, and answers that the service cannot give now or in this deployment.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        is_refusal = record.name.startswith("django.security.")
        if is_refusal or getattr(record, "status_code", None) == HTTPStatus.SERVICE_UNAVAILABLE:
            record.levelno, record.levelname = logging.WARNING, "WARNING"
            record.exc_info = None
        return True


class IntendedFilter(logging.Filter):
    """Leaves out that there are more threads than processors: most of them wait, for bodies or the AI-Horde."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not record.getMessage().startswith("Configuration allows spawning up to ")


class JsonFormatter(logging.Formatter):
    """An object a line: `time` (ISO 8601, UTC), `level`, `logger`, `message`, and what the line is about."""

    def format(self, record: logging.LogRecord) -> str:
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        entry = {
            "time": f"{moment}.{int(record.msecs):03d}Z",
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if request_id := getattr(record, "request_id", None):
            entry["request_id"] = request_id
        entry |= getattr(record, "about", {})
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        return json.dumps(entry, ensure_ascii=False, default=str)


class RequestLogMiddleware:
    """Names each request, tells the name where something may have to be found again, and logs it if asked to.

    What is read without an error answers the same bytes and headers to everyone, so it carries no name.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get(REQUEST_ID, "")
        request_id = given if _SANE_ID.fullmatch(given) else secrets.token_hex(8)
        request.request_id = request_id
        token = _request_id.set(request_id)
        started = time.perf_counter()
        try:
            response = self.get_response(request)
            if request.method not in ("GET", "HEAD") or response.status_code >= 400:
                response.headers[REQUEST_ID] = request_id
            if settings.ACCESS_LOG:
                _log(request, response, time.perf_counter() - started)
            return response
        finally:
            _request_id.reset(token)


def _log(request: HttpRequest, response: HttpResponse, seconds: float) -> None:
    about = {
        "method": request.method,
        # Without its query, which may hold what people type.
        "path": request.path,
        "status": response.status_code,
        "milliseconds": round(seconds * 1000, 1),
    }
    if user := _user_id(request):
        about["user_id"] = user
    path = request.path.encode("unicode_escape").decode()
    logger.info(
        "%s %s %s in %s ms%s",
        request.method,
        path,
        about["status"],
        about["milliseconds"],
        f" by {user}" if user else "",
        extra={"about": about},
    )


def _user_id(request: HttpRequest) -> str | None:
    """The AI-Horde id of a caller whose key was checked, or the account; nobody is looked up for it."""
    user = request.__dict__.get("user")
    if user_id := getattr(user, "user_id", None):
        return str(user_id)
    account = request.__dict__.get("_cached_user")
    return f"account {account.pk}" if account is not None and account.pk else None
