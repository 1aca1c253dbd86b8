"""How the API spells what the queue and its log hold."""

import time
from collections.abc import Iterable, Sequence

from moderation.audit import AuditedChange, BatchDetail, BatchPage, BatchSummary, NetChange
from moderation.diffs import ChangeType, FieldDiff, NetOperation
from moderation.event_drafts import HIDDEN_KEYS
from moderation.live import payload_as_record
from moderation.models import AuditEvent, Batch, PendingChange
from moderation.problems import PendingChangePayloadError
from moderation.review import ChangeDiff
from moderation.services import ApplyResult, BatchDecision, BatchSplit, PurgeResult


def change_as_dict(change: PendingChange, *, omit_null: bool) -> dict:
    """A PendingChangeRecord. Nulls inside the payload are no concern of `omit_null`."""
    record = {
        "change_id": change.change_id,
        "category": change.category,
        "model_name": change.model_name,
        "operation": change.operation,
        "payload": change.payload_as_dict(),
        "requested_by": change.requested_by,
        "requested_username": change.requested_username,
        "requested_at": change.requested_at,
        "status": change.status,
        "notes": change.notes,
        "batch_id": change.batch_id,
        "batch_title": change.batch_title,
        "approved_by": change.approved_by,
        "approved_username": change.approved_username,
        "approved_at": change.approved_at,
        "rejected_by": change.rejected_by,
        "rejected_username": change.rejected_username,
        "rejected_at": change.rejected_at,
        "reject_reason": change.reject_reason,
        "applied_at": change.applied_at,
        "applied_by": change.applied_by,
        "applied_username": change.applied_username,
        "applied_job_id": change.applied_job_id,
        "updated_at": change.updated_at,
        "request_metadata": change.request_metadata_as_dict(),
        "related_models": change.related_models_as_list(),
    }
    return _known(record) if omit_null else record


def overlay(category: str) -> dict[str, dict]:
    """The records, in v2 form, that the open changes would put into the category, by name."""
    records = {}
    for change in PendingChange.objects.overlaying(category).without_states():
        try:
            records[change.model_name] = payload_as_record(change)
        except PendingChangePayloadError:
            continue
    return records


def decision_as_dict(decision: BatchDecision) -> dict:
    return {
        "batch_id": decision.batch_id,
        "batch_title": decision.batch_title,
        "approved": [change_as_dict(change, omit_null=False) for change in decision.approved],
        "rejected": [change_as_dict(change, omit_null=False) for change in decision.rejected],
    }


def purge_as_dict(result: PurgeResult) -> dict:
    return {
        "removed_count": len(result.removed_change_ids),
        "removed_change_ids": list(result.removed_change_ids),
        "dry_run": result.dry_run,
    }


def single_apply_as_dict(result: ApplyResult) -> dict:
    return {"record": change_as_dict(result.applied[0], omit_null=True), **_split_as_dict(result.split)}


def bulk_apply_as_dict(result: ApplyResult) -> dict:
    failure = {
        "failed_change_id": result.failed_change_id,
        "failed_error": result.failed_error,
        "failed_error_type": result.failed_error_type,
    }
    return {
        "applied": [change_as_dict(change, omit_null=True) for change in result.applied],
        **_known(failure),
        **_split_as_dict(result.split),
    }


def _split_as_dict(split: BatchSplit | None) -> dict:
    if split is None:
        return {"batch_split_occurred": False}
    return {
        "batch_split_occurred": True,
        "batch_split_original_batch_id": split.original_batch_id,
        "batch_split_new_batch_id": split.new_batch_id,
        "batch_split_reassigned_count": len(split.reassigned_change_ids),
    }


def diff_as_dict(diff: ChangeDiff) -> dict:
    change, stale = diff.change, diff.staleness
    return {
        "change_id": change.change_id,
        "category": change.category,
        "model_name": change.model_name,
        "operation": change.operation,
        "current_state": diff.current_state,
        "proposed_state": diff.proposed_state,
        "net_operation": diff.net_operation.value,
        "field_diffs": _field_diffs_as_list(diff.field_diffs),
        "is_critical": diff.is_critical,
        "fields_added": diff.paths(ChangeType.ADDED),
        "fields_removed": diff.paths(ChangeType.REMOVED),
        "fields_modified": diff.paths(ChangeType.MODIFIED),
        "is_stale": stale is not None,
        "stale_reason": None if stale is None else stale.reason.value,
        "base_state": diff.base_state,
        "conflicting_fields": [] if stale is None else list(stale.fields),
    }


