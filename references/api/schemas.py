"""The answers of the reading views, as components of the OpenAPI document."""

from typing import get_args

from rest_framework import serializers

from references.journal import Operation
from references.serializers.fields import EnumField
from references.serializers.records import GenericModelRecord, RecordTypeField
from references.vocabulary import CanonicalFormat, ReplicateMode


class ContainsMessage(serializers.Serializer):
    """A greeting."""

    message = serializers.CharField(help_text="What this is and where to read on.")


class AIHordeStatus(serializers.Serializer):
    """How well the AI-Horde answered of late."""

    degraded = serializers.BooleanField(
        help_text="Whether it is left alone for a while after repeated failures."
    )
    consecutive_failures = serializers.IntegerField(min_value=0, help_text="Failures since the last success.")
    seconds_until_retry = serializers.FloatField(
        allow_null=True, help_text="When it is asked again; null while nothing stands in the way."
    )


class HeartbeatResponse(serializers.Serializer):
    """That the service is up, and what it knows of the AI-Horde."""

    status = serializers.CharField(
        help_text="Always `ok`: a degraded AI-Horde does not take the service down."
    )
    ai_horde = AIHordeStatus()


class BackendInfo(serializers.Serializer):
    """What kind of deployment this is."""

    replicate_mode = EnumField(
        ReplicateMode, component="ReplicateMode", help_text="Whether it owns its data or follows another."
    )
    canonical_format = EnumField(
        CanonicalFormat, component="CanonicalFormat", help_text="The API version that takes writes."
    )
    writable = serializers.BooleanField(help_text="Whether it takes writes at all.")


class LastUpdatedResponse(serializers.Serializer):
    """When any category last changed."""

    last_updated = serializers.IntegerField(
        allow_null=True, help_text="UNIX seconds; null without any category."
    )


class CategoryLastUpdatedResponse(serializers.Serializer):
    """When a category last changed."""

    category = RecordTypeField(help_text="The category.")
    last_updated = serializers.IntegerField(help_text="UNIX seconds; grows with every change.")


class CategoryMetadata(serializers.Serializer):
    """When a category last changed, and how often. Times are UNIX seconds."""

    category = RecordTypeField(help_text="The category.")
    last_updated = serializers.IntegerField(
        help_text="When its content last changed; grows with every change."
    )
    last_operation_type = EnumField(
        get_args(Operation), component="OperationType", allow_null=True, help_text="What the last change did."
    )
    last_operation_model = serializers.CharField(allow_null=True, help_text="The model it was done to.")
    total_creates = serializers.IntegerField(min_value=0, help_text="Models added one by one, imports apart.")
    total_updates = serializers.IntegerField(min_value=0, help_text="Models changed, imports apart.")
    total_deletes = serializers.IntegerField(min_value=0, help_text="Models removed.")
    total_models = serializers.IntegerField(min_value=0, help_text="How many models it has now.")
    initialization_time = serializers.IntegerField(help_text="When the category came to be.")
    last_successful_operation = serializers.IntegerField(help_text="When a change was last carried out.")
    error_count = serializers.IntegerField(min_value=0, help_text="Changes that could not be carried out.")
    metadata_schema_version = serializers.CharField(help_text="The version of this form.")
    backend_type = serializers.CharField(help_text="What the records are stored in.")


class SearchResponse(serializers.Serializer):
    """One page of matches."""

    results = serializers.ListField(
        child=GenericModelRecord(), help_text="Records, each with the further members of its category."
    )
    total = serializers.IntegerField(min_value=0, help_text="Matches on all pages.")
    offset = serializers.IntegerField(min_value=0, help_text="Matches before this page.")
    limit = serializers.IntegerField(min_value=1, help_text="Matches on a full page.")
    has_more = serializers.BooleanField(help_text="Whether another page follows.")
