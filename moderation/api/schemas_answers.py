"""What the queue's routes answer, as components of the API document. Nothing is rendered through these."""

from typing import Any

from rest_framework import serializers

from moderation.conflicts import Reason
from moderation.diffs import ChangeType, NetOperation
from moderation.states import Operation, Status
from references.serializers.fields import EnumField
from references.serializers.records import RecordTypeField
from references.vocabulary import CanonicalFormat

# A member that is null, or left out where a route leaves out nulls.
ABSENT: dict[str, Any] = {"required": False, "allow_null": True}


class RecordField(serializers.DictField):
    """A record in the form of the deployment's canonical format."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"child": serializers.JSONField(), **kwargs})


def _operation_field() -> EnumField:
    return EnumField(Operation, component="AuditOperation", help_text="What is done to the model.")


def _status_field() -> EnumField:
    return EnumField(Status, component="PendingChangeStatus", help_text="How far the change has come.")


def _net_operation_field() -> EnumField:
    return EnumField(NetOperation, component="NetChangeType", help_text="What it comes to.")


def _domain_field() -> EnumField:
    return EnumField(CanonicalFormat, component="CanonicalFormat", help_text="The form of the records.")


def _user(words: str) -> serializers.CharField:
    return serializers.CharField(**ABSENT, help_text=f"The id of who {words} it.")


def _username(words: str) -> serializers.CharField:
    return serializers.CharField(**ABSENT, help_text=f"The name of who {words} it.")


def _time(words: str) -> serializers.IntegerField:
    return serializers.IntegerField(**ABSENT, help_text=f"When it was {words}, in UNIX seconds.")


class ChangeOutline(serializers.Serializer):
    """What all views of a change tell of it."""

    change_id = serializers.IntegerField(min_value=1, help_text="Never given twice.")
    category = RecordTypeField(help_text="The category of the model.")
    model_name = serializers.CharField(help_text="The model.")
    operation = _operation_field()


class DecidedChange(ChangeOutline):
    """A change with who did what to it, and when."""

    status = _status_field()
    requested_by = serializers.CharField(help_text="The id of who proposed it.")
    requested_at = serializers.IntegerField(help_text="When it was proposed, in UNIX seconds.")
    batch_id = serializers.IntegerField(**ABSENT, help_text="The batch it was approved into.")
    batch_title = serializers.CharField(**ABSENT, help_text="What the batch was called then.")
    approved_by = _user("approved")
    approved_at = _time("approved")
    rejected_by = _user("rejected")
    rejected_at = _time("rejected")
    reject_reason = serializers.CharField(**ABSENT, help_text="Why it was rejected or withdrawn.")
    applied_by = _user("applied")
    applied_at = _time("applied")
    applied_job_id = serializers.CharField(**ABSENT, help_text="The job that applied it.")


class PendingChangeRecord(DecidedChange):
    """A proposal and what became of it."""

    payload = RecordField(**ABSENT, help_text="The proposed record, or the one that is to be removed.")
    requested_username = serializers.CharField(help_text="The name of who proposed it.")
    notes = serializers.CharField(**ABSENT, help_text="What reviewers should know.")
    approved_username = _username("approved")
    rejected_username = _username("rejected")
    applied_username = _username("applied")
    updated_at = serializers.IntegerField(help_text="When anything about it last changed, in UNIX seconds.")
    request_metadata = serializers.DictField(
        **ABSENT, child=serializers.JSONField(), help_text="The operation that proposed it, as `route`."
    )
    related_models = serializers.ListField(
        child=serializers.CharField(), **ABSENT, help_text="Names under which backends serve a text model."
    )


class PendingQueuePage(serializers.Serializer):
    """One page of changes."""

    items = PendingChangeRecord(many=True, help_text="By id, ascending.")
    total = serializers.IntegerField(min_value=0, help_text="Matches on all pages.")
    offset = serializers.IntegerField(min_value=0, help_text="Matches before this page.")
    limit = serializers.IntegerField(min_value=1, help_text="Matches on a full page.")


class PendingBatchResult(serializers.Serializer):
    """What was decided."""

    batch_id = serializers.IntegerField(allow_null=True, help_text="Null where nothing was approved.")
    batch_title = serializers.CharField(help_text="What the batch is called.")
    approved = PendingChangeRecord(many=True, help_text="By id, ascending.")
    rejected = PendingChangeRecord(many=True, help_text="By id, ascending.")


class PurgePendingChangesResponse(serializers.Serializer):
    """What was removed, or would have been."""

    removed_count = serializers.IntegerField(min_value=0, help_text="How many changes.")
    removed_change_ids = serializers.ListField(child=serializers.IntegerField(), help_text="Which ones.")
    dry_run = serializers.BooleanField(help_text="Whether they are all still there.")


class BatchSplitNotice(serializers.Serializer):
    """Whether the rest of a batch was moved to a new one."""

    batch_split_occurred = serializers.BooleanField(help_text="Whether approved changes were left behind.")
    batch_split_original_batch_id = serializers.IntegerField(required=False, help_text="The batch applied.")
    batch_split_new_batch_id = serializers.IntegerField(required=False, help_text="Where the rest is now.")
    batch_split_reassigned_count = serializers.IntegerField(
        required=False, min_value=1, help_text="How many changes that is."
    )


class ApplySingleChangeResponse(BatchSplitNotice):
    """The change that was applied."""

    record = PendingChangeRecord()


class ApplyPendingChangesResponse(BatchSplitNotice):
    """The changes that were applied, and the one that could not be, if any."""

    applied = PendingChangeRecord(many=True, help_text="In the order they were applied.")
    failed_change_id = serializers.IntegerField(required=False, help_text="The change that failed.")
    failed_error = serializers.CharField(required=False, help_text="Why it failed.")
    failed_error_type = serializers.CharField(required=False, help_text="The same as a stable word.")


class BatchRevertResponse(serializers.Serializer):
    """The proposals that would undo a batch."""

    batch_id = serializers.IntegerField(help_text="The batch they undo.")
    changes = PendingChangeRecord(many=True, help_text="One for each model.")


class ItemDiffs(serializers.Serializer):
    """How two lists differ, whatever the order of their elements."""

    added = serializers.ListField(child=serializers.JSONField(), help_text="Elements of the new list alone.")
    removed = serializers.ListField(
        child=serializers.JSONField(), help_text="Elements of the old list alone."
    )


class FieldDiff(serializers.Serializer):
    """One field that differs."""

    field_path = serializers.CharField(help_text="The names on the way to it, joined by dots.")
    old_value = serializers.JSONField(help_text="Null where it is added.")
    new_value = serializers.JSONField(help_text="Null where it is removed.")
    change_type = EnumField(ChangeType, component="FieldChangeType", help_text="What happened to it.")
    item_diffs = ItemDiffs(required=False, help_text="For two lists.")


class PendingChangeDiff(ChangeOutline):
    """What a change would change, or has changed."""

    current_state = RecordField(allow_null=True, help_text="The live record.")
    proposed_state = RecordField(allow_null=True, help_text="The record as proposed; null for a delete.")
    net_operation = _net_operation_field()
    field_diffs = FieldDiff(many=True)
    is_critical = serializers.BooleanField(help_text="Whether a field of consequence is among them.")
    fields_added = serializers.ListField(child=serializers.CharField(), help_text="Paths.")
    fields_removed = serializers.ListField(child=serializers.CharField(), help_text="Paths.")
    fields_modified = serializers.ListField(child=serializers.CharField(), help_text="Paths.")
    is_stale = serializers.BooleanField(help_text="Whether the live record moved after the proposal.")
    stale_reason = EnumField(
        Reason, component="StaleReason", allow_null=True, help_text="What became of the live record."
    )
    base_state = RecordField(allow_null=True, help_text="The live record at the time of the proposal.")
    conflicting_fields = serializers.ListField(
        child=serializers.CharField(), help_text="Paths that both the proposal and others changed."
    )


class DiffFailure(serializers.Serializer):
    """A change that there is no diff of."""

    change_id = serializers.IntegerField(help_text="The id asked for.")
    error = serializers.CharField(help_text="Why there is none.")
    error_type = serializers.CharField(help_text="The same as a stable word.")


class PendingChangeDiffPage(serializers.Serializer):
    """Diffs in the order asked for."""

    diffs = PendingChangeDiff(many=True)
    total = serializers.IntegerField(help_text="How many were asked for.")
    errors = DiffFailure(many=True)


class PendingQueueAuditEvent(serializers.Serializer):
    """One thing done to a change."""

    event_id = serializers.IntegerField(min_value=1, help_text="Its place in the log.")
    timestamp = serializers.IntegerField(help_text="When, in UNIX seconds.")
    action = serializers.CharField(help_text="What was done.")
    logical_user_id = serializers.CharField(help_text="The id of who did it.")
    payload = serializers.DictField(child=serializers.JSONField(), help_text="The particulars.")


class PendingQueueAuditChange(DecidedChange):
    """A change and what was done to it."""

    events = PendingQueueAuditEvent(many=True, help_text="The first one first.")


class PendingQueueAuditCurrentResponse(serializers.Serializer):
    """What is pending."""

    domain = _domain_field()
    pending_changes = PendingQueueAuditChange(many=True, help_text="The newest first.")
    total_pending = serializers.IntegerField(min_value=0, help_text="How many there are.")
    generated_at = serializers.IntegerField(help_text="UNIX seconds.")


class PendingQueueAuditBatchSummary(serializers.Serializer):
    """A batch in numbers."""

    batch_id = serializers.IntegerField(min_value=1, help_text="Never given twice.")
    batch_title = serializers.CharField(help_text="The title of the latest approval.")
    approved_by = serializers.CharField(allow_null=True, help_text="The id of the first approver.")
    approved_at = serializers.IntegerField(allow_null=True, help_text="The first approval, in UNIX seconds.")
    applied_at = serializers.IntegerField(allow_null=True, help_text="The latest apply, in UNIX seconds.")
    approved_change_count = serializers.IntegerField(help_text="Approved members, applied ones included.")
    rejected_change_count = serializers.IntegerField(help_text="Rejected members.")
    applied_change_count = serializers.IntegerField(help_text="Applied members.")
    total_change_count = serializers.IntegerField(help_text="All members.")
    last_event_id = serializers.IntegerField(allow_null=True, help_text="The latest event of a member.")


class PendingQueueAuditBatchPage(serializers.Serializer):
    """Batches, the newest first."""

    domain = _domain_field()
    batches = PendingQueueAuditBatchSummary(many=True)
    next_cursor = serializers.IntegerField(
        allow_null=True, help_text="The `cursor` of the next page, if any."
    )


class PendingQueueAuditBatchDetail(PendingQueueAuditBatchSummary):
    """A batch with its members."""

    changes = PendingQueueAuditChange(many=True)


class ModelNetChange(serializers.Serializer):
    """What a batch did to one model, from before its first change to after its last."""

    model_name = serializers.CharField(help_text="The model.")
    category = RecordTypeField(help_text="The category of the model.")
    net_operation = _net_operation_field()
    before_state = RecordField(allow_null=True, help_text="The record before.")
    after_state = RecordField(allow_null=True, help_text="The record after.")
    field_diffs = FieldDiff(many=True)
    is_critical = serializers.BooleanField(help_text="Whether a field of consequence is among them.")


class BatchNetChangeResponse(serializers.Serializer):
    """What the applied changes of a batch came to."""

    batch_id = serializers.IntegerField(help_text="The batch.")
    batch_title = serializers.CharField(help_text="What it is called.")
    domain = _domain_field()
    model_changes = ModelNetChange(many=True)
    models_added = serializers.IntegerField(help_text="How many models it added.")
    models_modified = serializers.IntegerField(help_text="How many it changed.")
    models_deleted = serializers.IntegerField(help_text="How many it removed.")
    models_unchanged = serializers.IntegerField(help_text="How many are as they were.")
    total_field_changes = serializers.IntegerField(help_text="Fields that differ, of all models.")
    has_critical_changes = serializers.BooleanField(help_text="Whether one of consequence is among them.")
    generated_at = serializers.IntegerField(help_text="UNIX seconds.")


class UserRolesResponse(serializers.Serializer):
    """Who a key belongs to and what that person may do."""

    user_id = serializers.CharField(help_text="The id at the AI-Horde.")
    username = serializers.CharField(help_text="The name at the AI-Horde, the id included.")
    roles = serializers.ListField(child=serializers.CharField(), help_text="Sorted.")
    is_approver = serializers.BooleanField(help_text="May decide about proposals and apply them.")
    is_requestor = serializers.BooleanField(help_text="May propose.")
