"""The headers of pages for people: what a browser may load, run and keep for them."""

from collections.abc import Callable
from functools import wraps

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import patch_cache_control, patch_vary_headers
from django.views.decorators.gzip import gzip_page

View = Callable[..., HttpResponseBase]


def content_security_policy() -> str:
    """No script or style but this site's own files, no frames, and pictures from the listed hosts."""
    pictures = " ".join(["'self'", *(f"https://{host}" for host in settings.SHOWCASE_HOSTS)])
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            f"img-src {pictures}",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )


def secured(response: HttpResponseBase) -> HttpResponseBase:
    """The response of a page with its headers. The theme is kept in a cookie, and so may a session be."""
    response.headers["Content-Security-Policy"] = content_security_policy()
    patch_vary_headers(response, ["Cookie"])
    if "Cache-Control" not in response.headers:
        patch_cache_control(response, private=True, no_cache=True)
    return response


def page(view: View) -> View:
    """Makes a view answer as a page for people."""
    compressed = gzip_page(view)

    @wraps(view)
    def shown(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        return secured(compressed(request, *args, **kwargs))

    return shown
