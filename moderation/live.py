"""Live records in the form a change speaks of: v2 records, or the legacy objects of a legacy deployment."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings

from moderation.models import PendingChange
from moderation.problems import PendingChangePayloadError
from moderation.states import Operation
from references.categories import TEXT_CATEGORY
from references.legacy import (
    RecordError,
    legacy_from_record,
    legacy_normalised,
    record_from_legacy,
    text_entries,
)
from references.models import ModelRecord
from references.problems import RequestInvalid
from references.serializers import legacy_validate, record_validate
from references.vocabulary import CanonicalFormat

# In the order of the schema, which is the order they are stored in.
_METADATA = ("schema_version", "created_at", "updated_at", "created_by", "updated_by")
_KEPT_METADATA = ("created_at", "created_by")
# What a legacy object cannot say, and a legacy write therefore does not mean to remove.
_BEYOND_LEGACY = ("finetune_series", "name_schema_exception")

ModelKey = tuple[str, str]
"""A category and the name of a model in it."""


@dataclass(frozen=True, slots=True)
class Live:
    """A record as it is stored, or as it is about to be: the v2 record, and the legacy object beside it.

    Where `legacy` is None, what is stored follows the v2 record. `position` is the place in its category that
    a record comes back to; None where it has none to come back to.
    """

    record: dict
    legacy: dict | None = None
    position: int | None = None


def canonical_domain() -> CanonicalFormat:
    """The form in which this deployment takes proposals."""
    return CanonicalFormat(settings.CANONICAL_FORMAT)


def live_read(category: str, name: str) -> Live | None:
    return lives_read([(category, name)]).get((category, name))


def lives_read(models: Iterable[ModelKey]) -> dict[ModelKey, Live]:
    """The live records among these models: one query for each category."""
    names = defaultdict(set)
    for category, name in models:
        names[category].add(name)
    return {
        (category, stored.name): Live(stored.as_dict(), stored.legacy_as_dict())
        for category in sorted(names)
        for stored in ModelRecord.objects.in_category(category).filter(name__in=names[category])
    }


def live_form(domain: str, category: str, live: Live | None) -> dict | None:
    """The record as proposals of this domain see it; of a text model, the legacy entry under its own name."""
    if live is None:
        return None
    if domain == CanonicalFormat.V2:
        return live.record
    if category == TEXT_CATEGORY:
        return text_entries(live.record)[0][1]
    return live.legacy if live.legacy is not None else legacy_from_record(category, live.record)


def payload_queued(domain: str, payload: dict, live: Live | None) -> dict:
    """The payload to queue: who created the live record, and when, stays as it is."""
    if domain == CanonicalFormat.LEGACY or live is None:
        return payload
    return {**payload, "metadata": _metadata(payload, creation_kept(live))}


def reverted_ids(change: PendingChange) -> list[int]:
    """The changes that this one undoes, as they were applied one after the other; of most changes, none."""
    return (change.request_metadata_as_dict() or {}).get("reverts", [])


def payload_check(change: PendingChange) -> None:
    """Raises PendingChangePayloadError for a payload that could not be proposed today.

    A revert brings back what was stored before, whatever the rules for new proposals are.
    """
    payload = change.payload_as_dict()
    if payload is None:
        raise PendingChangePayloadError(f"Change {change.change_id} has no payload.")
    if reverted_ids(change):
        return
    validate = legacy_validate if change.is_legacy else record_validate
    try:
        validate(change.category, payload)
    except RequestInvalid as invalid:
        first = invalid.detail[0]
        place = ".".join(str(step) for step in first["loc"])
        raise PendingChangePayloadError(
            f"The payload of change {change.change_id} is no longer valid: {place}: {first['msg']}"
        ) from None


def proposed_live(change: PendingChange, live: Live | None, *, at: int) -> Live | None:
    """What applying the change over `live` would store; None for a delete.

    Raises PendingChangePayloadError where the payload is no record.
    """
    if change.operation == Operation.DELETE:
        return None
    payload = change.payload_as_dict()
    if payload is None:
        raise PendingChangePayloadError(f"Change {change.change_id} has no payload.")
    is_new = live is None and change.operation == Operation.CREATE
    if not change.is_legacy:
        return Live(_stamped(payload, live, at=at, keep_update=is_new))
    return _proposed_legacy(change, payload, live, at=at)


def proposed_state(change: PendingChange, target: Live | None) -> dict | None:
    """What the change says the record should be, given what applying it would store.

    A legacy payload is shown as it would be stored: without nulls, its tags and names filled in.
    """
    if target is None or change.is_legacy:
        return live_form(change.domain, change.category, target)
    return change.payload_as_dict()


def _proposed_legacy(change: PendingChange, payload: dict, live: Live | None, *, at: int) -> Live:
    try:
        legacy = legacy_normalised(change.category, payload)
        record, _ = record_from_legacy(change.category, change.model_name, legacy)
    except RecordError as error:
        raise PendingChangePayloadError(
            f"The payload of change {change.change_id} is no longer valid: it {error}"
        ) from None
    if live is not None:
        beyond = {key: live.record[key] for key in _BEYOND_LEGACY if key in live.record}
        record = {**record, **beyond, "metadata": {**record["metadata"], **live.record.get("metadata", {})}}
    is_text = change.category == TEXT_CATEGORY
    return Live(_stamped(record, live, at=at, keep_update=False), None if is_text else legacy)


def payload_as_record(change: PendingChange) -> dict:
    """The proposed record in v2 form; raises PendingChangePayloadError."""
    payload = change.payload_as_dict()
    if payload is not None and not change.is_legacy:
        return payload
    try:
        record, _ = record_from_legacy(
            change.category, change.model_name, legacy_normalised(change.category, payload or {})
        )
    except RecordError as error:
        raise PendingChangePayloadError(f"The payload of change {change.change_id} {error}") from None
    return record


def _stamped(record: dict, live: Live | None, *, at: int, keep_update: bool) -> dict:
    """The record with its times. A new record keeps those it brings, which is how records move house."""
    metadata = record.get("metadata") or {}
    created_at, updated_at = metadata.get("created_at"), metadata.get("updated_at")
    stamps = {
        "created_at": at if created_at is None else created_at,
        "updated_at": updated_at if keep_update and updated_at is not None else at,
    }
    if live is not None:
        stamps = {"updated_at": stamps["updated_at"], **creation_kept(live)}
    return {**record, "metadata": _metadata(record, stamps)}


def creation_kept(live: Live) -> dict:
    """The members of `metadata` that a record keeps as long as it lives: when it was made, and by whom."""
    metadata = live.record.get("metadata") or {}
    return {key: metadata[key] for key in _KEPT_METADATA if metadata.get(key) is not None}


def _metadata(record: dict, changes: dict) -> dict:
    metadata = {**(record.get("metadata") or {}), **changes}
    return {**{key: metadata[key] for key in _METADATA if key in metadata}, **metadata}
