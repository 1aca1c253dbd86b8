"""Where the OpenAPI document is served, and the two pages that show it."""

from django.http import HttpRequest, HttpResponse
from django.views import View
from drf_spectacular.views import SpectacularRedocView, SpectacularSwaggerView

from config.openapi import openapi_document
from references.api.errors import detail_response
from references.api.responses import document_response


class ToldInJson:
    """For views that answer something else than JSON: a wrong method is told as everywhere."""

    http_method_names = ["get", "head", "options"]

    def http_method_not_allowed(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        response = detail_response(405, "Method Not Allowed")
        response.headers["Allow"] = ", ".join(name.upper() for name in self.http_method_names)
        return response


class OpenAPIDocument(ToldInJson, View):
    def get(self, request: HttpRequest) -> HttpResponse:
        return document_response(request, openapi_document())


class SwaggerPage(ToldInJson, SpectacularSwaggerView):
    url = "openapi.json"


class RedocPage(ToldInJson, SpectacularRedocView):
    url = "openapi.json"
