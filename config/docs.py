"""Where the OpenAPI document is served, and the two pages that show it."""

from collections.abc import Callable
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.views import View
from django.views.decorators.csrf import csrf_exempt
from drf_spectacular.views import SpectacularRedocView, SpectacularSwaggerView

from config.openapi import openapi_document
from references.api.errors import detail_response
from references.api.responses import document_response


class ToldInJson:
    """For views that only answer, and something else than JSON: a wrong method is told as everywhere."""

    http_method_names = ["get", "head", "options"]

    @classmethod
    def as_view(cls, **initkwargs: object) -> Callable:
        # There is no form to protect, and a page about one would be told in place of the method.
        return csrf_exempt(super().as_view(**initkwargs))

    # That of the REST framework describes the view, and renders the description as the page.
    options = View.options

    def http_method_not_allowed(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        response = detail_response(HTTPStatus.METHOD_NOT_ALLOWED, "Method Not Allowed")
        response.headers["Allow"] = ", ".join(self._allowed_methods())
        return response


class OpenAPIDocument(ToldInJson, View):
    def get(self, request: HttpRequest) -> HttpResponse:
        return document_response(request, openapi_document())


class SwaggerPage(ToldInJson, SpectacularSwaggerView):
    url = "openapi.json"


class RedocPage(ToldInJson, SpectacularRedocView):
    url = "openapi.json"
