"""Version 2: the models of a category by how much they are served or used on the AI-Horde."""

import json

from django.http import HttpRequest, HttpResponse

from references.analytics import category_stats, stats_hold
from references.api.documentation import READ_ERRORS, operation
from references.api.known import known_response, while_kept
from references.api.reading import ReadViewSet, category_or_unprocessable
from references.api.responses import NO_CACHE, document_response
from references.api.schemas_statistics import PopularModel
from references.categories import CATEGORIES
from references.documents import Document, snapshot
from references.horde import HordeError
from references.popularity import DEFAULT_METRIC, METRICS, ModelStats, without_nulls
from references.rows import Row
from references.serializers.base import QuerySerializer
from references.serializers.fields import BooleanField, IntegerField, LiteralField
from references.services import json_text

DEFAULT_LIMIT = 10
MAX_LIMIT = 100


class PopularQuery(QuerySerializer):
    limit = IntegerField(
        default=DEFAULT_LIMIT, min_value=1, max_value=MAX_LIMIT, help_text="How many models."
    )
    sort_by = LiteralField(METRICS, default=DEFAULT_METRIC, help_text="The greatest of these come first.")
    include_workers = BooleanField(default=False, help_text="List the workers of each model, and count them.")


class PopularModels(ReadViewSet):
    """The models most used."""

    @operation(
        "popular_models_model_references_v2__model_category_name__popular_get",
        answers={"type": "array", "items": PopularModel},
        errors=READ_ERRORS,
        tags=("search",),
        query=PopularQuery,
        words="The image or text models most used; none while the AI-Horde cannot be asked",
    )
    def read_popular(self, request: HttpRequest, model_category_name: str) -> HttpResponse:
        category = category_or_unprocessable(model_category_name)
        query = PopularQuery.parse(request.GET)
        held = snapshot(category)
        if CATEGORIES[category].usage is None or not held.rows:
            return document_response(request, _models_document([]))
        try:
            stats = category_stats(held, with_workers=query["include_workers"])
        except HordeError:
            return document_response(request, _models_document([]), cache=NO_CACHE)
        best = stats.ranked(query["sort_by"])[: query["limit"]]
        models = [_model(held.rows[position], stats.models[position]) for position in best]
        return known_response(
            request,
            _models_document(models),
            holds=while_kept(stats_hold, stats, category, with_workers=query["include_workers"]),
        )


def _model(row: Row, stats: ModelStats) -> bytes:
    """One model, put together around its rendered record."""
    head = f'{{"name":{json.dumps(row.name, ensure_ascii=False)},"record":'.encode()
    tail = f',"stats":{json_text(without_nulls(stats.as_dict()))}}}'.encode()
    return head + row.presented_json + tail


def _models_document(models: list[bytes]) -> Document:
    return Document(b"[" + b",".join(models) + b"]")
