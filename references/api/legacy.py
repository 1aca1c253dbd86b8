"""Version 1: categories in the shape of the legacy repositories."""

from django.http import HttpRequest, HttpResponse
from rest_framework.exceptions import NotFound

from references.api.deployment import filled_needed
from references.api.documentation import READ_ERRORS, by_name, operation
from references.api.reading import ReadViewSet
from references.api.responses import document_response
from references.categories import CATEGORIES, IMAGE_CATEGORY, TEXT_CATEGORY
from references.documents import snapshot
from references.problems import Unprocessable
from references.serializers.base import QuerySerializer
from references.serializers.fields import BooleanField
from references.serializers.legacy import LegacyGenericRecord, LegacyTextGenerationRecord

# Spellings that readers of the legacy repositories use; the whole file name of the text repository counts.
WHOLE_ALIASES = {"db.json": TEXT_CATEGORY}
STEM_ALIASES = {"stable_diffusion": IMAGE_CATEGORY}


class LegacyTextQuery(QuerySerializer):
    include_group = BooleanField(
        default=False, help_text="Add each entry's group and a summary of the group."
    )


class LegacyRecords(ReadViewSet):
    """A category as the legacy repositories hold it."""

    @operation(
        "read_legacy_reference",
        answers=by_name(LegacyGenericRecord),
        errors=READ_ERRORS,
        tags=("v1",),
        words="All records of a category in the legacy format, by name",
    )
    def read_category(self, request: HttpRequest, model_category_name: str) -> HttpResponse:
        category = legacy_category(model_category_name)
        spec = CATEGORIES[category]
        held = snapshot(category)
        if not spec.curated_elsewhere and not (held.rows and spec.has_legacy_form):
            if spec.has_legacy_form:
                filled_needed(held)
            raise NotFound(f"Model category '{category}' not found or is empty")
        return document_response(request, held.v1)

    @operation(
        "read_legacy_text_generation_reference",
        answers=by_name(LegacyTextGenerationRecord),
        errors=READ_ERRORS,
        tags=("v1",),
        query=LegacyTextQuery,
        words="All text models in the legacy format, by name, each also under the names of its backends",
    )
    def read_text(self, request: HttpRequest) -> HttpResponse:
        grouped = LegacyTextQuery.parse(request.GET)["include_group"]
        held = snapshot(TEXT_CATEGORY)
        if not held.rows:
            filled_needed(held)
            raise NotFound("Text generation models not found or empty")
        return document_response(request, held.v1_grouped if grouped else held.v1)


def legacy_category(spelling: str) -> str:
    """The category a path segment of version 1 means; 422 for one that means none."""
    if spelling in WHOLE_ALIASES:
        return WHOLE_ALIASES[spelling]
    stem = spelling.removesuffix(".json")
    category = STEM_ALIASES.get(stem, stem)
    if category not in CATEGORIES:
        raise Unprocessable(
            f"Invalid model category: '{spelling}'. Known categories: {', '.join(CATEGORIES)}."
        )
    return category
