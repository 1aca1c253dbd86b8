"""The choice between light and dark, kept in a cookie so that no script has to run before the page shows."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseRedirectBase
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.csrf import csrf_exempt

from references.pages.errors import posts_only

THEME = "theme"
THEMES = ("light", "dark")
KEPT_SECONDS = 365 * 24 * 3600


class SeeOther(HttpResponseRedirectBase):
    status_code = 303


def theme_of(request: HttpRequest | None) -> str:
    """The theme chosen, or nothing: then the system decides."""
    chosen = request.COOKIES.get(THEME, "") if request else ""
    return chosen if chosen in THEMES else ""


# Whoever forges this request changes the colours of a page. A token would cost every visitor a cookie.
@csrf_exempt
@posts_only
def theme_choose(request: HttpRequest) -> HttpResponse:
    back = request.POST.get("next", "/")
    response = SeeOther(back if url_has_allowed_host_and_scheme(back, allowed_hosts=None) else "/")
    chosen = request.POST.get(THEME)
    if chosen in THEMES:
        response.set_cookie(
            THEME,
            chosen,
            max_age=KEPT_SECONDS,
            path=settings.SESSION_COOKIE_PATH,
            samesite="Lax",
            secure=request.is_secure(),
        )
    else:
        response.delete_cookie(THEME, path=settings.SESSION_COOKIE_PATH, samesite="Lax")
    return response
