"""Version 2: which models hold a file, found by the file's hash."""

import re

from django.http import HttpRequest, HttpResponse
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers

from references.api.documentation import operation
from references.api.reading import ReadViewSet
from references.api.responses import json_response
from references.documents import HeldFile, snapshots
from references.problems import RequestInvalid
from references.serializers.records import RecordTypeField

HASH_PATTERN = "^[0-9a-fA-F]{64}$"
_HASH = re.compile(r"[0-9a-fA-F]{64}")

HASH_PARAMETER = OpenApiParameter(
    "sha256",
    {"type": "string", "pattern": HASH_PATTERN},
    OpenApiParameter.PATH,
    description="The SHA-256 of the file: 64 hexadecimal digits, in any case.",
)


class FileHolder(serializers.Serializer):
    """A model, and the file of it that was looked for. Imported records may lack a name or an address."""

    category = RecordTypeField(help_text="The model's category.")
    name = serializers.CharField(help_text="The model's name.")
    file_name = serializers.CharField(allow_null=True, help_text="The name the file is saved under.")
    file_url = serializers.CharField(allow_null=True, help_text="Where the file is fetched from.")


class FileHolders(serializers.Serializer):
    """The models that hold a file, in the order of the categories and of their records."""

    sha256 = serializers.CharField(help_text="The hash looked for, in lower case.")
    models = FileHolder(many=True, help_text="None where no model holds the file.")


class FilesByHash(ReadViewSet):
    """Files of models, found by their hash."""

    @operation(
        "read_v2_models_by_hash",
        answers=FileHolders,
        errors=(422,),
        parameters=[HASH_PARAMETER],
        words="The models of any category that hold the file with this hash",
    )
    def read_models(self, request: HttpRequest, sha256: str) -> HttpResponse:
        digest = _hash_or_422(sha256)
        holders = [
            _holder(held.category, file)
            for held in snapshots()
            for file in held.files_by_hash.get(digest, ())
        ]
        return json_response(request, {"sha256": digest, "models": holders})


def _hash_or_422(given: str) -> str:
    """The hash in lower case."""
    if not _HASH.fullmatch(given):
        raise RequestInvalid(
            [
                {
                    "type": "string_pattern_mismatch",
                    "loc": ["path", "sha256"],
                    "msg": "Expected 64 hexadecimal digits",
                    "input": given,
                    "ctx": {"pattern": HASH_PATTERN},
                }
            ]
        )
    return given.lower()


def _holder(category: str, file: HeldFile) -> dict[str, str | None]:
    return {
        "category": category,
        "name": file.model_name,
        "file_name": file.file_name,
        "file_url": file.file_url,
    }
