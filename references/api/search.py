"""Version 2: filtered, sorted and paged views of the records."""

import json
from collections.abc import Sequence
from functools import partial

from django.http import HttpRequest, HttpResponse

from references.api.documentation import READ_ERRORS, operation
from references.api.known import always, known_response
from references.api.reading import ReadViewSet, category_or_unprocessable
from references.api.schemas import SearchResponse
from references.categories import CATEGORIES
from references.documents import Document, Snapshot, category_revision, snapshot, snapshots
from references.problems import BadRequest
from references.search import (
    DEFAULT_LIMIT,
    DEFAULT_SOURCE,
    SearchError,
    SearchPage,
    SearchQuery,
    search_all,
    search_category,
)
from references.serializers.base import QuerySerializer
from references.serializers.fields import BooleanField, IntegerField, ListField, StringField

MAX_LIMIT = 500


class SearchParameters(QuerySerializer):
    nsfw = BooleanField(
        required=False, help_text="Only models that are, or are not, marked as not safe for work."
    )
    baseline = StringField(required=False, help_text="Exactly this baseline.")
    inpainting = BooleanField(required=False, help_text="Image models only.")
    tags_any = ListField(child=StringField(), required=False, help_text="At least one of these tags.")
    tags_all = ListField(child=StringField(), required=False, help_text="All of these tags.")
    tags_none = ListField(child=StringField(), required=False, help_text="None of these tags.")
    name_contains = StringField(required=False, help_text="A part of the name, in any case.")
    backend = StringField(required=False, help_text="Text models only: names with this backend's prefix.")
    exclude_backend_variations = BooleanField(
        default=False, help_text="Text models only: leave out names with a backend's prefix."
    )
    quantized = BooleanField(required=False, help_text="Text models only: names that tell of a quantisation.")
    sort_by = StringField(
        required=False, help_text="A field of the record; `a__b` for a member of an object."
    )
    sort_desc = BooleanField(default=False, help_text="From the greatest to the least.")
    limit = IntegerField(default=DEFAULT_LIMIT, min_value=1, max_value=MAX_LIMIT, help_text="Size of a page.")
    offset = IntegerField(default=0, min_value=0, help_text="Matches to pass over.")
    source = StringField(
        default=DEFAULT_SOURCE, help_text="`horde`, `any`, or the id of a registered provider of records."
    )


class RecordSearch(ReadViewSet):
    """Search within a category and across all."""

    @operation(
        "search_category_model_references_v2__model_category_name__search_get",
        answers=SearchResponse,
        errors=(400, *READ_ERRORS),
        tags=("search",),
        query=SearchParameters,
        words="Records of a category that match every filter",
    )
    def search_category(self, request: HttpRequest, model_category_name: str) -> HttpResponse:
        category = category_or_unprocessable(model_category_name)
        query = _query(request)
        held = snapshot(category)
        try:
            page = search_category(held.index, query)
        except SearchError as error:
            raise BadRequest(str(error)) from error
        return _page_response(request, page, [held])

    @operation(
        "search_all_model_references_v2_search_get",
        answers=SearchResponse,
        errors=(400, *READ_ERRORS),
        tags=("search",),
        query=SearchParameters,
        words="Records of all categories that match every filter",
    )
    def search_all(self, request: HttpRequest) -> HttpResponse:
        query = _query(request)
        held = snapshots(CATEGORIES)
        try:
            page = search_all([each.index for each in held], query)
        except SearchError as error:
            raise BadRequest(str(error)) from error
        return _page_response(request, page, held)


def _query(request: HttpRequest) -> SearchQuery:
    given = SearchParameters.parse(request.GET)
    lists = {name: tuple(value) for name, value in given.items() if isinstance(value, list)}
    return SearchQuery(**{**given, **lists})


def _page_response(request: HttpRequest, page: SearchPage, held: Sequence[Snapshot]) -> HttpResponse:
    holds = partial(_holds, list(map(_state, held)))
    return known_response(request, _page_document(page, held), holds=holds, stands=always)


def _state(held: Snapshot) -> tuple[str, int]:
    return held.category, held.revision


def _holds(states: Sequence[tuple[str, int]]) -> bool:
    return all(category_revision(category) == revision for category, revision in states)


def _page_document(page: SearchPage, held: Sequence[Snapshot]) -> Document:
    """The page, joined from the rendered records."""
    rows = {each.category: each.rows for each in held}
    results = b",".join(rows[category][position].presented_json for category, position in page.hits)
    envelope = {"total": page.total, "offset": page.offset, "limit": page.limit, "has_more": page.has_more}
    tail = json.dumps(envelope, separators=(",", ":"))[1:].encode()
    return Document(b'{"results":[' + results + b"]," + tail)
