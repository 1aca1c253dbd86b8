"""What was done to live records, in order, for mirrors and bots that follow the reference."""

from typing import get_args

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from rest_framework import serializers

from moderation.models import AuditEvent
from references.api.documentation import operation
from references.api.reading import ReadViewSet
from references.api.responses import json_response
from references.journal import Operation
from references.problems import Unavailable
from references.serializers.base import QuerySerializer
from references.serializers.fields import EnumField, IntegerField
from references.serializers.records import RecordTypeField

DEFAULT_LIMIT, MAX_LIMIT = 100, 500
# Who did it and why is for those who may read the queue.
PUBLIC_FIELDS = ("event_id", "timestamp", "category", "model_name", "operation")


class ChangesQuery(QuerySerializer):
    since = IntegerField(
        default=0, min_value=0, help_text="Only what came after this event: `next_since` of the last answer."
    )
    limit = IntegerField(default=DEFAULT_LIMIT, min_value=1, max_value=MAX_LIMIT, help_text="Size of a page.")


class AppliedChange(serializers.Serializer):
    """One write of a live record."""

    event_id = serializers.IntegerField(
        min_value=1, help_text="Grows from write to write; numbers may be left out."
    )
    timestamp = serializers.IntegerField(help_text="UNIX seconds.")
    category = RecordTypeField(help_text="The model's category.")
    model_name = serializers.CharField(help_text="The model's name.")
    operation = EnumField(get_args(Operation), component="OperationType", help_text="What was done to it.")


class AppliedChanges(serializers.Serializer):
    """One page of writes, first things first."""

    events = AppliedChange(many=True, help_text="Empty where nothing has happened since.")
    next_since = serializers.IntegerField(
        allow_null=True, help_text="Where to go on, now or later; null as long as nothing has ever happened."
    )
    has_more = serializers.BooleanField(help_text="Whether another page can be had at once.")


class ChangeFeed(ReadViewSet):
    """The writes of live records."""

    @operation(
        "read_v2_changes",
        answers=AppliedChanges,
        errors=(422, 503),
        query=ChangesQuery,
        words="What was done to the models of all categories, in order",
    )
    def read_changes(self, request: HttpRequest) -> HttpResponse:
        require_log()
        query = ChangesQuery.parse(request.GET)
        since, limit = query["since"], query["limit"]
        found = list(
            record_events().filter(event_id__gt=since).in_order().values(*PUBLIC_FIELDS)[: limit + 1]
        )
        events = found[:limit]
        last = events[-1]["event_id"] if events else since
        body = {"events": events, "next_since": last or None, "has_more": len(found) > limit}
        return json_response(request, body)


def require_log() -> None:
    if not settings.AUDIT_ENABLED:
        raise Unavailable("This deployment keeps no log of what is changed.")


def record_events() -> QuerySet[AuditEvent]:
    """The writes of live records; acts on the queue, on text groups and on the order of records apart.

    Writers hold the end of the log until they commit, so ids come to light in their order: who has seen an
    event has missed none before it.
    """
    apart = (AuditEvent.QUEUE, AuditEvent.STRUCTURE, AuditEvent.ORDER)
    return AuditEvent.objects.exclude(category__in=apart)