def diff_page_as_dict(asked: Sequence[int], diffs: Iterable[ChangeDiff]) -> dict:
    """The diffs of the changes asked for, in that order; `total` counts what was asked."""
    found = {diff.change.change_id: diff for diff in diffs}
    return {
        "diffs": [diff_as_dict(found[change_id]) for change_id in asked if change_id in found],
        "total": len(asked),
        "errors": [
            {"change_id": change_id, "error": "Change not found", "error_type": "NotFound"}
            for change_id in asked
            if change_id not in found
        ],
    }


def _field_diffs_as_list(diffs: Iterable[FieldDiff]) -> list[dict]:
    return [_field_diff_as_dict(diff) for diff in diffs]


def _field_diff_as_dict(diff: FieldDiff) -> dict:
    shown = {
        "field_path": diff.path,
        "old_value": diff.old,
        "new_value": diff.new,
        "change_type": diff.change_type.value,
    }
    if (items := diff.item_diffs) is not None:
        shown["item_diffs"] = {"added": items.added, "removed": items.removed}
    return shown


def current_as_dict(domain: str, changes: Sequence[AuditedChange], *, at: int | None = None) -> dict:
    return {
        "domain": domain,
        "pending_changes": [audited_change_as_dict(audited) for audited in changes],
        "total_pending": len(changes),
        "generated_at": _now(at),
    }


def batch_page_as_dict(domain: str, page: BatchPage) -> dict:
    return {
        "domain": domain,
        "batches": [batch_summary_as_dict(summary) for summary in page.summaries],
        "next_cursor": page.next_cursor,
    }


def batch_summary_as_dict(summary: BatchSummary) -> dict:
    batch = summary.batch
    return {
        "batch_id": batch.number,
        "batch_title": batch.title,
        "approved_by": batch.approved_by,
        "approved_at": batch.approved_at,
        "applied_at": summary.applied_at,
        "approved_change_count": summary.approved_count,
        "rejected_change_count": summary.rejected_count,
        "applied_change_count": summary.applied_count,
        "total_change_count": summary.total_count,
        "last_event_id": batch.last_event_id,
    }


def batch_detail_as_dict(detail: BatchDetail) -> dict:
    return {
        **batch_summary_as_dict(detail.summary),
        "changes": [audited_change_as_dict(audited) for audited in detail.changes],
    }


def audited_change_as_dict(audited: AuditedChange) -> dict:
    change = audited.change
    return {
        "change_id": change.change_id,
        "status": change.status,
        "operation": change.operation,
        "category": change.category,
        "model_name": change.model_name,
        "requested_by": change.requested_by,
        "requested_at": change.requested_at,
        "approved_by": change.approved_by,
        "approved_at": change.approved_at,
        "rejected_by": change.rejected_by,
        "rejected_at": change.rejected_at,
        "reject_reason": change.reject_reason,
        "applied_by": change.applied_by,
        "applied_at": change.applied_at,
        "applied_job_id": change.applied_job_id,
        "batch_id": change.batch_id,
        "batch_title": change.batch_title,
        "events": [_queue_event_as_dict(event) for event in audited.events],
    }


def _queue_event_as_dict(event: AuditEvent) -> dict:
    after = event.payload_as_dict()["after"]
    return {
        "event_id": event.event_id,
        "timestamp": event.timestamp,
        "action": after["action"],
        "logical_user_id": event.logical_user_id,
        "payload": {key: value for key, value in after.items() if key not in HIDDEN_KEYS},
    }


def net_changes_as_dict(
    domain: str, batch: Batch, changes: Sequence[NetChange], *, at: int | None = None
) -> dict:
    models = [_net_change_as_dict(change) for change in changes]
    operations = [change.net_operation for change in changes]
    return {
        "batch_id": batch.number,
        "batch_title": batch.title,
        "domain": domain,
        "model_changes": models,
        "models_added": operations.count(NetOperation.ADDED),
        "models_modified": operations.count(NetOperation.MODIFIED),
        "models_deleted": operations.count(NetOperation.DELETED),
        "models_unchanged": operations.count(NetOperation.UNCHANGED),
        "total_field_changes": sum(len(model["field_diffs"]) for model in models),
        "has_critical_changes": any(model["is_critical"] for model in models),
        "generated_at": _now(at),
    }


def _net_change_as_dict(change: NetChange) -> dict:
    return {
        "model_name": change.model_name,
        "category": change.category,
        "net_operation": change.net_operation.value,
        "before_state": change.before,
        "after_state": change.after,
        "field_diffs": _field_diffs_as_list(change.field_diffs),
        "is_critical": change.is_critical,
    }


def _known(record: dict) -> dict:
    return {key: value for key, value in record.items() if value is not None}


def _now(at: int | None) -> int:
    return int(time.time()) if at is None else at
