"""The OpenAPI document: served as bytes built once a process."""

import json

from drf_spectacular.generators import SchemaGenerator
from django.http import HttpRequest, HttpResponse
from django.views import View

from references.api.responses import document_response
from references.documents import Document


class OpenAPIDocument(View):
    def get(self, request: HttpRequest) -> HttpResponse:
        return document_response(request, Document(json.dumps(SchemaGenerator().get_schema(request=None, public=True)).encode()))
