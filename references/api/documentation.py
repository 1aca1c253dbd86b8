"""What the views say of themselves in the OpenAPI document."""

from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Any

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers


class ErrorDetail(serializers.Serializer):
    """One problem of a request."""

    type = serializers.CharField(help_text="A stable word for the kind of problem.")
    loc = serializers.ListField(
        child=serializers.JSONField(), help_text="Where: `path`, `query` or `body`, then names and list indices."
    )
    msg = serializers.CharField(help_text="The same in words.")
    input = serializers.JSONField(required=False, help_text="The offending value.")
    ctx = serializers.DictField(required=False, help_text="Bounds or allowed values.")


class ValidationError(ErrorDetail):
    """One problem of a request, under the name older clients know it by."""


class HTTPValidationError(serializers.Serializer):
    """What is wrong with a request, problem by problem."""

    detail = ValidationError(many=True)


class ErrorResponse(serializers.Serializer):
    """An error: a sentence, or a list of problems."""

    detail = serializers.JSONField(help_text="A sentence, or a list of problems.")


WORDS = {
    400: "The request contradicts itself or a rule",
    401: "No valid key, or the key lacks the role",
    404: "Not found",
    409: "Clashes with what is stored",
    413: "The body is too large",
    422: "The request is not well formed",
    503: "Not possible on this deployment, or not now",
}


def operation(
    operation_id: str,
    *,
    answers: Any = None,
    status: int = HTTPStatus.OK,
    errors: Sequence[int] = (),
    tags: Sequence[str] = ("v2",),
    query: type[serializers.Serializer] | None = None,
    parameters: Sequence[OpenApiParameter] = (),
    takes: Any = None,
    keyed: bool = False,
    words: str = "",
) -> Callable:
    """Documents one action of a view set.

    `answers` and `takes` are serializers or OpenAPI schemas of the two bodies, `query` the serializer of the query
    string; `keyed` operations need an `apikey`.
    """
    return extend_schema(
        operation_id=operation_id,
        description=words or None,
        tags=list(tags),
        request=takes,
        parameters=[*([query] if query else []), *parameters],
        auth=[{"APIKeyHeader": []}] if keyed else [],
        responses={
            int(status): answers if answers is not None else OpenApiResponse(description="Done"),
            **{code: OpenApiResponse(ErrorResponse, description=WORDS[code]) for code in errors},
        },
    )
