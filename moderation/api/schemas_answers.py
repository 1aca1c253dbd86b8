"""What the queue's routes answer, for the API document; nothing is validated or rendered with these."""

from typing import Any

from rest_framework import serializers

from moderation.diffs import ChangeType, NetOperation, StaleReason
from moderation.states import ChangeOperation, ChangeStatus
from references.categories import CATEGORIES
from references.journal import Operation
from references.serializers.fields import EnumField
from references.vocabulary import CanonicalFormat

NULLABLE: dict[str, Any] = {"required": False, "allow_null": True}


class State(serializers.DictField):
    """A record as it was, is or would be; null where there is none."""

    child = serializers.JSONField()


def _time(words: str) -> serializers.IntegerField:
    return serializers.IntegerField(**NULLABLE, help_text=f"When it was {words}, in UNIX seconds.")


def _user(words: str) -> serializers.CharField:
    return serializers.CharField(**NULLABLE, help_text=f"The id of who {words} it.")
