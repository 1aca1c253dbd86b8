"""What the service says, over the API that every client reads."""

import random
from http import HTTPStatus
from typing import Any

import requests

from references.github import retried
from references.legacy import SourceError
from references.sync.options import SyncOptions
from references.vocabulary import CanonicalFormat

PRIMARY_ATTEMPTS = 3
PRIMARY_WAIT_FLOOR = 1.0
PRIMARY_WAIT_CEILING = 10.0
MOUNTS = {CanonicalFormat.V2: "v2", CanonicalFormat.LEGACY: "v1"}


class PrimaryError(SourceError):
    """The service gave nothing usable."""


class PrimaryPassingError(PrimaryError):
    """The same, where asking again may help."""


def primary_entries(options: SyncOptions, category: str) -> dict[str, dict]:
    """The v1 entries of a category. None at all are an error: no repository is emptied by mistake."""
    entries = _get(options, f"model_references/v1/{category}")
    if not isinstance(entries, dict) or not all(isinstance(entry, dict) for entry in entries.values()):
        raise PrimaryError("the service answers with something that is no records by name")
    if not entries:
        raise PrimaryError("the service has no records at all")
    return entries


def last_updated(options: SyncOptions) -> Any:
    """When the service last changed, by the only version whose metadata it serves."""
    mode = _get(options, "replicate_mode")
    mount = MOUNTS.get(str(mode.get("canonical_format"))) if isinstance(mode, dict) else None
    if mount is None:
        raise PrimaryError("the service does not say which version it takes writes on")
    answer = _get(options, f"model_references/{mount}/metadata/last_updated")
    if not isinstance(answer, dict) or "last_updated" not in answer:
        raise PrimaryError("the service does not say when it last changed")
    return answer["last_updated"]


def _get(options: SyncOptions, path: str) -> Any:
    def attempt() -> Any:
        return _answer(options, path)

    pauses = [
        random.uniform(PRIMARY_WAIT_FLOOR, min(PRIMARY_WAIT_CEILING, 2.0**turn))  # noqa: S311
        for turn in range(1, PRIMARY_ATTEMPTS)
    ]
    return retried(attempt, passing=PrimaryPassingError, pauses=pauses)


def _answer(options: SyncOptions, path: str) -> Any:
    try:
        response = requests.get(f"{options.primary_api_url}/{path}", timeout=options.primary_api_timeout)
    except requests.RequestException as error:
        raise PrimaryPassingError(f"{path} of the service: {type(error).__name__}") from None
    status = response.status_code
    if status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise PrimaryPassingError(f"{path} of the service: status {status}")
    if status != HTTPStatus.OK:
        raise PrimaryError(f"{path} of the service: status {status}")
    try:
        return response.json()
    except requests.JSONDecodeError:
        raise PrimaryError(f"{path} of the service: not JSON") from None
