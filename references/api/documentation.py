"""What the views say of themselves in the OpenAPI document."""

from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_field
from rest_framework import serializers

from references.auth import HordeKeyScheme

JSON = "application/json"
READ_ERRORS = (404, 422, 503)
WRITE_ERRORS = (400, 401, 404, 409, 422, 503)
MEANINGS = {
    400: "The request contradicts itself or a rule",
    401: "No valid key, or the key lacks the role",
    404: "Not found",
    409: "Clashes with what is stored",
    413: "The body is too large",
    422: "The request is not well formed",
    503: "Not possible on this deployment, or not now",
}


@extend_schema_field({"anyOf": [{"type": "string"}, {"type": "integer"}]})
class StepField(serializers.Field):
    """A step on the way to a value: a member's name or an element's index."""


class ErrorDetail(serializers.Serializer):
    """One problem of a request."""

    type = serializers.CharField(help_text="A stable word for the kind of problem.")
    loc = serializers.ListField(
        child=StepField(), help_text="Where: `path`, `query` or `body`, then names and list indices."
    )
    msg = serializers.CharField(help_text="The same in words.")
    input = serializers.JSONField(required=False, help_text="The offending value.")
    ctx = serializers.DictField(required=False, help_text="Bounds or allowed values.")


class ValidationError(ErrorDetail):
    """One problem of a request that breaks its schema."""


class HTTPValidationError(serializers.Serializer):
    """What is wrong with a request, problem by problem."""

    detail = ValidationError(many=True)


class SentenceOrProblems(serializers.Field):
    """What the REST framework has no field for: one of two types."""


class SentenceOrProblemsSchema(OpenApiSerializerFieldExtension):
    target_class = SentenceOrProblems

    def map_serializer_field(self, auto_schema: AutoSchema, direction: str) -> dict[str, Any]:
        problem = auto_schema.resolve_serializer(ErrorDetail, direction).ref
        return {"anyOf": [{"type": "string"}, {"type": "array", "items": problem}]}


class ErrorResponse(serializers.Serializer):
    """An error."""

    detail = SentenceOrProblems(help_text="A sentence, or a list of problems.")


def by_name(schema: Any) -> dict[str, Any]:
    """The schema of an object that maps names, free ones, to what `schema` describes."""
    return {"type": "object", "additionalProperties": schema}


def operation(
    operation_id: str,
    *,
    answers: Any = None,
    status: int = HTTPStatus.OK,
    also: Mapping[int | tuple[int, str], Any] | None = None,
    errors: Sequence[int] = (),
    tags: Sequence[str] = ("v2",),
    query: type[serializers.Serializer] | None = None,
    parameters: Sequence[OpenApiParameter] = (),
    takes: Any = None,
    keyed: bool = False,
    words: str = "",
) -> Callable:
    """Documents one action of a view set.

    `takes` and `answers` are the bodies of the request and of the answer with `status`, `also` those of
    further successful answers, by status or by status and media type. A body is a serializer, or an OpenAPI
    schema in which serializer classes and fields may stand wherever a schema can. `query` is the serializer
    of the query string, `words` a sentence on what the operation does; `keyed` operations need an `apikey`.
    """
    bodies = {int(status): answers, **(also or {})}
    successes = {key: OpenApiResponse(body, description=_phrase(key)) for key, body in bodies.items()}
    failures = {code: OpenApiResponse(_error_body(code), description=MEANINGS[code]) for code in errors}
    return extend_schema(
        operation_id=operation_id,
        summary=words.rstrip(".") or None,
        tags=list(tags),
        request={JSON: takes} if isinstance(takes, dict) else takes,
        parameters=[*([query] if query else []), *parameters],
        auth=[{HordeKeyScheme.name: []}] if keyed else [],
        responses=successes | failures,
    )


def _phrase(key: int | tuple[int, str]) -> str:
    return HTTPStatus(key if isinstance(key, int) else key[0]).phrase


def _error_body(code: int) -> Any:
    if code == HTTPStatus.UNPROCESSABLE_ENTITY:
        return {"anyOf": [HTTPValidationError, ErrorResponse]}
    return ErrorResponse
