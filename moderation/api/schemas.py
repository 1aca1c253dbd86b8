"""What the queue's routes are sent: bodies, and query strings."""

import re
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema_field
from rest_framework.exceptions import ValidationError

from moderation.api.payloads import NOTE_HEADER, NOTE_LENGTH
from moderation.states import OnConflict, Status
from references.categories import CATEGORIES
from references.problems import VALUE_ERROR, ProblemCode, RequestInvalid
from references.serializers.base import ObjectSerializer, QuerySerializer
from references.serializers.fields import (
    OPTIONAL,
    BooleanField,
    EnumField,
    IntegerField,
    ListField,
    LiteralField,
    StringField,
)
from references.vocabulary import CanonicalFormat

PAGE_LIMIT, MAX_PAGE_LIMIT = 50, 500
BATCH_LIMIT, MAX_BATCH_LIMIT = 10, 50
MAX_DIFFS = 100
# Databases take no more than some ten thousand parameters in one statement.
MAX_IDS = 10_000
TITLE_LENGTH = 120
JOB_ID_LENGTH = 120
REASON_LENGTH = 500
NAME_FILTER_LENGTH = 200

NOTE_PARAMETER = OpenApiParameter(
    NOTE_HEADER,
    {"type": "string", "maxLength": NOTE_LENGTH},
    OpenApiParameter.HEADER,
    description=(
        "What reviewers should know of the proposal. Text beyond ASCII goes as in RFC 8187: `UTF-8''` and the "
        "percent-encoded text, such as `UTF-8''gr%C3%BC%C3%9Fe`."
    ),
)

CHANGE_ID, BATCH_ID = (
    OpenApiParameter(name, int, OpenApiParameter.PATH) for name in ("change_id", "batch_id")
)

_INTEGER = re.compile(r"[+-]?[0-9]+")
_ID_DIGITS = 18


def path_id(value: str, name: str) -> int:
    """The id in a path. One that is too large for any row is 0, which no row has either."""
    if not _INTEGER.fullmatch(value):
        problem = {"type": "int_parsing", "loc": ["path", name], "msg": "Expected an integer", "input": value}
        raise RequestInvalid([problem])
    return int(value) if len(value) <= _ID_DIGITS else 0


class WordsField(StringField):
    """Text that is trimmed."""

    def to_internal_value(self, data: Any) -> str:
        return super().to_internal_value(data).strip()


class TitleField(WordsField):
    """Text that is trimmed and must not be blank."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"allow_blank": False, **kwargs})

    def to_internal_value(self, data: Any) -> str:
        title = super().to_internal_value(data)
        if not title:
            self.fail(VALUE_ERROR, reason="must not be blank")
        return title


class TrimmedField(StringField):
    """Text that is trimmed before its length counts."""

    def to_internal_value(self, data: Any) -> str:
        return super().to_internal_value(data.strip() if isinstance(data, str) else data)


class NameFilterField(TrimmedField):
    """A part of a name."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"allow_blank": False, **kwargs})


class IdsField(ListField):
    """Ids of changes; repeated ones count once, at their first place."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"child": IntegerField(), "max_length": MAX_IDS, **kwargs})

    def to_internal_value(self, data: Any) -> list[int]:
        return list(dict.fromkeys(super().to_internal_value(data)))


class PositiveIdsField(IdsField):
    """Ids of changes; those that no change can have are left out."""

    def to_internal_value(self, data: Any) -> list[int]:
        return [number for number in super().to_internal_value(data) if number > 0]


@extend_schema_field({"anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": "string"}]})
class UserIdsField(ListField):
    """Ids of users, or one of them; blank ones are left out."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"child": StringField(), "max_length": MAX_IDS, **kwargs})

    def to_internal_value(self, data: Any) -> list[str]:
        users = super().to_internal_value([data] if isinstance(data, str) else data)
        return [user for user in map(str.strip, users) if user]


# The component of the records' own field, which is of another class and takes one category only.
@extend_schema_field({"type": "array", "items": {"$ref": "#/components/schemas/MODEL_REFERENCE_CATEGORY"}})
class CategoriesField(ListField):
    """Names of categories."""

    child = EnumField(CATEGORIES)


def statuses_field(**kwargs: Any) -> ListField:
    return ListField(child=EnumField(Status, component="PendingChangeStatus"), **kwargs)


def job_id_field() -> TrimmedField:
    return TrimmedField(
        **OPTIONAL,
        max_length=JOB_ID_LENGTH,
        help_text="What you call this request; repeating it with the same id is safe.",
    )


def on_conflict_field(**kwargs: Any) -> LiteralField:
    return LiteralField(
        OnConflict,
        default=OnConflict.FAIL,
        help_text="Whether a proposal that live data has moved away from fails or overwrites it.",
        **kwargs,
    )


