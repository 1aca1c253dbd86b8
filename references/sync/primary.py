"""What the service says, over the API that every client reads."""

from contextlib import closing
from typing import Any

from references.following.client import PrimaryClient, PrimaryError
from references.sync.options import SyncOptions
from references.vocabulary import CanonicalFormat

MOUNTS = {CanonicalFormat.V2: "v2", CanonicalFormat.LEGACY: "v1"}


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
    with closing(PrimaryClient(options.primary_api_url, timeout=options.primary_api_timeout)) as client:
        answer = client.get_json(path)
    if answer is None:
        raise PrimaryError(f"{path}: the service has no such thing")
    return answer
