"""The icon that browsers ask for where no page names one."""

from django.http import HttpRequest, HttpResponseRedirect
from django.templatetags.static import static


def favicon(request: HttpRequest) -> HttpResponseRedirect:
    return HttpResponseRedirect(static("mark.svg"), headers={"Cache-Control": "public, max-age=86400"})