class MyChangesQuery(QuerySerializer):
    statuses = statuses_field(required=False, help_text="Any of these statuses.")
    categories = CategoriesField(required=False, help_text="Any of these categories.")
    offset = IntegerField(default=0, min_value=0, help_text="Changes to pass over.")
    limit = IntegerField(
        default=PAGE_LIMIT, min_value=1, max_value=MAX_PAGE_LIMIT, help_text="Size of a page."
    )


class ChangesQuery(MyChangesQuery):
    batch_id = IntegerField(required=False, min_value=1, help_text="Members of this batch.")
    model_name = NameFilterField(
        required=False,
        min_length=1,
        max_length=NAME_FILTER_LENGTH,
        help_text="A part of the model's name, in any case.",
    )
    requested_by = ListField(
        child=StringField(), required=False, help_text="Proposed by any of these user ids."
    )


class DiffsQuery(QuerySerializer):
    change_ids = ListField(
        child=IntegerField(), min_length=1, max_length=MAX_DIFFS, help_text="The changes, in this order."
    )


class ApplyBatchQuery(QuerySerializer):
    job_id = job_id_field()
    on_conflict = on_conflict_field()


class AuditQuery(QuerySerializer):
    domain_override = EnumField(
        CanonicalFormat,
        component="CanonicalFormat",
        required=False,
        help_text="Events of this format instead of the deployment's own.",
    )


class AuditBatchesQuery(AuditQuery):
    cursor = IntegerField(required=False, min_value=1, help_text="Only batches with a smaller id.")
    limit = IntegerField(
        default=BATCH_LIMIT, min_value=1, max_value=MAX_BATCH_LIMIT, help_text="Size of a page."
    )


class PendingBatchRequest(ObjectSerializer):
    """A decision over pending changes: some approved into a batch, some rejected."""

    batch_title = TitleField(min_length=1, max_length=TITLE_LENGTH, help_text="What the batch is called.")
    approved_ids = PositiveIdsField(**OPTIONAL, help_text="Changes to approve.")
    rejected_ids = PositiveIdsField(**OPTIONAL, help_text="Changes to reject.")
    reject_reason = WordsField(**OPTIONAL, max_length=REASON_LENGTH, help_text="Why they are rejected.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        approved, rejected = attrs.get("approved_ids") or [], attrs.get("rejected_ids") or []
        reason = attrs.get("reject_reason")
        if not approved and not rejected:
            raise _rule("name at least one change to approve or to reject")
        if both := sorted({*approved} & {*rejected}):
            raise _rule(f"these changes are both approved and rejected: {both}")
        if rejected and not reason:
            raise _rule("rejecting takes a reason")
        return {**attrs, "approved_ids": approved, "rejected_ids": rejected, "reject_reason": reason}


class PurgePendingChangesRequest(ObjectSerializer):
    """Which changes to remove from the queue. All filters given must hold."""

    statuses = statuses_field(**OPTIONAL, help_text="Any of these statuses.")
    categories = CategoriesField(**OPTIONAL, help_text="Any of these categories.")
    model_name = WordsField(
        **OPTIONAL, max_length=NAME_FILTER_LENGTH, help_text="A part of the model's name, in any case."
    )
    requested_by = UserIdsField(**OPTIONAL, help_text="Proposed by any of these user ids.")
    batch_id = IntegerField(**OPTIONAL, min_value=1, help_text="Members of this batch.")
    change_ids = IdsField(**OPTIONAL, min_length=1, help_text="Any of these changes.")
    purge_all = BooleanField(default=False, help_text="Remove everything that the filters leave.")
    dry_run = BooleanField(default=False, help_text="Only tell what would be removed.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        given = {name: value for name, value in attrs.items() if value}
        if not given.keys() - {"dry_run"}:
            raise _rule("give a filter, or set purge_all to clear the whole queue")
        return given


class ApplyPendingChangeRequest(ObjectSerializer):
    """How to apply one change."""

    job_id = job_id_field()
    on_conflict = on_conflict_field()


class ApplyPendingChangesRequest(ApplyPendingChangeRequest):
    """Which changes to apply, in this order, and how."""

    change_ids = IdsField(child=IntegerField(above=0), min_length=1, help_text="The changes, in this order.")
    allow_mixed_batch = BooleanField(
        default=False, help_text="Whether the changes may be members of several batches."
    )


class ChangeReasonRequest(ObjectSerializer):
    """Why a change goes back."""

    reason = WordsField(**OPTIONAL, max_length=REASON_LENGTH, help_text="The reason, for the record.")


def _rule(reason: str) -> ValidationError:
    return ValidationError(f"Value error, {reason}", code=ProblemCode(VALUE_ERROR))
